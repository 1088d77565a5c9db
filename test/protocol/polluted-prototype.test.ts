import { afterEach, expect, test } from 'vitest'
import { finishAuthorization, startAuthorization } from '../../src/grants/authorization-code.js'
import { prepareRenewal } from '../../src/grants/refresh-token.js'
import { Secret, bare } from '../../src/core/secret.js'
import { revoke } from '../../src/protocol/revocation.js'
import { metadata, testClient } from '../support/client.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { recordOf } from '../support/renewal.js'
import { redirectUri, responseTo } from '../support/sign-in.js'

// Attack 45: somebody's library let `Object.prototype` be written to. Nothing that valetkey sends or believes may change.

const prototype = Object.prototype as unknown as Record<PropertyKey, unknown>
const added: PropertyKey[] = []

function pollute(members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    added.push(name)
    prototype[name] = value
  }
}

function clean(): void {
  for (const name of added.splice(0)) delete prototype[name]
}

afterEach(clean)

const volatile = new Set(['state', 'nonce', 'code_challenge', 'code_verifier'])

/** What is the same in two runs of the same thing. */
function steady(parameters: URLSearchParams): string {
  return [...parameters].map(([name, value]) => (volatile.has(name) ? name : `${name}=${value}`)).join('&')
}

const origin = 'https://as.example'

/**
 * A fetch that answers for the server and writes down what it was asked, reading its options as any fetch would: inherited ones too.
 * (A real server would run in this process, and be polluted itself.)
 */
function scripted() {
  const sent: string[] = []
  const answers: Record<string, unknown> = {}
  const fetch = async (url: string, init: Record<string, unknown>) => {
    const { pathname } = new URL(url)
    const options: string[] = []
    for (const name in init) options.push(name === 'headers' || name === 'body' ? name : `${name}=${String(init[name])}`)
    const headers: string[] = []
    for (const name in init['headers'] as object) headers.push(name)
    sent.push(
      [url, options.toSorted(), headers.toSorted(), steady(new URLSearchParams((init['body'] as string | null) ?? ''))].flat().join(' '),
    )
    return new Response(JSON.stringify(answers[pathname]), bare({ status: 200, headers: bare({ 'content-type': 'application/json' }) }))
  }
  return { sent, answers, fetch: fetch as unknown as typeof globalThis.fetch }
}

/** A sign-in, a renewal and a revocation, as they look on the wire, and what comes of them. */
async function life(evil: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { sent, answers, fetch } = scripted()
  answers['/.well-known/oauth-authorization-server'] = bare(metadata(origin))
  answers['/revoke'] = bare({})
  const client = testClient({ issuer: origin, fetch })
  const request = { owner: 'key', redirectUri, scope: ['openid'] }
  const record = recordOf(client)
  pollute(evil)
  try {
    const { url, pending } = await startAuthorization(client, request)
    const id_token = jwt(bare(claimsFor(origin, pending.nonce?.reveal(), Date.now())), bare({ alg: 'RS256' }))
    answers['/token'] = bare({ access_token: 'at', token_type: 'Bearer', id_token })
    const answer = await finishAuthorization(client, pending, responseTo(pending))
    answers['/token'] = bare({ access_token: 'at2', token_type: 'Bearer' })
    const outcome = await (await prepareRenewal(client)(record, {})).send()
    const revoked = await revoke(client, Secret.of('rt'), 'refresh_token')
    return bare({
      url: `${url.origin}${url.pathname}?${steady(url.searchParams)}`,
      answer: [
        Object.keys(answer).toSorted(),
        answer.accessToken.reveal(),
        answer.refreshToken?.reveal(),
        answer.scope,
        answer.idTokenClaims?.sub,
      ],
      renewed: outcome.ok ? [Object.keys(outcome.answer).toSorted(), outcome.answer.accessToken.reveal()] : outcome.error,
      revoked,
      sent,
    })
  } finally {
    clean()
  }
}

test.for<readonly [string, (evil: string) => Readonly<Record<string, unknown>>]>([
  [
    'the aliases for mutual TLS',
    (evil) => ({
      use_mtls_endpoint_aliases: true,
      mtls_endpoint_aliases: { token_endpoint: `${evil}/t`, revocation_endpoint: `${evil}/t` },
    }),
  ],
  ['additionalParameters', () => ({ additionalParameters: { scope: 'admin' } })],
  ['headers', () => ({ headers: { 'x-evil': '1', authorization: 'Bearer evil' } })],
  [
    'options of fetch',
    (evil) => ({
      body: 'evil',
      method: 'PUT',
      referrer: evil,
      mode: 'no-cors',
      keepalive: true,
      duplex: 'half',
      dispatcher: {},
      integrity: 'x',
    }),
  ],
  ['an aborted signal', () => ({ signal: AbortSignal.abort() })],
  ['a DPoP handle', () => ({ DPoP: { addProof: () => {} } })],
  ['recognizedTokenTypes', () => ({ recognizedTokenTypes: {} })],
  ['what a client says of itself', () => ({ id_token_signed_response_alg: 'none', require_auth_time: true, default_max_age: 0 })],
  [
    'metadata',
    (evil) => ({
      token_endpoint: `${evil}/t`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['none'],
      code_challenge_methods_supported: ['plain'],
      require_pushed_authorization_requests: true,
      pushed_authorization_request_endpoint: `${evil}/par`,
      require_signed_request_object: true,
      end_session_endpoint: evil,
    }),
  ],
  [
    'where the server is',
    (evil) => ({
      discoveryUrl: `${evil}/doc`,
      additionalMetadata: { introspection_endpoint: evil },
      metadata: { issuer: evil, token_endpoint: `${evil}/t` },
    }),
  ],
  [
    'the options of a client',
    (evil) => ({
      fetch: () => fetch(evil),
      audience: 'evil',
      dpop: true,
      pushedAuthorizationRequests: true,
      signedRequests: {},
      signedResponses: {},
      signedResponse: true,
      tokenParameters: { scope: 'admin' },
      quirks: new Set(['json_as_text']),
    }),
  ],
  [
    'the options of a request',
    () => ({
      resource: 'https://evil.example',
      scope: ['admin'],
      prompt: 'none',
      loginHint: 'mallory',
      returnTo: '/evil',
      authorizationParameters: { request_uri: 'x' },
      maxAgeSeconds: 0,
    }),
  ],
  [
    'members of an answer',
    () => ({
      refresh_token: 'evil',
      scope: 'admin',
      expires_in: 1,
      error: 'invalid_grant',
      authorization_details: [{ type: 'evil' }],
      azp: 'evil',
      at_hash: 'evil',
      auth_time: 1,
    }),
  ],
  ['jweDecrypt, expectedNonce and their kin', () => ({ expectedNonce: 'evil', maxAge: 0, algorithm: 'oauth2', requestJwtResponse: true })],
])('attack 45: %s on Object.prototype changes nothing', async ([, members]) => {
  const plain = await life({})
  expect(plain).toMatchObject({ renewed: [expect.anything(), 'at2'], revoked: 'revoked' })
  expect(await life(members('https://evil.example'))).toEqual(plain)
})

test('attack 45: a polluted then or toJSON is not called with what carries a Secret', async () => {
  const { answers, fetch } = scripted()
  const carried: unknown[] = []
  const secrets = ['accessToken', 'answer', 'pending', 'codeVerifier', 'reveal', 'refreshToken', 'body']
  const spy = function (this: unknown) {
    if (typeof this === 'object' && this !== null && !(this instanceof Response) && secrets.some((name) => name in this)) carried.push(this)
    return undefined
  }
  const client = testClient({ authorizationServer: metadata(origin), fetch })
  const record = recordOf(client)
  for (const name of ['then', 'toJSON']) Object.defineProperty(prototype, name, { configurable: true, get: spy })
  try {
    const { pending } = await startAuthorization(client, { owner: 'key', redirectUri, scope: ['a'] })
    answers['/token'] = bare({ access_token: 'at', token_type: 'Bearer', refresh_token: 'rt' })
    await finishAuthorization(client, pending, responseTo(pending))
    const outcome = await (await prepareRenewal(client)(record, {})).send()
    expect(outcome.ok).toBe(true)
  } finally {
    delete prototype['then']
    delete prototype['toJSON']
  }
  expect(carried).toEqual([])
})
