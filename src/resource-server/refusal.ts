import { bare } from '../core/secret.js'
import { proofAlgorithms } from '../protocol/dpop-proof-check.js'

/** What a request was refused for; in the words of RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9, and RFC 9470 section 3. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 503
  readonly error?:
    | 'invalid_request'
    | 'invalid_token'
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce'
    | 'insufficient_scope'
    | 'insufficient_user_authentication'
    | 'temporarily_unavailable'
  /** For the developer of the client. Nothing of the request is in it. */
  readonly description?: string
  readonly scope?: readonly string[]
  readonly acrValues?: readonly string[]
  readonly maxAgeSeconds?: number
}

export type Scheme = 'Bearer' | 'DPoP'

/** In seconds: long enough for an authorization server to come back, short enough for who waits. */
const retryAfter = '5'

/**
 * The response that says so, with the challenges of the schemes that would do, and the nonce that is to be repeated, where there is one. Pages of every
 * origin may read it: there is nothing in it but why, and the time, by which a client whose clock is wrong makes its next proof.
 */
export function refusalResponse(refusal: Refusal, schemes: readonly Scheme[], nonce: string | undefined): Response {
  const own = bare({ ...refusal })
  const { status, error, description } = own
  const headers = new Headers({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce, Date, Retry-After',
  })
  if (status === 503) headers.set('retry-after', retryAfter)
  else headers.set('www-authenticate', schemes.map((scheme) => challenge(scheme, own)).join(', '))
  if (nonce !== undefined) headers.set('dpop-nonce', nonce)
  const body =
    error === undefined ? { error: 'no_token', error_description: 'Send an access token.' } : { error, error_description: description }
  return new Response(JSON.stringify(body), { status, headers })
}

function challenge(scheme: Scheme, { error, description, scope, acrValues, maxAgeSeconds }: Refusal): string {
  const parameters: readonly (readonly [name: string, value: string | undefined])[] = [
    ['error', error],
    ['error_description', description],
    ['scope', scope?.join(' ')],
    ['acr_values', acrValues?.join(' ')],
    ['max_age', maxAgeSeconds?.toString()],
    ['algs', scheme === 'DPoP' ? proofAlgorithms.join(' ') : undefined],
  ]
  const said = parameters.flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]))
  return [scheme, said.join(', ')].filter((part) => part !== '').join(' ')
}
