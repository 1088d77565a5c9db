import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asksForAnotherToken, challengeOf } from '../../../src/core/challenge.js'
import { OAuthError } from '../../../src/core/errors.js'
import { isScopeToken } from '../../../src/core/scope.js'
import { accessToken, oauthFetch } from '../../../src/index.js'
import { expectNoMarker, marker } from '../../support/marker.js'
import { expectClean, madeOf, nastyText } from './inputs.js'

const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)

const word = (list: string): readonly string[] => list.split(' ')

const quoted = madeOf([...word('a b:c invalid_token insufficient_scope 600 \\" \\\\ ä , https://api.example/x ='), ' ', marker]).map(
  (text) => `"${text}"`,
)
const parameter = fc
  .tuple(
    fc.constantFrom(...word('error scope max_age acr_values resource_metadata realm SCOPE')),
    fc.oneof(quoted, nastyText, fc.constantFrom('invalid_token', '60')),
  )
  .map(([name, value]) => `${name}=${value}`)
const challenge = fc
  .tuple(fc.constantFrom('Bearer', 'bearer', 'DPoP', 'Basic', ''), fc.array(parameter, { maxLength: 4 }))
  .map(([scheme, parameters]) => `${scheme} ${parameters.join(', ')}`)
const header = fc.oneof(
  fc.array(challenge, { maxLength: 3 }).map((all) => all.join(', ')),
  madeOf([...word('Bearer DPoP Basic , = " \\" \\ error invalid_token scope max_age 600 realm'), ' ', '\t', marker]),
  nastyText,
)

test('of any WWW-Authenticate value nothing is read but what can be asked for again', () => {
  fc.assert(
    fc.property(header, fc.constantFrom(401, 403, 200, 500), (text, status) => {
      // By its members: what no Response can have, some other fetch may bring.
      const response = { status, headers: { get: () => text } } as unknown as Response
      expect(typeof asksForAnotherToken(response, 'Bearer')).toBe('boolean')
      const { scope = [], acrValues = [], maxAgeSeconds = 0, resourceMetadata } = challengeOf(response) ?? {}
      expect([...scope, ...acrValues].every((value) => isScopeToken(value))).toBe(true)
      expect(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0).toBe(true)
      if (resourceMetadata !== undefined) expect(new URL(resourceMetadata).protocol).toMatch(/^https?:$/)
    }),
    { numRuns: runs },
  )
})

const resource = 'https://api.example/v1'
const pathPart = madeOf(word('notes / .. . %2e %2f %5c %25 2f \\ ; ? # % v1 evil'))
const address = fc.oneof(
  pathPart.map((path) => `${resource}${path}`),
  pathPart.map((path) => `${resource}/${path}`),
  // Part by part: an address, most of which is right.
  fc
    .tuple(
      fc.constantFrom('https://', 'https://', 'https://', 'http://', 'HTTPS:\\\\', 'https:', 'blob:https://', ' https://', '//'),
      fc.constantFrom('', '', '', 'ann@', 'ann:x@', '@', ':@', 'api.example@', 'evil.example/'),
      fc.constantFrom(
        'api.example',
        'api.example',
        'API.example',
        'api.example.',
        'ａｐｉ.example',
        'api。example',
        'api\u00ad.example',
        'evil.example',
        'api.example.evil',
      ),
      fc.constantFrom('', '', '', ':443', ':8443', ':0443', ':', '@evil.example', '\\@evil.example', '#@evil.example'),
      fc.constantFrom('/v1', '/v1/', '/V1', '/v1evil', '/v1/../v2', '/v1/%2e%2e/v2', '\\v1', '/%76%31', '', '/v1;x/'),
      pathPart,
    )
    .map((parts) => parts.join('')),
  madeOf([...word('https:// http:// blob: api.example evil.example . @ : 443 / \\ v1 .. %2e %2f ; ? # xn-- 。'), '\t', '\n', ' ', marker]),
)

/** Whether this is below the resource for who decodes as often as it can be decoded, and then walks the path. */
function isBelow(text: string): boolean {
  const url = new URL(text)
  let path = url.pathname
  for (let round = 0; round < 20; round += 1) path = path.replaceAll(/%25|%2f|%5c|%2e|%3b/gi, (one) => decodeURIComponent(one))
  const walked: string[] = []
  for (const segment of path.split(/[/\\]/)) {
    if (/^\.\.(?:;|$)/.test(segment)) walked.pop()
    else walked.push(segment)
  }
  return url.origin === 'https://api.example' && url.username === '' && url.password === '' && walked[1] === 'v1'
}

/** An oauthFetch with a fetch of ours, and the addresses that got the token. */
function watched(answer: (nth: number) => Response): { readonly api: typeof fetch; readonly carried: string[] } {
  const carried: string[] = []
  const api = oauthFetch(
    { token: async () => accessToken(marker) },
    {
      resources: [resource],
      fetch: async (input, init) => {
        if (new Headers(init?.headers).has('authorization')) carried.push(String(input))
        return answer(carried.length)
      },
    },
  )
  return { api, carried }
}

test('whatever address is called, the token goes below its resource and nowhere else', async () => {
  let carriedIn = 0
  await fc.assert(
    fc.asyncProperty(address, async (text) => {
      const { api, carried } = watched(() => new Response())
      await api(text).catch(expectClean)
      expect(carried.filter((one) => !isBelow(one))).toEqual([])
      carriedIn += carried.length
    }),
    { numRuns: runs },
  )
  expect(carriedIn).toBeGreaterThan(runs / 50)
})

test('whatever address a redirect leads to, the token goes below its resource and nowhere else', async () => {
  const location = fc.oneof(address, nastyText).filter((text) => /^[\x20-\x7E]*$/.test(text))
  let followed = 0
  await fc.assert(
    fc.asyncProperty(location, fc.constantFrom(301, 302, 303, 307, 308), async (text, status) => {
      const { api, carried } = watched((nth) => (nth === 1 ? new Response(null, { status, headers: { location: text } }) : new Response()))
      // The Location is the server's word; the token must not be in the error.
      const error = await api(`${resource}/notes`, { method: 'POST', body: 'text' }).catch((thrown: unknown) => thrown)
      if (error instanceof OAuthError && !text.toLowerCase().includes(marker.toLowerCase())) expectNoMarker(error)
      expect(error).toSatisfy((one) => one instanceof Response || one instanceof OAuthError)
      expect(carried.filter((one) => !isBelow(one))).toEqual([])
      if (carried.length === 2) followed += 1
    }),
    { numRuns: runs },
  )
  expect(followed).toBeGreaterThan(runs / 50)
})
