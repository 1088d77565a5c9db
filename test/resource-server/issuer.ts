import { createHash, randomUUID } from 'node:crypto'
import { type JWTPayload, SignJWT, calculateJwkThumbprint, exportJWK } from 'jose'
import { clientSecretBasic } from '../../src/index.js'
import { resourceServerBy } from '../../src/resource-server/resource-server.js'
import type { ResourceServer } from '../../src/resource-server/index.js'
import type { ResourceServerSettings } from '../../src/resource-server/settings.js'
import { manualClock } from '../../src/testing/index.js'
import { type FaultServer, faultServer, json } from '../support/fault-server.js'
import { keyPair } from '../support/keys.js'

export const audience = 'https://api.example/'

/** A scripted authorization server that signs what it is told to, a client with a key of its own, and the API that judges both. */
export interface Issuer {
  readonly server: FaultServer
  readonly clock: ReturnType<typeof manualClock>
  readonly api: ResourceServer
  /** Seconds since the epoch. */
  now(): number
  /** A JWT access token; `claims` change an honest one, `undefined` takes away. */
  token(claims?: JWTPayload, header?: Readonly<Record<string, unknown>>, key?: CryptoKeyPair): Promise<string>
  /** What the introspection endpoint says of every token from now on. */
  says(claims: object): void
  /** An API of other settings at this server. */
  another(settings: Partial<ResourceServerSettings>): ResourceServer
  /** The thumbprint of the client's key. */
  thumbprint(): Promise<string>
  /** A proof for a GET of the API with this token; `claims` and `header` change an honest one. */
  proof(token: string, claims?: JWTPayload, header?: Readonly<Record<string, unknown>>, key?: CryptoKeyPair): Promise<string>
  readonly keys: CryptoKeyPair
  readonly clientKeys: CryptoKeyPair
}

export const url = 'https://api.example/notes?page=2'

export async function issuer(settings: Partial<ResourceServerSettings> = {}): Promise<Issuer> {
  const clock = manualClock()
  const server = await faultServer()
  const [keys, clientKeys] = [await keyPair('ES256'), await keyPair('ES256')]
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', use: 'sig', alg: 'ES256' }
  server.on(
    '/.well-known/oauth-authorization-server',
    json({ issuer: server.origin, jwks_uri: `${server.origin}/keys`, introspection_endpoint: `${server.origin}/introspect` }),
  )
  server.on('/keys', json({ keys: [jwk] }))
  const now = () => Math.floor(clock.now() / 1_000)
  const honest = () => ({
    iss: server.origin,
    aud: audience,
    sub: 'ann',
    client_id: 'page',
    jti: randomUUID(),
    iat: now(),
    exp: now() + 60,
    scope: 'notes:read mail:read',
  })
  const introspection = { clientId: 'api', clientAuthentication: clientSecretBasic('secret of the API') }
  const another = (more: Partial<ResourceServerSettings>) =>
    resourceServerBy({ issuer: server.origin, audience, introspection, ...more }, clock)
  const publicClientKey = async () => exportJWK(clientKeys.publicKey)
  return {
    server,
    clock,
    api: another(settings),
    now,
    keys,
    clientKeys,
    token: (claims = {}, header = {}, key = keys) =>
      new SignJWT(without({ ...honest(), ...claims }))
        .setProtectedHeader(without({ alg: 'ES256', typ: 'at+jwt', kid: 'one', ...header }) as { alg: string })
        .sign(key.privateKey),
    says: (claims) => void server.on('/introspect', json(without({ active: true, ...honest(), jti: undefined, ...claims }))),
    another,
    thumbprint: async () => calculateJwkThumbprint(await publicClientKey()),
    proof: async (token, claims = {}, header = {}, key = clientKeys) => {
      const payload = {
        jti: randomUUID(),
        htm: 'GET',
        htu: 'https://api.example/notes',
        iat: now(),
        ath: createHash('sha256').update(token).digest('base64url'),
      }
      return new SignJWT(without({ ...payload, ...claims }))
        .setProtectedHeader(without({ alg: 'ES256', typ: 'dpop+jwt', jwk: await publicClientKey(), ...header }) as { alg: string })
        .sign(key.privateKey)
    },
  }
}

function without<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}

export function request(authorization: string | undefined, headers: Readonly<Record<string, string>> = {}): Request {
  return new Request(url, { headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) } })
}

/** What a verification came to, in one line: who it is, or the status and the error of the challenge. */
export async function verdict(
  api: ResourceServer,
  of: Request,
  needed?: Parameters<ResourceServer['verifyAccessToken']>[1],
): Promise<string> {
  const result = await api.verifyAccessToken(of, needed)
  if (result.ok) return `${result.subject} with ${result.scope.join(' ')}`
  const challenge = result.response.headers.get('www-authenticate') ?? ''
  return [result.response.status, /error="(\w+)"/.exec(challenge)?.[1]].filter(Boolean).join(' ')
}
