import { OAuthError } from '../core/errors.js'
import type { Answer } from './exchange.js'
import { readJws } from './jws.js'

export const identityAssertionType = 'urn:ietf:params:oauth:token-type:id-jag'

/**
 * The ID-JAG in an answer of a token exchange (draft-ietf-oauth-identity-assertion-authz-grant section 4.3.3). Here, and nowhere else, the
 * `token_type` is `N_A`: what comes is no access token, though its member is called so. Who takes it checks its signature; that it is one, and for
 * whom, is checked here, so that nothing else that this server may answer with is handed to another.
 * Throws `token_response_invalid`, with nothing of the answer in it.
 */
export function identityAssertionIn(answer: Answer, audience: string): string {
  if (answer.mediaType !== 'application/json') throw invalid('is not JSON by its content type')
  if (answer.body === undefined) throw invalid('is not a JSON object of at most 1 MiB')
  const { issued_token_type: issued, token_type: type, access_token: text } = answer.body
  if (issued !== identityAssertionType) throw invalid(`has an issued_token_type that is not ${identityAssertionType}`)
  if (typeof type !== 'string' || type.toLowerCase() !== 'n_a') throw invalid('has a token_type that is not N_A')
  const jws = typeof text === 'string' ? readJws(text) : undefined
  if (typeof text !== 'string' || jws === undefined) throw invalid('has no signed JWT')
  const { typ } = jws.header
  if (typeof typ !== 'string' || !/^(?:application\/)?oauth-id-jag\+jwt$/i.test(typ))
    throw invalid('has a JWT that is no ID-JAG by its typ')
  // One alone: at another authorization server it could be used too.
  const { aud } = jws.claims
  if (aud !== audience && !(Array.isArray(aud) && aud.length === 1 && aud[0] === audience))
    throw invalid('has an ID-JAG for another audience')
  return text
}

function invalid(what: string): OAuthError {
  return new OAuthError(
    'token_response_invalid',
    `The token exchange response ${what}. Nothing of it is kept. Ask who runs the identity provider.`,
  )
}
