import type { Fault, Parameter } from '../fault.js'
import {
  type Scenario,
  accepted,
  authorize,
  code,
  keys,
  metadata,
  push,
  refresh,
  refusedIdToken,
  refusedMetadata,
  refusedResponse,
  resource,
  without,
} from '../scenario.js'
import { claims, leavesOut } from './oidc-modules.js'

// The same of the FAPI 2.0 Final client modules.

const id = 'fapi2-security-profile-final-client-test'

export const withParameter =
  (name: string, value: string) =>
  (parameters: readonly Parameter[]): readonly Parameter[] => [...parameters.filter(([other]) => other !== name), [name, value]]

export const withoutParameter =
  (...names: string[]) =>
  (parameters: readonly Parameter[]): readonly Parameter[] =>
    parameters.filter(([name]) => !names.includes(name))

const now = (): number => Math.floor(Date.now() / 1_000)

export const fapiModules: readonly Scenario[] = [
  accepted(
    `${id}-happy-path with bound tokens, and nonces at the token endpoint and the API`,
    { nonce: (endpoint) => `${endpoint}-nonce` },
    { setting: { dpop: true }, requests: [metadata, authorize, code, code, resource, resource] },
  ),
  accepted(
    `${id}-happy-path with a pushed request, bound tokens, and nonces of the authorization server and the API`,
    { nonce: (endpoint) => (endpoint === 'resource' ? 'resource-nonce' : 'token-nonce') },
    { setting: { dpop: true, pushed: true }, requests: [metadata, push, push, authorize, code, resource, resource] },
  ),
  accepted(`${id}-happy-path-no-dpop-nonce`, {}, { setting: { dpop: true } }),
  accepted(
    `${id}-happy-path-no-dpop-nonce with a pushed request`,
    {},
    { setting: { dpop: true, pushed: true }, requests: [metadata, push, authorize, code, resource] },
  ),
  accepted(
    `${id}-rs-dpop-auth-scheme-case-insensitivity of the challenge`,
    {
      nonce: (endpoint) => `${endpoint}-nonce`,
      resource: ({ headers, ...answer }) => ({
        ...answer,
        headers: { ...headers, ...('dpop-nonce' in headers ? { 'www-authenticate': 'dPOP error="use_dpop_nonce"' } : {}) },
      }),
    },
    { setting: { dpop: true }, requests: [metadata, authorize, code, code, resource, resource] },
  ),
  accepted(
    `${id}-refresh-token-test an API that answers 401 gets a new token, once`,
    { resource: (answer, _, __, nth) => (nth === 0 ? { ...answer, status: 401 } : answer) },
    { requests: [metadata, authorize, code, resource, refresh, resource] },
  ),
  accepted(`${id}-token-endpoint-response-without-expires_in`, { token: (body) => without(body, 'expires_in') }),
  accepted(`${id}-token-type-case-insensitivity`, { token: (body) => ({ ...body, token_type: 'bEARER' }) }),
  accepted(`${id}-valid-aud-as-array`, {
    idToken: (header, payload) => ({ header, claims: { ...payload, aud: [payload['aud']] } }),
  }),
  refusedResponse(
    `${id}-invalid-authorization-response-iss`,
    'authorization_response_invalid',
    withParameter('iss', 'https://another.example'),
  ),
  refusedResponse(`${id}-remove-authorization-response-iss`, 'authorization_response_invalid', withoutParameter('iss')),
  refusedResponse(
    `${id}-ensure-authorization-response-with-invalid-state-fails`,
    'authorization_response_invalid',
    withParameter('state', 'another'),
    { kept: 'a pending request' },
  ),
  refusedResponse(
    `${id}-ensure-authorization-response-with-invalid-missing-state-fails`,
    'authorization_response_invalid',
    withoutParameter('state'),
    { kept: 'a pending request' },
  ),
  refusedMetadata(`${id}-discovery-issuer-mismatch`, 'issuer_mismatch', (document) => ({
    ...document,
    issuer: `${String(document['issuer'])}/`,
  })),
  refusedIdToken(`${id}-invalid-iss`, claims({ iss: 'https://another.example' })),
  refusedIdToken(`${id}-invalid-aud`, claims({ aud: 'another' })),
  refusedIdToken(`${id}-invalid-secondary-aud`, claims({ aud: ['app', 'another'] })),
  refusedIdToken(`${id}-invalid-missing-iss`, leavesOut('iss')),
  refusedIdToken(`${id}-invalid-missing-aud`, leavesOut('aud')),
  refusedIdToken(`${id}-invalid-missing-exp`, leavesOut('exp')),
  refusedIdToken(`${id}-invalid-missing-nonce`, leavesOut('nonce')),
  refusedIdToken(`${id}-invalid-nonce`, claims({ nonce: 'another' })),
  refusedIdToken(`${id}-invalid-expired-exp more than five minutes ago`, (parts) => claims({ exp: now() - 301, iat: now() - 900 })(parts)),
  refusedIdToken(`${id}-invalid-null-alg`, (parts) => ({ ...parts, header: { alg: null } })),
  refusedIdToken(`${id}-invalid-alternate-alg one that the server does not list`, (parts) => ({ ...parts, header: { alg: 'PS512' } })),
  accepted(
    `${id}-happy-path with a signed response`,
    {},
    { setting: { signedResponses: true }, requests: [metadata, authorize, keys, code, resource] },
  ),
  refusedSignature(`${id}-ensure-jarm-signature-is-not-none`, (parts) => ({ ...parts, header: { alg: 'none' } })),
  refusedSignature(`${id}-ensure-jarm-with-invalid-sig`, (parts) => ({ ...parts, signature: Buffer.alloc(256, 7).toString('base64url') }), [
    keys,
  ]),
  refusedSignature(`${id}-ensure-jarm-with-invalid-iss`, claims({ iss: 'https://another.example' })),
  refusedSignature(`${id}-ensure-jarm-with-invalid-aud`, claims({ aud: 'another' })),
  refusedSignature(`${id}-ensure-jarm-with-expired-exp`, (parts) => claims({ exp: now() - 301 })(parts)),
  refusedSignature(`${id}-ensure-jarm-without-iss`, leavesOut('iss')),
  refusedSignature(`${id}-ensure-jarm-without-aud`, leavesOut('aud')),
  refusedSignature(`${id}-ensure-jarm-without-exp`, leavesOut('exp')),
]

/** The signed response is refused: nothing of it is used. */
function refusedSignature(name: string, signedResponse: NonNullable<Fault['signedResponse']>, asked: readonly string[] = []): Scenario {
  return {
    name,
    fault: { signedResponse },
    setting: { signedResponses: true },
    steps: ['sign in', 'call'],
    result: 'authorization_response_invalid',
    requests: [metadata, authorize, ...asked],
    kept: 'nothing',
  }
}

/** Modules of section 3.2 that are not here, and why. */
export const fapiModulesElsewhere: Readonly<Record<string, string>> = {
  'invalid-openbanking-intent-id': 'a profile of the United Kingdom',
  'brazildcr-happypath': 'a profile of Brazil',
}
