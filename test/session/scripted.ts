import { createHash, randomBytes } from 'node:crypto'
import { type FaultServer, type Received, faultServer, json } from '../support/fault-server.js'
import { jwt } from '../support/id-token.js'
import { signedResponse, signingKeys } from '../support/signed-response.js'

/** An authorization server that checks what it must and can be told to answer otherwise. */
export interface ScriptedServer {
  readonly authorizationServer: { readonly issuer: string } & Readonly<Record<string, unknown>>
  readonly wire: FaultServer
  /** Who signs in. */
  user: string
  /** What is put in the place of members of the token answer; `undefined` leaves one out. */
  change: Readonly<Record<string, unknown>>
  /** The same for the claims of the ID token. */
  claims: Readonly<Record<string, unknown>>
  /** The authorization response to a request: a code, or what is said instead. */
  answer(request: URL, instead?: Readonly<Record<string, string>>): URL
  issued(): readonly string[]
  tokenRequests(): readonly Received[]
  revoked(): readonly (string | null)[]
}

interface Asked {
  readonly user: string
  readonly scope: string | undefined
  readonly nonce: string | undefined
  readonly challenge: string | null
  readonly redirectUri: string | null
}

/** @param metadata members put in the place of the usual ones; `undefined` leaves one out */
export async function scriptedServer(
  metadata: Readonly<Record<string, unknown>> | ((origin: string) => Readonly<Record<string, unknown>>) = {},
): Promise<ScriptedServer> {
  const wire = await faultServer()
  const { origin } = wire
  const issued: string[] = []
  const codes = new Map<string, Asked>()
  const grants = new Map<string, Asked>()
  const pushed = new Map<string, URLSearchParams>()
  const secret = (kind: string) => {
    const text = `${kind}-${randomBytes(24).toString('base64url')}`
    issued.push(text)
    return text
  }

  const success = (asked: Asked, renewal: boolean) => {
    const refreshToken = secret('refresh')
    grants.set(refreshToken, asked)
    const now = Math.floor(Date.now() / 1_000)
    const nonce = renewal ? undefined : asked.nonce
    const claims = { iss: origin, sub: asked.user, aud: 'page', iat: now, exp: now + 3_600, nonce, ...server.claims }
    const idToken = asked.scope?.split(' ').includes('openid') ? jwt(claims) : undefined
    if (idToken !== undefined) issued.push(idToken)
    return json({
      access_token: secret('access'),
      token_type: 'Bearer',
      expires_in: 60,
      refresh_token: refreshToken,
      id_token: idToken,
      ...server.change,
    })
  }

  const token = (form: URLSearchParams) => {
    const [verifier, spent] = [form.get('code_verifier'), form.get('code') ?? form.get('refresh_token') ?? '']
    if (verifier !== null) issued.push(verifier)
    const asked = codes.get(spent) ?? grants.get(spent)
    const renewal = grants.has(spent)
    codes.delete(spent)
    grants.delete(spent)
    const proved = renewal || (verifier !== null && asked?.challenge === createHash('sha256').update(verifier).digest('base64url'))
    const sameAddress = renewal || asked?.redirectUri === form.get('redirect_uri')
    return asked !== undefined && proved && sameAddress ? success(asked, renewal) : json({ error: 'invalid_grant' }, 400)
  }

  wire.on('/token', (request, response) => token(request.form)(request, response))
  wire.on('/revoke', json({}))
  wire.on('/par', (request, response) => {
    const uri = `urn:ietf:params:oauth:request_uri:${randomBytes(16).toString('base64url')}`
    pushed.set(uri, request.form)
    return json({ request_uri: uri, expires_in: 60 }, 201)(request, response)
  })
  wire.on('/jwks', json(signingKeys))

  /** Those of the request that was pushed before, if one was: once. */
  const parametersOf = ({ searchParams }: URL): URLSearchParams => {
    const uri = searchParams.get('request_uri')
    if (uri === null) return searchParams
    const parameters = pushed.get(uri)
    if (parameters === undefined || !pushed.delete(uri)) throw new Error('This request_uri was used, or never made.')
    return parameters
  }

  const server: ScriptedServer = {
    authorizationServer: {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      revocation_endpoint: `${origin}/revoke`,
      end_session_endpoint: `${origin}/logout`,
      ...(typeof metadata === 'function' ? metadata(origin) : metadata),
    },
    wire,
    user: 'ann',
    change: {},
    claims: {},
    answer(request, instead) {
      const asked = parametersOf(request)
      const response = new URL(asked.get('redirect_uri') ?? '')
      const code = secret('code')
      codes.set(code, {
        user: server.user,
        scope: asked.get('scope') ?? undefined,
        nonce: asked.get('nonce') ?? undefined,
        challenge: asked.get('code_challenge'),
        redirectUri: asked.get('redirect_uri'),
      })
      for (const [name, value] of Object.entries({ state: asked.get('state') ?? '', iss: origin, ...(instead ?? { code }) }))
        response.searchParams.set(name, value)
      return asked.get('response_mode') === null ? response : signedResponse(response, { issuer: origin, clientId: 'page' })
    },
    issued: () => issued,
    tokenRequests: () => wire.to('/token'),
    revoked: () => wire.to('/revoke').map(({ form }) => form.get('token')),
  }
  return server
}
