import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTokenRecord, encodeTokenRecord } from '../../../src/core/codec.js'
import { decodePendingRequests, encodePendingRequests } from '../../../src/core/pending-codec.js'
import type { Store, Versioned } from '../../../src/core/ports.js'
import { Secret } from '../../../src/core/secret.js'
import { oauthFetch, userSession } from '../../../src/index.js'
// Loaded when they are due; here before the clock is moved.
import '../../../src/grants/refresh-token.js'
import '../../../src/protocol/revocation.js'
import { manualClock } from '../../../src/testing/manual-clock.js'
import { aRecord, aToken } from '../../core/records.js'
import { expectNoMarker, marker } from '../../support/marker.js'
import { expectClean, nastyText, nastyValue } from './inputs.js'

const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)
const issuer = 'https://auth.example'

const right = JSON.parse(
  encodeTokenRecord(
    aRecord({
      issuer,
      clientId: 'app',
      refreshToken: Secret.of(`refresh-${marker}`),
      idToken: Secret.of(`id-${marker}`),
      idTokenClaims: { iss: issuer, sub: 'ann' },
      accessTokens: [aToken({ text: `access-${marker}`, granted: ['read'] })],
      wait: { id: 'w', until: 2, span: 1, code: 'network' },
      unclear: 1,
    }),
  ),
) as Record<string, unknown>

const places: readonly (readonly string[])[] = [
  ...Object.keys(right).map((name) => [name]),
  ...['text', 'type', 'asked', 'granted', 'generation', 'issuedAt', 'lifetime'].map((name) => ['accessTokens', '0', name]),
  ['sending', 'by'],
  ['sending', 'startedAt'],
  ['wait', 'until'],
  ['wait', 'span'],
  ['idTokenClaims', 'sub'],
  ['ended'],
  ['__proto__'],
  ['token_endpoint'],
]

/** A record that was written here, and changed in some places by another. */
const poisoned = fc.array(fc.tuple(fc.constantFrom(...places), nastyValue), { maxLength: 3 }).map((changes) => {
  const record = structuredClone(right)
  for (const [path, value] of changes) {
    let at: unknown = record
    for (const name of path.slice(0, -1)) at = (at as Record<string, unknown> | null | undefined)?.[name]
    if (typeof at === 'object' && at !== null)
      // A copy: one that is put into itself could not be written.
      Object.defineProperty(at, path.at(-1) ?? '', { value: structuredClone(value), enumerable: true, configurable: true, writable: true })
  }
  return JSON.stringify(record)
})
const stored = fc.oneof(
  { weight: 5, arbitrary: poisoned },
  nastyText,
  fc.tuple(poisoned, fc.nat(200)).map(([text, length]) => text.slice(0, length)),
  // What JSON can say, and no number can hold.
  poisoned.map((text) => text.replace(/\d{4,}/, '1e999')),
)

/** Resolves with it, and lets time pass as long as it waits for that. */
async function inTime<T>(clock: ReturnType<typeof manualClock>, promise: Promise<T>): Promise<T> {
  let settled = false
  const watched = promise.finally(() => (settled = true))
  watched.catch(() => {})
  for (let turn = 0; turn < 100 && !settled; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  for (let minute = 0; minute < 600 && !settled; minute += 1) {
    await clock.advance(60_000)
    // What the machine does in another thread has its own time.
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  if (!settled) throw new Error('It hangs.')
  return watched
}

test('a stored text is a whole record, which is written as it was read, or none', () => {
  let used = 0
  fc.assert(
    fc.property(stored, (text) => {
      const record = decodeTokenRecord(text)
      const requests = decodePendingRequests(text)
      if (requests !== undefined)
        expect(encodePendingRequests(decodePendingRequests(encodePendingRequests(requests)) ?? [])).toBe(encodePendingRequests(requests))
      if (record === undefined) return
      used += 1
      const written = encodeTokenRecord(record)
      const again = decodeTokenRecord(written)
      expect(again === undefined ? undefined : encodeTokenRecord(again)).toBe(written)
      expectNoMarker({ refreshToken: record.refreshToken, idToken: record.idToken, text: record.accessTokens.map((one) => one.text) })
    }),
    { numRuns: runs },
  )
  expect(used).toBeGreaterThan(runs / 50)
})

test('a session on any stored text serves, signs out, or fails by name; and sends what is stored to its issuer only', async () => {
  await fc.assert(
    fc.asyncProperty(stored, async (text) => {
      const clock = manualClock(1_800_000_000_000)
      const called: string[] = []
      const held = new Map<string, Versioned | undefined>()
      const store: Store = {
        get: async (key) => {
          if (!held.has(key) && !key.includes('pending')) held.set(key, { version: 'of another', value: text })
          return held.get(key)
        },
        replace: async (key, seen, next) => {
          const isSeen = held.get(key)?.version === seen
          if (isSeen) held.set(key, next)
          return isSeen
        },
      }
      const answered = async (input: unknown) => {
        called.push(String(input))
        return new Response('{"error":"invalid_client"}', { status: 401, headers: { 'content-type': 'application/json' } })
      }
      const session = userSession({
        authorizationServer: { issuer, token_endpoint: `${issuer}/token`, revocation_endpoint: `${issuer}/revoke` },
        clientId: 'app',
        store,
        clock,
        fetch: answered,
      })
      const api = oauthFetch(session, {
        resources: ['https://api.example/'],
        // As the platform reads them: a value that no header can have is quoted in its error.
        fetch: async (_, init) => new Response(null, { status: new Headers(init?.headers).has('authorization') ? 204 : 400 }),
      })
      await inTime(clock, session.resume().catch(expectClean))
      const response = await inTime(clock, api('https://api.example/').catch(expectClean))
      expect(response?.status ?? 204).toBe(204)
      await inTime(clock, session.signOut().catch(expectClean))
      expect(called.filter((url) => !url.startsWith(`${issuer}/`))).toEqual([])
    }),
    { numRuns: runs },
  )
})
