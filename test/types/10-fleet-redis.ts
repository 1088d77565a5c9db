import { clientCredentials, clientSecretBasic, userSession } from 'valetkey'
import { redisStore, type RedisClient } from 'valetkey/redis'
declare const redis: RedisClient
const store = redisStore(redis, { encryptionKey: { '2026-11': process.env['STORE_KEY']!, '2026-05': process.env['OLD_STORE_KEY']! } })
const client = {
  issuer: 'https://auth.example.com',
  clientId: 'fleet',
  clientAuthentication: clientSecretBasic(process.env['CLIENT_SECRET']!),
  store,
}
export const own = clientCredentials({ ...client, scope: ['reports:write'] })
export const forUser = (account: string) => userSession({ ...client, account })
