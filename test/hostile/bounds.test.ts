import { expect, test } from 'vitest'
import { accessToken, challengeOf, oauthFetch, userSession } from '../../src/index.js'
import { decodeTokenRecord } from '../../src/core/codec.js'
import { decodePendingRequests } from '../../src/core/pending-codec.js'
import { parseScope } from '../../src/core/scope.js'
import { parseObject } from '../../src/protocol/json.js'

// Inputs that are made to be slow to read. The bound is 50 ms for 100 KB; here ten times that, for a machine that is busy with others.

const bound = 500
const kilobytes = (count: number, part: string): string => part.repeat(Math.ceil((count * 1024) / part.length))

/** Of three the first that keeps the bound, or the last: what is slow for its own reasons is slow every time. */
async function took(run: () => unknown): Promise<number> {
  let milliseconds = Infinity
  for (let attempt = 0; attempt < 3 && milliseconds > bound; attempt += 1) {
    const start = performance.now()
    await run()
    milliseconds = performance.now() - start
  }
  return milliseconds
}

const challenges: readonly (readonly [string, string])[] = [
  ['ten thousand challenges', kilobytes(100, 'Bearer a=b, ')],
  ['parameters of one challenge', `Bearer ${kilobytes(120, 'k="v",')}`],
  ['names without values', kilobytes(70, 'a b=c, ')],
  ['a quoted string without an end', `Bearer error="${kilobytes(100, 'a')}`],
  ['escapes without an end', `Bearer error="${kilobytes(100, '\\"')}`],
  ['quotes', kilobytes(100, '"')],
  ['commas', kilobytes(100, ', ')],
  ['spaces', `Bearer${kilobytes(100, ' ')}x`],
  ['equals signs', `Bearer ${kilobytes(100, '=')}`],
  ['a token68', `Bearer ${kilobytes(100, 'a')}`],
]

test.for(challenges)('attack 68 91 a challenge of 100 KB of %s is read in no time, and the answer comes back', async ([, header]) => {
  const answer = () => new Response(null, { status: 401, headers: { 'www-authenticate': header } })
  expect(await took(() => challengeOf(answer()))).toBeLessThan(bound)
  const source = { token: async () => accessToken('a') }
  const api = oauthFetch(source, { resources: ['https://api.example/'], fetch: async () => answer() })
  expect(await took(async () => expect((await api('https://api.example/')).status).toBe(401))).toBeLessThan(bound)
})

const session = userSession({ issuer: 'https://auth.example', clientId: 'app', redirectUri: 'https://app.example/callback' })

const readers: readonly (readonly [string, (text: string) => unknown])[] = [
  ['an authorization response', (text) => session.resume(`https://app.example/callback?state=${encodeURIComponent(text)}`).catch(() => {})],
  [
    'a signed authorization response',
    (text) => session.resume(`https://app.example/callback?response=a.${encodeURIComponent(text)}.b`).catch(() => {}),
  ],
  ['an authorization response that is no URL', (text) => session.resume(text).catch(() => {})],
  ['a scope', parseScope],
  ['a JSON object', (text) => parseObject(`{"a":${JSON.stringify(text)}}`)],
  ['a stored record', decodeTokenRecord],
  ['stored requests', decodePendingRequests],
  [
    'an address of an API',
    (text) =>
      oauthFetch(
        { token: async () => accessToken('a') },
        { resources: ['https://api.example/v1/'], fetch: async () => new Response() },
      )(`https://api.example/v1/${encodeURI(text)}`).catch(() => {}),
  ],
]
const parts = ['a', ' ', '%2e%2e%2f', '/../', '"', '\\', '{', '[', '&a=b', 'ä', '%25252f;']

test.for(readers)('attack 91 %s of 1 MB is read in no time, whatever it is made of', async ([, read]) => {
  for (const part of parts) expect({ part, slow: (await took(() => read(kilobytes(1024, part)))) > bound }).toEqual({ part, slow: false })
})
