// A program as a user would write it, in plain JavaScript, run from the installed package by each runtime. It says what it saw as one line of JSON.
import { clientCredentials, clientSecretBasic, memoryStore, oauthFetch, sealed } from 'valetkey'
import * as resourceServer from 'valetkey/resource-server'
import * as testing from 'valetkey/testing'
import * as worker from 'valetkey/worker'
import * as browser from 'valetkey/browser'
import * as redis from 'valetkey/redis'
import * as postgres from 'valetkey/postgres'

/**
 * Twenty calls at once, then one whose token is refused first: what they came to.
 * @param {{ readonly issuer: string, readonly api: string, readonly clientSecret: string, readonly encryptionKey: string }} where
 */
export async function seen({ issuer, api, clientSecret, encryptionKey }) {
  const source = clientCredentials({
    issuer,
    clientId: 'nightly',
    clientAuthentication: clientSecretBasic(clientSecret),
    scope: ['notes:write'],
    dpop: true,
    store: sealed(memoryStore(), { encryptionKey }),
  })
  const call = oauthFetch(source, { resources: [api] })
  const write = async () => (await call(`${api}/notes`, { method: 'POST', body: 'The nightly report is ready' })).status
  const answers = await Promise.all(Array.from({ length: 20 }, write))
  const first = await source.token()
  await source.token({ rejected: first })
  answers.push(await write())
  const shown = [String(first), JSON.stringify(first), Object.getOwnPropertyNames(first).join()]
  const refused = await call('http://127.0.0.1:9/elsewhere').then(
    () => 'sent',
    (error) => String(error.code),
  )
  const entries = { resourceServer, testing, worker, browser, redis, postgres }
  return {
    answers: [...new Set(answers)],
    count: answers.length,
    refused,
    shows: shown.some((text) => text.includes(first.reveal())),
    exports: Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, Object.keys(entry).length > 0])),
  }
}
