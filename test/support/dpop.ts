import { EmbeddedJWK, type JWTPayload, calculateJwkThumbprint, jwtVerify } from 'jose'
import type { FaultServer, Received, Route } from './fault-server.js'
import { json } from './fault-server.js'

/** A proof as an independent verifier reads it: its signature is right, by the key in it. */
export interface ReadProof {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: JWTPayload & Readonly<Record<string, unknown>>
  /** The thumbprint of its key. */
  readonly key: string
}

export async function readProof(proof: string | string[] | undefined): Promise<ReadProof> {
  const { payload, protectedHeader } = await jwtVerify(String(proof), EmbeddedJWK, { typ: 'dpop+jwt' })
  return { header: { ...protectedHeader }, claims: payload, key: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) }
}

/** The proofs that came to a path. */
export function proofsTo(server: FaultServer, path: string): Promise<readonly ReadProof[]> {
  return Promise.all(server.to(path).map(({ headers }) => readProof(headers['dpop'])))
}

export const nonceError = (nonce?: string, more: Readonly<Record<string, string>> = {}): Route =>
  json({ error: 'use_dpop_nonce' }, 400, { ...(nonce === undefined ? {} : { 'dpop-nonce': nonce }), ...more })

let issued = 0
/** Tokens that are bound; each its own. */
export const tokens =
  (more: object = {}, headers: Readonly<Record<string, string>> = {}): Route =>
  (request, response) => {
    issued += 1
    const answer = { access_token: `access-${issued}`, token_type: 'DPoP', expires_in: 60, refresh_token: `refresh-${issued}`, ...more }
    return json(answer, 200, headers)(request, response)
  }

/** A route that answers one after the other, the last one for ever. */
export function inTurn(...routes: readonly Route[]): Route {
  let turn = 0
  return (request: Received, response) => routes[Math.min(turn++, routes.length - 1)]?.(request, response)
}
