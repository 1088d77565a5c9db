import { expect, test } from 'vitest'
import { fapiModules, fapiModulesElsewhere } from './scenarios/fapi-modules.js'
import { oidcModules, oidcModulesElsewhere } from './scenarios/oidc-modules.js'

// Every client module of the suite's two lists has a scenario under its name, or a reason why it has none.

const oidc = `client-secret-basic idtoken-sig-rs256 idtoken-sig-none invalid-iss invalid-aud missing-aud missing-sub missing-iat invalid-sig-rs256
invalid-sig-es256 invalid-sig-hs256 kid-absent-single-jwks kid-absent-multiple-jwks nonce-invalid nonce-unless-code-flow invalid-athash missing-athash
invalid-chash missing-chash scope-userinfo-claims userinfo-bearer-header userinfo-bearer-body userinfo-signed userinfo-invalid-sub aggregated-claims
distributed-claims discovery-openid-config discovery-jwks-uri-keys discovery-issuer-mismatch discovery-webfinger-acct discovery-webfinger-url
dynamic-registration request-uri-signed-none request-uri-signed-rs256 form-post-error 3rd-party-init-login mtls-endpoint-aliases signing-key-rotation
signing-key-rotation-just-before-signing refresh-token refresh-token-invalid-issuer refresh-token-invalid-sub rp-init-logout rp-init-logout-no-state
rp-init-logout-other-state rp-backchannel-rpinitlogout rp-frontchannel-rpinitlogout rp-frontchannel-opinitlogout session-management`

const fapi = `happy-path happy-path-no-dpop-nonce refresh-token-test token-endpoint-response-without-expires_in token-type-case-insensitivity
rs-dpop-auth-scheme-case-insensitivity valid-aud-as-array invalid-authorization-response-iss remove-authorization-response-iss
ensure-authorization-response-with-invalid-state-fails ensure-authorization-response-with-invalid-missing-state-fails discovery-issuer-mismatch
invalid-iss invalid-aud invalid-secondary-aud invalid-missing-iss invalid-missing-aud invalid-missing-exp invalid-missing-nonce invalid-nonce
invalid-expired-exp invalid-null-alg invalid-alternate-alg invalid-openbanking-intent-id ensure-jarm-signature-is-not-none ensure-jarm-with-invalid-sig
ensure-jarm-with-invalid-iss ensure-jarm-with-invalid-aud ensure-jarm-with-expired-exp ensure-jarm-without-iss ensure-jarm-without-aud
ensure-jarm-without-exp brazildcr-happypath`

test.for([
  ['OpenID Connect', 'oidcc-client-test', oidc, oidcModules, oidcModulesElsewhere],
  ['FAPI 2.0', 'fapi2-security-profile-final-client-test', fapi, fapiModules, fapiModulesElsewhere],
] as const)('every client module of %s has a scenario, or a reason', ([, prefix, list, scenarios, elsewhere]) => {
  const shown = new Set(scenarios.map(({ name }) => name.split(' ', 1)[0]))
  const explained = new Set(Object.keys(elsewhere).flatMap((names) => names.split(', ')))
  const modules = list.split(/\s+/)
  expect(modules.filter((name) => !shown.has(`${prefix}-${name}`) && !explained.has(name))).toEqual([])
  // Neither says what the other says, nor a name that the suite has not.
  expect([...explained].filter((name) => shown.has(`${prefix}-${name}`) || !modules.includes(name))).toEqual([])
  expect([...shown].filter((name) => name !== prefix && !modules.includes(name?.slice(prefix.length + 1) ?? ''))).toEqual([])
})
