import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { isScopeToken, parseScope } from '../core/scope.js'
import { Secret, bare, present } from '../core/secret.js'
import type { AuthorizationDetail, TokenAnswer } from '../core/token-record.js'
import type { Answer } from './exchange.js'
import { type IdTokenExpectation, idTokenClaims } from './id-token.js'
import { type JsonObject, objectOf } from './json.js'
import type { ServerMetadata } from './library.js'

/** Milliseconds. No token is believed to live longer: what is beyond it is a mistake, and no timer or date can count it. */
const longestLifetime = 10 * 365 * 24 * 60 * 60_000

/**
 * What a success of the token endpoint says (RFC 6749 section 5.1), checked member by member; what it says besides is ignored.
 * Rejects with `token_response_invalid`; with `id_token_invalid` and `different_user` where an ID token is expected.
 */
export async function tokenAnswer(
  client: Client,
  server: ServerMetadata,
  answer: Answer,
  { idToken, issuedTokenType }: { readonly idToken?: IdTokenExpectation | undefined; readonly issuedTokenType?: 'required' },
  boundTo?: string,
): Promise<TokenAnswer> {
  if (answer.mediaType !== 'application/json') throw invalid('is not JSON by its content type')
  if (answer.tooLarge) throw invalid('is larger than 1 MiB')
  if (answer.body === undefined) throw invalid('is not a JSON object')
  const { body } = answer
  if (issuedTokenType === 'required') checkIssuedTokenType(body)
  const tokenType = tokenTypeOf(body, client.dpop)
  const accessToken = text(body, 'access_token', /^[\x21-\x7E]+$/)
  if (accessToken === undefined) throw invalid('has no access_token')
  const openid = idToken === undefined ? undefined : await openidMembers(client, server, answer, accessToken, idToken)
  const refreshToken = text(body, 'refresh_token', /^[\x20-\x7E]+$/)
  return present<TokenAnswer>({
    accessToken: Secret.of(accessToken),
    tokenType,
    scope: scopeOf(body),
    lifetime: lifetimeOf(body),
    refreshTokenLifetime: lifeSaid(body, 'refresh_token_timeout') ?? lifeSaid(body, 'refresh_token_expires_in'),
    authorizationLifetime: lifeSaid(body, 'authorization_expires_in'),
    refreshToken: refreshToken === undefined ? undefined : Secret.of(refreshToken),
    idToken: openid?.idToken,
    idTokenClaims: openid?.idTokenClaims,
    authorizationDetails: authorizationDetailsOf(body),
    serverTime: answer.serverTime,
    boundTo,
  })
}

/** Without `openid` in the request an ID token is one of the members to ignore. */
async function openidMembers(
  client: Client,
  server: ServerMetadata,
  answer: Answer,
  accessToken: string,
  expected: IdTokenExpectation,
): Promise<Pick<TokenAnswer, 'idToken' | 'idTokenClaims'> | undefined> {
  const idToken = text(answer.body ?? bare({}), 'id_token', /^[\x21-\x7E]+$/)
  if (idToken === undefined) {
    if (expected.after === 'renewal') return undefined
    throw new OAuthError(
      'id_token_invalid',
      'The token response has no ID token although openid was asked for. Ask who runs the authorization server.',
    )
  }
  const claims = await idTokenClaims(client, server, { idToken, accessToken, serverTime: answer.serverTime }, expected)
  return present({ idToken: Secret.of(idToken), idTokenClaims: claims })
}

/** Of printable characters, so that it is a header's value and stays one; anything else is refused here and not at its first use. */
function text(body: JsonObject, name: string, form: RegExp): string | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !form.test(value)) throw invalid(`has a malformed ${name}`)
  return value
}

/** RFC 8693 section 2.2.1: it must be said; and what is no access token (`N_A`) is never sent as one. */
function checkIssuedTokenType(body: JsonObject): void {
  if (text(body, 'issued_token_type', /^[\x21-\x7E]+$/) === undefined) throw invalid('has no issued_token_type')
  const type = body['token_type']
  if (typeof type === 'string' && type.toLowerCase() === 'n_a') {
    throw invalid(
      'has a token that is no access token (token_type N_A), so that no API call can carry it. Ask for another requestedTokenType',
    )
  }
}

/** What was asked for, in any case: a bound token that comes back unbound is a downgrade, and a bound one without a key is of no use. */
function tokenTypeOf(body: JsonObject, dpop: boolean): TokenAnswer['tokenType'] {
  const asked = dpop ? 'DPoP' : 'Bearer'
  const type = body['token_type']
  if (typeof type !== 'string' || type.toLowerCase() !== asked.toLowerCase()) throw invalid(`has a token_type that is not ${asked}`)
  return asked
}

/** Absent: as requested. A value that is no scope value could break the header or the request that repeats it. */
function scopeOf(body: JsonObject): readonly string[] | undefined {
  const scope = body['scope']
  if (scope === undefined) return undefined
  const values = typeof scope === 'string' ? parseScope(scope) : undefined
  if (values === undefined || !values.every(isScopeToken)) throw invalid('has a malformed scope')
  return values
}

/**
 * Milliseconds. A decimal string is read as the number that was meant.
 * 0 is taken as "not said": literally, each answer would be expired on arrival, and every call would renew.
 */
function lifetimeOf(body: JsonObject): number | undefined {
  if (body['expires_in'] === undefined) return undefined
  const seconds = secondsSaid(body['expires_in'])
  if (!(seconds >= 0)) throw invalid('has an expires_in that is no number of seconds')
  const lifetime = Math.min(Math.floor(seconds * 1000), longestLifetime)
  return lifetime === 0 ? undefined : lifetime
}

/** `NaN` for what is no number. */
function secondsSaid(said: unknown): number {
  return typeof said === 'number' || (typeof said === 'string' && /^\d+(\.\d+)?$/.test(said)) ? Number(said) : Number.NaN
}

/** Seconds. What ends later than any date can say is not said. */
const longestSaid = 8e12

/**
 * Milliseconds, literally, however many (draft-ietf-oauth-refresh-token-expiration section 6.1.2). It decides nothing, so what is no number of
 * seconds is as if not said; and so is 0, with which servers say that there is no end.
 */
function lifeSaid(body: JsonObject, name: string): number | undefined {
  const seconds = secondsSaid(body[name])
  return seconds > 0 && seconds < longestSaid ? seconds * 1_000 : undefined
}

function authorizationDetailsOf(body: JsonObject): readonly AuthorizationDetail[] | undefined {
  const details = body['authorization_details']
  if (details === undefined) return undefined
  const list = Array.isArray(details) ? details : [undefined]
  if (!list.every((detail) => typeof objectOf(detail)?.['type'] === 'string')) throw invalid('has malformed authorization_details')
  return list as readonly AuthorizationDetail[]
}

function invalid(what: string): OAuthError {
  return new OAuthError(
    'token_response_invalid',
    `The token response ${what}. Nothing of it is kept. Ask who runs the authorization server.`,
  )
}
