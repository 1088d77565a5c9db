import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { marker } from '../support/marker.js'
import type { Fault, IdTokenParts, Json, Parameter, Place, Received } from './fault.js'
import { proofOf } from './proofs.js'

// What an honest authorization server does: code with PKCE, refresh tokens that rotate, client credentials, ID tokens signed with a real key.

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

export const publicKeys: Json = {
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', use: 'sig', alg: 'RS256' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', use: 'sig', alg: 'ES256' },
  ],
}

/** What was asked for, and is asked about again. */
interface Grant {
  readonly clientId: string
  readonly scope: string
  readonly challenge?: string | null
  readonly redirectUri?: string | null
  readonly nonce?: string | undefined
  /** A refresh token that was used a second time takes its whole family with it. */
  readonly family: { revoked: boolean }
}

export interface Honest {
  /** Every secret text that passed. */
  readonly secrets: Set<string>
  /** Refresh tokens that came a second time. */
  reuses: number
  secret(kind: string): string
  metadata(): Json
  /** Takes an authorization request that is pushed; its name serves once. */
  push(form: URLSearchParams): Json
  authorize(parameters: URLSearchParams): readonly Parameter[]
  foreignCode(): string
  token(request: Received): { readonly status: number; readonly body: Json }
  /** Whether the request has a token that lives, with the proof that a bound one needs. */
  isAllowed(request: Received): boolean
}

export function honest(place: Place, fault: Fault): Honest {
  const codes = new Map<string, Grant>()
  const grants = new Map<string, Grant>()
  const spent = new Map<string, Grant>()
  /** By the token, the key that it is bound to. */
  const living = new Map<string, string | undefined>()
  const pushed = new Map<string, URLSearchParams>()
  const { issuer } = place

  const secret = (kind: string): string => {
    const text = `${kind}-${marker}-${randomBytes(18).toString('base64url')}`
    self.secrets.add(text)
    return text
  }
  const codeFor = (grant: Grant): string => {
    const code = secret('code')
    codes.set(code, grant)
    return code
  }

  function success(request: Received, grant: Grant, kind: 'code' | 'renewal' | 'client'): Json {
    const accessToken = secret('access')
    const key = proofOf(request)?.key
    living.set(accessToken, key)
    const body: Json = { access_token: accessToken, token_type: key === undefined ? 'Bearer' : 'DPoP', expires_in: 1_200 }
    if (kind !== 'client') {
      const refreshToken = secret('refresh')
      grants.set(refreshToken, grant)
      body['refresh_token'] = refreshToken
    }
    if (grant.scope.split(' ').includes('openid')) {
      const claims = claimsOf(place, grant, kind === 'code' ? grant.nonce : undefined)
      const parts = { header: { alg: 'RS256', kid: 'rsa' }, claims }
      body['id_token'] = signed(fault.idToken?.(parts.header, claims, place, request) ?? parts)
      self.secrets.add(String(body['id_token']))
    }
    return body
  }

  function granted(request: Received): Json | undefined {
    const { form } = request
    const text = form.get('code') ?? form.get('refresh_token') ?? ''
    switch (form.get('grant_type')) {
      case 'authorization_code': {
        const grant = codes.get(text)
        codes.delete(text)
        const verifier = form.get('code_verifier') ?? ''
        self.secrets.add(verifier)
        const proved = grant !== undefined && createHash('sha256').update(verifier).digest('base64url') === grant.challenge
        return proved && grant.redirectUri === form.get('redirect_uri') ? success(request, grant, 'code') : undefined
      }
      case 'refresh_token': {
        const again = spent.get(text)
        if (again !== undefined) {
          again.family.revoked = true
          self.reuses += 1
        }
        const grant = grants.get(text)
        if (grant === undefined || grant.family.revoked) return undefined
        grants.delete(text)
        spent.set(text, grant)
        return success(request, grant, 'renewal')
      }
      default:
        return success(request, { clientId: place.clientId, scope: '', family: { revoked: false } }, 'client')
    }
  }

  const self: Honest = {
    secrets: new Set([place.clientSecret]),
    reuses: 0,
    secret,
    metadata: () => ({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      pushed_authorization_request_endpoint: `${issuer}/par`,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/revoke`,
      userinfo_endpoint: `${issuer}/userinfo`,
      end_session_endpoint: `${issuer}/end`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'jwt'],
      authorization_signing_alg_values_supported: ['RS256', 'ES256'],
      subject_types_supported: ['public'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      authorization_response_iss_parameter_supported: true,
      dpop_signing_alg_values_supported: ['ES256'],
    }),
    push: (form) => {
      const uri = `urn:ietf:params:oauth:request_uri:${randomBytes(16).toString('base64url')}`
      pushed.set(uri, form)
      return { request_uri: uri, expires_in: 60 }
    },
    authorize: (address) => {
      const uri = address.get('request_uri')
      const parameters = uri === null ? address : pushed.get(uri)
      if (parameters === undefined || (uri !== null && !pushed.delete(uri))) return [['error', 'invalid_request_uri'], ['iss', issuer]] // prettier-ignore
      const code = codeFor({
        clientId: parameters.get('client_id') ?? '',
        scope: parameters.get('scope') ?? '',
        challenge: parameters.get('code_challenge'),
        redirectUri: parameters.get('redirect_uri'),
        nonce: parameters.get('nonce') ?? undefined,
        family: { revoked: false },
      })
      const said: readonly Parameter[] = [['code', code], ['state', parameters.get('state') ?? ''], ['iss', issuer]] // prettier-ignore
      if (parameters.get('response_mode') !== 'jwt') return said
      const claims = { ...Object.fromEntries(said), aud: parameters.get('client_id'), exp: Math.floor(Date.now() / 1_000) + 120 }
      const parts = { header: { alg: 'RS256', kid: 'rsa' }, claims }
      return [['response', signed(fault.signedResponse?.(parts, place) ?? parts)]]
    },
    foreignCode: () =>
      codeFor({
        clientId: place.clientId,
        scope: 'openid',
        challenge: createHash('sha256').update('the verifier of another').digest('base64url'),
        redirectUri: place.redirectUri,
        nonce: 'the nonce of another',
        family: { revoked: false },
      }),
    token: (request) => {
      const body = granted(request)
      return body === undefined ? { status: 400, body: { error: 'invalid_grant' } } : { status: 200, body }
    },
    isAllowed: (request) => {
      const [, scheme = '', token = ''] = /^(\w+) (.+)$/.exec(request.headers.authorization ?? '') ?? []
      const key = living.get(token)
      return living.has(token) && (key === undefined ? scheme === 'Bearer' : scheme === 'DPoP' && proofOf(request)?.key === key)
    },
  }
  return self
}

function claimsOf(place: Place, grant: Grant, nonce: string | undefined): Json {
  const now = Math.floor(Date.now() / 1_000)
  const claims: Json = { iss: place.issuer, sub: 'ann', aud: grant.clientId, iat: now, exp: now + 3_600 }
  return nonce === undefined ? claims : { ...claims, nonce }
}

/** A JWT with the signature that its header asks for. */
function signed({ header, claims, signature }: IdTokenParts): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${signature ?? signatureOf(text, header['alg'])}`
}

function signatureOf(text: string, algorithm: unknown): string {
  const bytes = Buffer.from(text)
  switch (algorithm) {
    case 'RS256':
      return sign('sha256', bytes, rsa.privateKey).toString('base64url')
    case 'ES256':
      return sign('sha256', bytes, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    case 'HS256':
      // Under the server's public key, as one does who wants it taken for a secret.
      return createHmac('sha256', rsa.publicKey.export({ format: 'pem', type: 'spki' }))
        .update(text)
        .digest('base64url')
    default:
      return ''
  }
}
