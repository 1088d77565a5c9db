import { spellings } from '../support/sweep.js'
import type { Received } from './fault.js'
import { proofOf } from './proofs.js'
import type { Stage } from './fault-authorization-server.js'

// What holds of every request of every scenario, whatever the server did: a list as the conformance suite has one.

type Seen = Pick<Stage, 'place' | 'received'> & { readonly server: Pick<Stage['server'], 'secrets'> }

interface Invariant {
  readonly name: string
  /** Whether this request breaks it. */
  readonly broken: (request: Received, seen: Seen) => boolean
}

const to =
  (endpoint: Received['endpoint'], broken: Invariant['broken']): Invariant['broken'] =>
  (request, seen) =>
    request.endpoint === endpoint && broken(request, seen)

const grant = (request: Received): string | null => (request.endpoint === 'token' ? request.form.get('grant_type') : null)

/** Of these a request may have several (RFC 8707 section 2, RFC 8693 section 2.1). */
const repeatable = new Set(['resource', 'audience'])

function hasDuplicates(parameters: URLSearchParams): boolean {
  const names = [...parameters.keys()].filter((name) => !repeatable.has(name))
  return new Set(names).size < names.length
}

/** What holds of an authorization request, in the address or pushed. */
const ofAuthorization =
  (broken: (asked: URLSearchParams, seen: Seen) => boolean): Invariant['broken'] =>
  ({ endpoint, url, form }, seen) =>
    (endpoint === 'par' && broken(form, seen)) || (endpoint === 'authorize' && !isPushed(url) && broken(url.searchParams, seen))

const isPushed = ({ searchParams }: URL): boolean => searchParams.has('request_uri')

export const invariants: readonly Invariant[] = [
  { name: 'response_type is code', broken: ofAuthorization((asked) => asked.get('response_type') !== 'code') },
  {
    name: 'PKCE with S256',
    broken: ofAuthorization(
      (asked) => asked.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(asked.get('code_challenge') ?? ''),
    ),
  },
  { name: 'a state that nobody guesses', broken: ofAuthorization((asked) => (asked.get('state') ?? '').length < 22) },
  {
    name: 'a nonce where openid is asked for',
    broken: ofAuthorization((asked) => /\bopenid\b/.test(asked.get('scope') ?? '') && (asked.get('nonce') ?? '').length < 22),
  },
  {
    name: 'redirect_uri as it is registered, to the byte',
    broken: (request, seen) =>
      ofAuthorization((asked) => asked.get('redirect_uri') !== seen.place.redirectUri)(request, seen) ||
      (grant(request) === 'authorization_code' && request.form.get('redirect_uri') !== seen.place.redirectUri),
  },
  {
    name: 'a pushed request is named by client_id and request_uri, and nothing else is in the address',
    broken: to('authorize', ({ url }) => isPushed(url) && [...url.searchParams.keys()].toSorted().join(' ') !== 'client_id request_uri'),
  },
  {
    name: 'a request_uri serves once',
    broken: (request, { received }) => {
      const named = ({ endpoint, url }: Received) => (endpoint === 'authorize' ? url.searchParams.get('request_uri') : null)
      return named(request) !== null && received.filter((other) => named(other) === named(request)).length > 1
    },
  },
  {
    name: 'a push is a POST of a form that names no other request',
    broken: to(
      'par',
      ({ method, headers, url, form }) =>
        method !== 'POST' ||
        !/^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '') ||
        url.search !== '' ||
        form.has('request_uri'),
    ),
  },
  { name: 'no parameter twice', broken: ({ url, form }) => hasDuplicates(url.searchParams) || hasDuplicates(form) },
  {
    name: 'no parameter without a value',
    broken: ({ endpoint, url, form }) => endpoint !== 'resource' && [...url.searchParams.values(), ...form.values()].includes(''),
  },
  {
    name: 'a token request is a POST of a form, without a query',
    broken: to(
      'token',
      ({ method, headers, url }) =>
        method !== 'POST' || !/^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '') || url.search !== '',
    ),
  },
  { name: 'a token request accepts JSON', broken: to('token', ({ headers }) => !/application\/json/.test(headers.accept ?? '')) },
  {
    name: 'exactly one client authentication',
    broken: ({ endpoint, headers, form }) => {
      const methods = [headers.authorization !== undefined, form.has('client_secret'), form.has('client_assertion')].filter(Boolean).length
      return (endpoint === 'token' || endpoint === 'par') && (methods > 1 || (methods === 0 && !form.has('client_id')))
    },
  },
  {
    name: 'a verifier with every code',
    broken: (request) => grant(request) === 'authorization_code' && !/^[\w.~-]{43,128}$/.test(request.form.get('code_verifier') ?? ''),
  },
  {
    name: 'a code is redeemed once',
    // What is refused for want of a nonce has redeemed nothing, and is sent again with one.
    broken: (request, { received }) => {
      const [asked, nonce] = [request.form.get('code'), proofOf(request)?.nonce]
      const again = (other: Received) =>
        grant(other) === 'authorization_code' && other.form.get('code') === asked && proofOf(other)?.nonce === nonce
      return grant(request) === 'authorization_code' && received.filter(again).length > 1
    },
  },
  {
    name: 'a refresh token goes to the token and the revocation endpoint of its issuer',
    broken: (request, { server }) =>
      request.endpoint !== 'token' &&
      request.endpoint !== 'revoke' &&
      [...server.secrets].some((text) => text.startsWith('refresh-') && request.body.includes(text)),
  },
  {
    name: 'no secret in an address',
    broken: ({ url }, { server }) => [...server.secrets].some((text) => spellings(text).some((spelling) => url.href.includes(spelling))),
  },
  { name: 'no secret to a stranger', broken: to('elsewhere', (request, seen) => carriesSecret(request, seen)) },
  {
    name: 'a token in one Authorization header, and nowhere else',
    broken: to(
      'resource',
      (request) => /access_token=/.test(request.url.search + request.body) || /, /.test(request.headers.authorization ?? ''),
    ),
  },
  {
    name: 'a proof is of this request, and is sent once',
    broken: (request, { received }) => {
      if (request.headers['dpop'] === undefined) return false
      const jti = proofOf(request)?.jti
      return jti === undefined || received.filter((other) => proofOf(other)?.jti === jti).length > 1
    },
  },
  {
    name: 'a DPoP nonce goes to the endpoint that it came from',
    // Those of the authorization server are for all its endpoints (RFC 9449 section 8).
    broken: (request) => {
      const giver = request.endpoint === 'par' ? 'token' : request.endpoint
      return (proofOf(request)?.nonce ?? giver).split('-', 1)[0] !== giver
    },
  },
  { name: 'no Referer', broken: ({ headers }) => headers.referer !== undefined },
  { name: 'no cookie', broken: ({ headers }) => headers.cookie !== undefined },
]

function carriesSecret(request: Received, { server }: Seen): boolean {
  const text = [request.url.href, JSON.stringify(request.headers), request.body].join('\n')
  return [...server.secrets].some((secret) => spellings(secret).some((spelling) => text.includes(spelling)))
}

/** The invariants that these requests break, by name. */
export function brokenInvariants(seen: Seen): readonly string[] {
  return invariants.filter(({ broken }) => seen.received.some((request) => broken(request, seen))).map(({ name }) => name)
}
