import { isSecure, parseAddress } from '../core/address.js'
import type { AuthorizationServer, ClientSettings } from '../core/client.js'
import { clientOptions, readClient } from '../core/client-options.js'
import type { Assertion } from '../core/credentials.js'
import { ownMembers, text, wrongOption } from '../core/option.js'
import { systemClock } from '../system-clock.js'
import { readAssertion, speaking, speaksFor } from './assertion-subject.js'

export interface IdentityAssertionSettings extends Omit<ClientSettings, 'audience' | 'dpop' | 'store' | 'lock'> {
  /** The issuer of the authorization server that is to take it. */
  readonly audience: string
  /** What says who the user is, as their identity provider gave it to this client. */
  readonly subjectToken: Assertion
  /** Default: an ID token, `urn:ietf:params:oauth:token-type:id_token`. */
  readonly subjectTokenType?: string | undefined
}

const known = [...clientOptions.filter((name) => !['dpop', 'store', 'lock'].includes(name)), 'subjectToken', 'subjectTokenType']

/**
 * The user's identity, asserted by their identity provider to the authorization server of another application: an ID-JAG (Identity Assertion JWT
 * Authorization Grant, draft-ietf-oauth-identity-assertion-authz-grant). It is the `assertion` of `jwtBearer` there, for which a fresh one is asked
 * for each time, because a server may take each only once. It is no access token: it is kept nowhere, and no API sees it.
 *
 * Issuer and client are those at the identity provider; `audience` is the issuer there, `resource` and `scope` what is wanted there. One user a
 * function: a program that acts for several has a source for each.
 *
 * It rejects, and with it `jwtBearer`, with `client_refused`, `scope_refused`, `resource_refused`, with `request_refused` where the identity provider
 * does not take the subject token (`invalid_grant`: the user signs in there again) or has a policy against it, and with `token_response_invalid`
 * where what comes is no ID-JAG for this audience.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const source = jwtBearer({
 *   issuer: 'https://chat.example',
 *   clientId: 'wiki-at-chat',
 *   clientAuthentication: clientSecretBasic(() => process.env['CHAT_SECRET']!),
 *   assertion: identityAssertion({
 *     issuer: 'https://acme.idp.example',
 *     clientId: 'wiki',
 *     clientAuthentication: clientSecretBasic(() => process.env['IDP_SECRET']!),
 *     audience: 'https://chat.example',
 *     scope: ['chat:read'],
 *     subjectToken: async () => (await readFile('/run/users/ann/id-token', 'utf8')).trim(),
 *   }),
 * })
 */
export function identityAssertion(options: AuthorizationServer & IdentityAssertionSettings): () => Promise<string> {
  const client = readClient(options, known, { clock: systemClock }, 'identityAssertion')
  const members = ownMembers(options, known, 'identityAssertion')
  const { audience } = client
  const address = parseAddress(audience)
  if (audience === undefined || address === undefined || !isSecure(address))
    throw wrongOption('audience', 'must be the issuer of the authorization server that takes the assertion: an https URL.')
  const subjectToken = readAssertion(members, 'subjectToken')
  const subjectTokenType = text(members, 'subjectTokenType') ?? 'urn:ietf:params:oauth:token-type:id_token'
  return speaking(
    async () => {
      const { requestIdentityAssertion } = await import('../grants/identity-assertion.js')
      return requestIdentityAssertion(client, { audience, subjectToken, subjectTokenType })
    },
    async () => {
      const { server, clientId, scope, resource } = client
      const about = [server.issuer, clientId, audience, subjectTokenType, scope.join(' '), resource.join(' ')]
      return ['id-jag', ...about, ...(await speaksFor(subjectToken, client))]
    },
  )
}
