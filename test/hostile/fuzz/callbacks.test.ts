import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PendingRequest } from '../../../src/core/pending-request.js'
import { Secret, bare } from '../../../src/core/secret.js'
import { userSession } from '../../../src/index.js'
import { authorizationCode } from '../../../src/protocol/authorization-response.js'
import { testClient } from '../../support/client.js'
import { marker } from '../../support/marker.js'
import { expectClean, madeOf, nastyText } from './inputs.js'

const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)
const issuer = 'https://auth.example'
const redirectUri = 'https://app.example/callback'

const address = madeOf([
  'https://',
  'app.example',
  '/callback',
  '?',
  '&',
  '#',
  '=',
  'code=',
  'state=',
  'iss=',
  marker,
  'error=',
  '@',
  ':',
  '%',
  '/',
  '\\',
  ' ',
  'access_token=',
  'response=',
  'eyJzdGF0ZSI6InMifQ',
  '.',
])

test('any address that is handed in is refused by name, and nothing of it is said', async () => {
  const client = {
    authorizationServer: { issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t` },
    clientId: 'app',
    redirectUri,
  }
  let sent = 0
  const said: unknown[] = []
  const session = userSession({
    ...client,
    fetch: () => Promise.reject(new Error(String(++sent))),
    observe: (event) => void said.push(event),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        address,
        address.map((text) => `${redirectUri}?${text}`),
        nastyText,
      ),
      async (text) => {
        const error = await session.resume(text).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        expectClean(error)
        expect(sent).toBe(0)
        expect(JSON.stringify(said.splice(0))).not.toContain(marker)
      },
    ),
    { numRuns: runs },
  )
})

test('of any response to a request that waits nothing is taken but one code, with its one state, of its issuer', async () => {
  const state = 'the-state-of-the-request'
  const pending = bare<PendingRequest>({
    state: Secret.of(state),
    codeVerifier: Secret.of(marker),
    issuer,
    clientId: 'app',
    owner: 'key',
    redirectUri,
    scope: [],
    resource: [],
    createdAt: 0,
  })
  const client = testClient({ issuer })
  const values = new Map(
    Object.entries({
      state: fc.oneof({ weight: 6, arbitrary: fc.constant(state) }, nastyText),
      iss: fc.oneof({ weight: 4, arbitrary: fc.constant(issuer) }, fc.constant(`${issuer}/`), nastyText),
      code: fc.oneof({ weight: 4, arbitrary: fc.constant(`code-${marker}`) }, nastyText),
    }),
  )
  const parameter = fc
    .constantFrom(
      'state',
      'state',
      'iss',
      'code',
      'code',
      'error',
      'error_description',
      'error_uri',
      'response',
      'access_token',
      'id_token',
      'x',
      '__proto__',
    )
    .chain((name) => fc.tuple(fc.constant(name), values.get(name) ?? nastyText))
  const right = fc.constant<[string, string][]>([['state', state], ['code', `code-${marker}`]]) // prettier-ignore
  const parameters = fc.oneof(
    fc.array(parameter, { maxLength: 6 }),
    fc.tuple(right, fc.array(parameter, { maxLength: 2 })).map((two) => two.flat()),
  )
  let taken = 0
  await fc.assert(
    fc.asyncProperty(parameters, fc.boolean(), async (said, promisesIss) => {
      const response = new URL(redirectUri)
      for (const [name, value] of said) response.searchParams.append(name, value)
      // A parameter without a value counts as left out (RFC 6749 section 3.1).
      const all = (name: string) => response.searchParams.getAll(name).filter((value) => value !== '')
      try {
        const server = { issuer, authorization_response_iss_parameter_supported: promisesIss }
        const code = await authorizationCode(client, server, pending, response)
        taken += 1
        expect([all('state'), all('code'), all('error')]).toEqual([[state], [code.reveal()], []])
        expect(promisesIss ? [[issuer]] : [[issuer], []]).toContainEqual(all('iss'))
        expect(['access_token', 'id_token', 'response'].flatMap(all)).toEqual([])
      } catch (error) {
        expectClean(error)
      }
    }),
    { numRuns: runs },
  )
  expect(taken).toBeGreaterThan(runs / 50)
})
