// An application's own tests.
import { accessToken, oauthFetch, type TokenSource } from 'valetkey'
import { fakeSession, manualClock, storeContract } from 'valetkey/testing'
import { memoryStore } from 'valetkey'
declare function test(name: string, run: () => Promise<void>): void
const source: TokenSource = { token: async () => accessToken('test-token', { scope: ['notes:read'] }) }
export const api = oauthFetch(source, { resources: ['https://api.example.com/'], fetch: async () => new Response('[]') })
export const session = fakeSession({ status: 'signed_in', grantedScope: ['notes:read'] })
for (const rule of storeContract(async () => memoryStore())) test(rule.name, rule.run)
export const clock = manualClock()
await clock.advance(60_000)
