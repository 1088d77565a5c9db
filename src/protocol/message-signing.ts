import type { Client, SignedRequests, SignedResponses } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { bare } from '../core/secret.js'
import type { ServerMetadata } from './library.js'

// What signs requests and verifies responses comes with the values that a program makes, so that who signs nothing carries nothing of it.

/** Makes the request object (RFC 9101 section 4) of these parameters. Rejects with an OAuthError only. */
export type SignRequest = (client: Client, server: ServerMetadata, parameters: URLSearchParams) => Promise<string>

/** What a signed response says, once it is known to be the server's (JARM section 2.4). Made with `bare`. Rejects with an OAuthError only. */
export type VerifyResponse = (client: Client, server: ServerMetadata, response: string) => Promise<{ readonly parameters: URLSearchParams }>

const signers = new WeakMap<SignedRequests, SignRequest>()
const verifiers = new WeakMap<SignedResponses, VerifyResponse>()

export function signingBy(sign: SignRequest): SignedRequests {
  const made = Object.freeze(bare<SignedRequests>({ type: 'oauth-authz-req+jwt' }))
  signers.set(made, sign)
  return made
}

export function verifyingBy(verify: VerifyResponse): SignedResponses {
  const made = Object.freeze(bare<SignedResponses>({ responseMode: 'jwt' }))
  verifiers.set(made, verify)
  return made
}

/** How this client signs its requests; `undefined` where it does not. Throws `not_supported` where the server does not go with that. */
export function signerOf({ signedRequests }: Client, server: ServerMetadata): SignRequest | undefined {
  if (signedRequests !== undefined) {
    if (server.request_parameter_supported === false)
      throw unsupported(server, 'takes no signed authorization requests. Leave signedRequests out.')
    return signers.get(signedRequests) ?? notMadeHere('signedRequests')
  }
  if (server.require_signed_request_object === true)
    throw unsupported(
      server,
      'takes signed authorization requests only. Sign in where the client has its key, with the option signedRequests.',
    )
  return undefined
}

/** How this client verifies responses; `undefined` where it asks for none that are signed. */
function verifierOf({ signedResponses }: Client): VerifyResponse | undefined {
  return signedResponses === undefined ? undefined : (verifiers.get(signedResponses) ?? notMadeHere('signedResponses'))
}

/**
 * The `response_mode` of a request whose response is to be signed (JARM section 2.3); `undefined` where that is not asked for.
 * Throws `not_supported` where the server has neither such a mode nor the keys to verify what it signs.
 */
export function responseModeOf(client: Client, server: ServerMetadata): string | undefined {
  if (verifierOf(client) === undefined) return undefined
  const modes: unknown = server.response_modes_supported
  // A list without it says that it is not there; silence says nothing.
  const mode = Array.isArray(modes) ? ['query.jwt', 'jwt'].find((one) => modes.includes(one)) : 'jwt'
  if (mode === undefined || server.jwks_uri === undefined)
    throw unsupported(server, 'signs no authorization responses (JARM). Leave signedResponses out.')
  return mode
}

/** Where a signed response was asked for, nothing else in the address is a response (JARM section 2.4). Rejects with an OAuthError only. */
export function signedResponse(client: Client, server: ServerMetadata, address: URLSearchParams): ReturnType<VerifyResponse> {
  const response = address.get('response')
  const verify = verifierOf(client)
  if (response !== null && verify !== undefined) return verify(client, server, response)
  throw new OAuthError(
    'authorization_response_invalid',
    response === null
      ? 'The authorization response is not signed, as was asked for. Nothing was sent; sign in again.'
      : 'The authorization response is signed, and this session has no signedResponses to verify it. Nothing was sent; sign in again.',
  )
}

function unsupported({ issuer }: ServerMetadata, problem: string): OAuthError {
  return new OAuthError('not_supported', `${issuer} ${problem}`)
}

function notMadeHere(name: string): never {
  throw new OAuthError('invalid_configuration', `${name} must be made by ${name}() of valetkey.`)
}
