import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { type Secret, bare } from '../core/secret.js'
import type { IdTokenClaims } from '../core/token-record.js'
import { type JsonObject, objectOf, parseObject } from './json.js'
import { type ServerMetadata, libraryClient } from './library.js'

/** What an ID token is held against. */
export type IdTokenExpectation =
  /** `nonce` is absent where none was sent, as there is no place for it (RFC 8628): then a token that has one is not of this sign-in. */
  | { readonly after: 'sign_in'; readonly nonce?: Secret; readonly maxAgeSeconds?: number | undefined }
  | { readonly after: 'renewal'; readonly original: IdTokenClaims }

/** Seconds. A token that came this moment is from this moment, give or take a clock; a day is a clock that is set wrongly, not one that drifts. */
const furthestFuture = 5 * 60
const greatestAge = 24 * 60 * 60
/** A day is a mistake of the date, or of a time zone; a token that is further from the clock is refused, with a word about the clock. */
const wrongestClock = 25 * 60 * 60

/** What came with an ID token. */
interface Came {
  readonly idToken: string
  readonly accessToken: string
  /** The server's `Date`, in milliseconds since the epoch, where it could be read. */
  readonly serverTime: number | undefined
}

/**
 * The claims of an ID token that came straight from the token endpoint: there TLS stands for the signature (OpenID Connect Core
 * 3.1.3.7, 6), and `none` and `HS*` are refused all the same.
 * Rejects with `id_token_invalid`, and with `different_user` when a renewal brings another subject (section 12.2).
 */
export async function idTokenClaims(
  client: Client,
  server: ServerMetadata,
  { idToken, accessToken, serverTime }: Came,
  expected: IdTokenExpectation,
): Promise<IdTokenClaims> {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(idToken)) throw invalid('is not a signed JWT')
  const algorithm = algorithmOf(idToken)
  if (algorithm === undefined || /^(none|HS.*)$/i.test(algorithm)) throw invalid('is not signed with a key of the server')
  const now = judgedAt(idToken, client.clock.now(), serverTime)
  const claims = await validated(client, server, idToken, expected, now)
  checkClaims(client, claims, now)
  await checkAccessTokenHash(client, claims, algorithm, accessToken)
  if (expected.after === 'renewal') checkContinuity(claims, expected.original)
  else if (claims['nonce'] !== expected.nonce?.reveal()) throw invalid('has not the nonce of this sign-in')
  return claims
}

/**
 * The time by which an ID token is judged, in milliseconds: this machine's, where the token holds by it. If it does not, the clock may be what is
 * wrong, by a day or so. Then it is the server's: its `Date`, or where a page may not read that (across origins), what the token says itself. It
 * came this moment from the token endpoint, in answer to one request, for which TLS and the nonce stand; a renewal that was refused for a wrong
 * clock would cost the session, for the refresh token is spent.
 */
function judgedAt(idToken: string, own: number, serverTime: number | undefined): number {
  const { iat, exp } = partOf(idToken, 1)
  if (typeof iat !== 'number' || typeof exp !== 'number' || (isJustIssued(iat, own) && exp * 1000 > own)) return own
  const servers = serverTime ?? iat * 1000
  return Math.abs(servers - own) <= wrongestClock * 1000 ? servers : own
}

function isJustIssued(iat: number, now: number): boolean {
  return iat <= now / 1000 + furthestFuture && iat >= now / 1000 - greatestAge
}

/** The other members of an answer: the library sees none of its tokens, and finds none on a polluted `Object.prototype`. */
const unseen = bare({ access_token: 'unseen', token_type: 'bearer', refresh_token: 'unseen', expires_in: 1, scope: '' })

/** What the library checks: form, algorithm, `iss`, `aud`, `azp` of several audiences, `exp`, `nbf`, `nonce`, `auth_time`. */
async function validated(
  client: Client,
  server: ServerMetadata,
  idToken: string,
  expected: IdTokenExpectation,
  now: number,
): Promise<IdTokenClaims> {
  try {
    const response = new Response(
      JSON.stringify(bare({ ...unseen, id_token: idToken })),
      bare({ status: 200, headers: bare({ 'content-type': 'application/json' }) }),
    )
    const result =
      expected.after === 'renewal'
        ? await oauth.processRefreshTokenResponse(server, libraryClient(client, now), response, bare({}))
        : await oauth.processAuthorizationCodeResponse(
            server,
            libraryClient(client, now),
            response,
            bare<oauth.ProcessAuthorizationCodeResponseOptions>({
              expectedNonce: expected.nonce?.reveal() ?? oauth.expectNoNonce,
              maxAge: expected.maxAgeSeconds ?? oauth.skipAuthTimeCheck,
              requireIdToken: true,
            }),
          )
    const claims = objectOf(oauth.getValidatedIdTokenClaims(result))
    if (claims !== undefined) return claims as IdTokenClaims
  } catch {
    // The library's error holds the token and its claims: it goes no further.
  }
  throw invalid('does not hold: its form, algorithm, issuer, audience, times or nonce are not those of this sign-in')
}

/** What the library leaves to its caller. Each claim is an own one: `Object.prototype` says nothing here. */
function checkClaims(client: Client, claims: JsonObject, now: number): void {
  const { iat, exp, sub, aud, azp } = claims as Partial<Record<'iat' | 'exp' | 'sub' | 'aud' | 'azp' | 'iss', unknown>>
  if (typeof sub !== 'string' || !/^[\x20-\x7E]{1,255}$/.test(sub)) throw invalid('has no subject of 1 to 255 ASCII characters')
  if (claims['iss'] === undefined || aud === undefined || !Number.isFinite(exp)) throw invalid('lacks iss, aud or exp')
  if (typeof iat !== 'number' || !isJustIssued(iat, now)) {
    throw invalid('was not issued just now. Check the clock of this machine')
  }
  if (azp !== undefined && azp !== client.clientId) throw invalid('was issued to another client')
}

const digests: Readonly<Record<string, string>> = bare({
  '256': 'SHA-256',
  '384': 'SHA-384',
  '512': 'SHA-512',
  EdDSA: 'SHA-512',
  Ed25519: 'SHA-512',
})

/** OpenID Connect Core 3.1.3.8. Of an algorithm whose hash is not known here `at_hash` cannot be checked; in the code flow that is allowed. */
async function checkAccessTokenHash(client: Client, claims: JsonObject, algorithm: string, accessToken: string): Promise<void> {
  const digest = digests[algorithm] ?? digests[algorithm.slice(-3)]
  if (claims['at_hash'] === undefined || digest === undefined) return
  const hash = new Uint8Array(await (client.webCrypto ?? crypto).subtle.digest(digest, new TextEncoder().encode(accessToken)))
  const half = btoa(String.fromCharCode(...hash.subarray(0, hash.length / 2)))
  if (claims['at_hash'] !== half.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))
    throw invalid('belongs to another access token')
}

/**
 * OpenID Connect Core 12.2: a later ID token is of the same issuer and subject. It should have no nonce; one that it has is that
 * of the sign-in, and can be compared only where the record kept it. The same with `auth_time`.
 */
function checkContinuity(claims: IdTokenClaims, original: IdTokenClaims): void {
  if (claims.iss !== original.iss) throw invalid('is of another issuer than that of the sign-in')
  if (claims.sub !== original.sub) {
    throw new OAuthError('different_user', 'The renewal brought an ID token of another user. Sign in again.')
  }
  for (const name of ['nonce', 'auth_time']) {
    const [now, then] = [claims[name], Object.hasOwn(original, name) ? original[name] : undefined]
    if (now !== undefined && then !== undefined && now !== then) throw invalid(`has not the ${name} of the sign-in`)
  }
}

function algorithmOf(idToken: string): string | undefined {
  const algorithm = partOf(idToken, 0)['alg']
  return typeof algorithm === 'string' ? algorithm : undefined
}

/** Header or payload, not checked; nothing where it is none. */
function partOf(idToken: string, index: 0 | 1): JsonObject {
  const part = idToken.split('.')[index] ?? ''
  try {
    return parseObject(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) ?? bare({})
  } catch {
    return bare({})
  }
}

function invalid(what: string): OAuthError {
  return new OAuthError('id_token_invalid', `The ID token ${what}. Nothing of this answer is kept.`)
}
