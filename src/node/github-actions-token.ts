import { isSecure, parseAddress } from '../core/address.js'
import type { Client } from '../core/client.js'
import type { Assertion } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { ownMembers, text, wrongOption } from '../core/option.js'
import { bare } from '../core/secret.js'
import { exchange, withinDeadline } from '../protocol/exchange.js'
import { systemClock } from '../system-clock.js'

/** Ten seconds, as every exchange has. */
const runner: Pick<Client, 'clock' | 'deadline'> = { clock: systemClock, deadline: 10_000 }

/**
 * The OpenID Connect token that a GitHub Actions job may ask for, asked for anew for each token request; the job needs
 * `permissions: id-token: write`.
 * A request rejects with `invalid_configuration` where the job has not this permission, and with `network`, `timed_out`,
 * `server_unavailable`, `client_refused` or `token_response_invalid` where GitHub does not give a token.
 *
 * @param options `audience`: for whom the token is, which the authorization server compares
 * @throws OAuthError `invalid_configuration` without an audience
 *
 * @example
 * const clientAuthentication = clientAssertion(githubActionsToken({ audience: 'https://auth.example.com' }))
 */
export function githubActionsToken(options: { readonly audience: string }): Assertion {
  const audience = text(ownMembers(options, ['audience'], 'githubActionsToken'), 'audience')
  if (audience === undefined)
    throw wrongOption('audience', 'is missing: for whom the token is, such as the issuer of the authorization server.')
  return async () => {
    const { url, authorization } = fromEnvironment(audience)
    const request = bare({ url: url.href, method: 'GET' as const, headers: bare({ accept: 'application/json', authorization }) })
    const answer = await withinDeadline(runner, (signal) => exchange(runner, request, signal), 'GitHub')
    const value = answer.status === 200 && answer.mediaType === 'application/json' ? answer.body?.['value'] : undefined
    if (typeof value === 'string') return value
    throw refused(answer.status)
  }
}

/** Read at the call: an import looks at nothing. */
function fromEnvironment(audience: string): { readonly url: URL; readonly authorization: string } {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = process.env
  if (!address || !token) {
    throw new OAuthError(
      'invalid_configuration',
      'This job may not ask GitHub for a token. Give the job `permissions: id-token: write`; outside of GitHub Actions there is none.',
    )
  }
  const url = parseAddress(address)
  if (url === undefined || !isSecure(url)) {
    throw new OAuthError('invalid_configuration', 'ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL. Nothing was sent there.')
  }
  url.searchParams.set('audience', audience)
  return bare({ url, authorization: `Bearer ${token}` })
}

function refused(status: number): OAuthError {
  const what = `GitHub gave the job no token (status ${status}).`
  if (status === 0 || status === 408 || status === 429 || status >= 500) {
    return new OAuthError('server_unavailable', `${what} Try again later.`, status === 0 ? {} : { status })
  }
  if (status >= 400) return new OAuthError('client_refused', `${what} Check \`permissions: id-token: write\` and the audience.`, { status })
  return new OAuthError('token_response_invalid', `${what} The answer is not the one that is documented.`, { status })
}
