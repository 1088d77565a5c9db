import { clear, read, secret } from './codec.js'
import type { PendingRequest } from './pending-request.js'
import { list, number, object, optional, string, strings } from './reading.js'
import { present } from './secret.js'

// The text in which a store holds the authorization requests that wait, believed member by member as every record is.

export function encodePendingRequests(pending: readonly PendingRequest[]): string {
  return JSON.stringify(clear({ pending }))
}

export function decodePendingRequests(text: string): readonly PendingRequest[] | undefined {
  return read(text, (from) => list(from['pending']).map(pendingRequest))
}

function pendingRequest(value: unknown): PendingRequest {
  const from = object(value)
  return present<PendingRequest>({
    state: secret(from['state']),
    codeVerifier: secret(from['codeVerifier']),
    nonce: optional(from['nonce'], secret),
    issuer: string(from['issuer']),
    clientId: string(from['clientId']),
    owner: string(from['owner']),
    redirectUri: string(from['redirectUri']),
    scope: strings(from['scope']),
    resource: strings(from['resource']),
    maxAgeSeconds: optional(from['maxAgeSeconds'], number),
    returnTo: optional(from['returnTo'], string),
    endsSession: from['endsSession'] === true ? true : undefined,
    binding: optional(from['binding'], secret),
    account: optional(from['account'], string),
    boundTo: optional(from['boundTo'], string),
    signedResponse: from['signedResponse'] === true ? true : undefined,
    createdAt: number(from['createdAt']),
  })
}
