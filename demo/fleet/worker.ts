// One of many processes that share one token through Redis. It calls an API, again and again, until it is told to stop.
import { setTimeout } from 'node:timers/promises'
import { createClient } from 'redis'
import { clientCredentials, clientSecretBasic, oauthFetch } from '../../src/index.js'
import { redisStore } from '../../src/redis/index.js'
import { isWorking, leave, tell } from './parent.js'

const { ISSUER = '', API = '', REDIS = '', CLIENT_SECRET = '', STORE_KEY = '' } = process.env
const redis = await createClient({ url: REDIS }).connect()
const source = clientCredentials({
  issuer: ISSUER,
  clientId: 'fleet',
  clientAuthentication: clientSecretBasic(CLIENT_SECRET),
  scope: ['notes:read'],
  store: redisStore(redis, { encryptionKey: STORE_KEY }),
  observe: tell,
})
const api = oauthFetch(source, { resources: [API] })

while (isWorking()) {
  const { status } = await api(`${API}/notes`)
  tell({ type: 'called', status })
  await setTimeout(100 + 100 * Math.random())
}
await redis.close()
leave()
