import type { IdTokenParts, Json } from '../fault.js'
import {
  type Scenario,
  accepted,
  authorize,
  code,
  credentials,
  metadata,
  refresh,
  refusedIdToken,
  refusedMetadata,
  refusedTokens,
  renewal,
  resource,
  without,
} from '../scenario.js'

// The client modules of the OpenID Foundation's conformance suite, by its own names, as far as they apply. These are valetkey's own
// scenarios, made after the suite's list: no certification is claimed, and none follows.

const id = 'oidcc-client-test'

/** Changes the claims of the ID token. */
export const claims =
  (change: Json) =>
  (parts: IdTokenParts): IdTokenParts => ({ ...parts, claims: { ...parts.claims, ...change } })

export const leavesOut =
  (...names: string[]) =>
  (parts: IdTokenParts): IdTokenParts => ({ ...parts, claims: without(parts.claims, ...names) })

export const oidcModules: readonly Scenario[] = [
  accepted(`${id} the call arrives`, {}),
  accepted(
    `${id}-client-secret-basic the client says who it is by HTTP Basic`,
    {},
    { steps: ['client credentials'], requests: [metadata, credentials] },
  ),
  accepted(`${id}-idtoken-sig-rs256 is accepted`, {
    idToken: (header, payload) => ({ header: { ...header, alg: 'RS256' }, claims: payload }),
  }),
  refusedIdToken(`${id}-idtoken-sig-none an ID token without signature is refused`, (parts) => ({ ...parts, header: { alg: 'none' } })),
  refusedIdToken(`${id}-invalid-iss`, claims({ iss: 'https://another.example' })),
  refusedIdToken(`${id}-invalid-aud`, claims({ aud: 'another client' })),
  refusedIdToken(`${id}-missing-aud`, leavesOut('aud')),
  refusedIdToken(`${id}-missing-sub`, leavesOut('sub')),
  refusedIdToken(`${id}-missing-iat`, leavesOut('iat')),
  refusedIdToken(`${id}-invalid-sig-hs256 a signature by the client's secret, or by what is public`, (parts) => ({
    ...parts,
    header: { alg: 'HS256' },
  })),
  refusedIdToken(`${id}-nonce-invalid`, claims({ nonce: 'another' })),
  accepted(`${id}-nonce-unless-code-flow a nonce is sent in the code flow too`, {}),
  refusedIdToken(`${id}-invalid-athash`, claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })),
  accepted(`${id}-discovery-openid-config the document says where everything is`, {}),
  refusedMetadata(`${id}-discovery-issuer-mismatch`, 'issuer_mismatch', (document) => ({ ...document, issuer: 'https://another.example' })),
  accepted(`${id}-signing-key-rotation a key that nobody has seen`, {
    idToken: (header, payload) => ({ header: { ...header, kid: 'new' }, claims: payload }),
  }),
  accepted(`${id}-signing-key-rotation-just-before-signing`, {
    idToken: (_, payload) => ({ header: { alg: 'ES256', kid: 'newer' }, claims: payload }),
  }),
  accepted(`${id}-refresh-token`, {}, { steps: ['sign in', 'renew', 'call'], requests: [metadata, authorize, code, refresh, resource] }),
  renewal(`${id}-refresh-token-invalid-issuer`, 'id_token_invalid', {
    idToken: (header, payload) => ({ header, claims: { ...payload, iss: 'https://another.example' } }),
  }),
  renewal(
    `${id}-refresh-token-invalid-sub`,
    'sign_in_required',
    { idToken: (header, payload) => ({ header, claims: { ...payload, sub: 'bob' } }) },
    { kept: 'ended: user_changed' },
  ),
  refusedTokens(`${id} no ID token though openid was asked for`, 'id_token_invalid', { token: (body) => without(body, 'id_token') }),
]

/** Modules of section 3.1 that are not here, and why. */
export const oidcModulesElsewhere: Readonly<Record<string, string>> = {
  'invalid-sig-rs256, invalid-sig-es256':
    'in the code flow TLS stands for the signature (OpenID Connect Core 3.1.3.7, 6); the suite lets a client skip these',
  'kid-absent-single-jwks, kid-absent-multiple-jwks, discovery-jwks-uri-keys': 'the key set is never asked for: see attack 79',
  'missing-athash, invalid-chash, missing-chash': 'of the hybrid and the implicit flow, which valetkey does not have',
  'scope-userinfo-claims, userinfo-bearer-header, userinfo-bearer-body, userinfo-signed, userinfo-invalid-sub':
    'valetkey makes no UserInfo request of its own: a program that names the endpoint among `resources` calls it like any API, by header',
  'aggregated-claims, distributed-claims': 'the claims are handed out as they come; nothing is fetched for them',
  'discovery-webfinger-acct, discovery-webfinger-url': 'the issuer is configured, never looked up by an address',
  'dynamic-registration, request-uri-signed-none, request-uri-signed-rs256, form-post-error, 3rd-party-init-login':
    'features that valetkey does not have',
  'mtls-endpoint-aliases': 'with real certificates in test/protocol/confidential-client.test.ts (K12)',
  'rp-init-logout, rp-init-logout-no-state, rp-init-logout-other-state':
    'a page’s: test/session/sign-out.test.ts and test/chromium/session.test.ts (O22)',
  'rp-backchannel-rpinitlogout, rp-frontchannel-rpinitlogout, rp-frontchannel-opinitlogout, session-management':
    'features that valetkey does not have',
}
