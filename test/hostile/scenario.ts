import type { OAuthErrorCode } from '../../src/core/errors.js'
import type { Setting } from './client-under-test.js'
import type { Fault, IdTokenParts, Json, Place, Received, Transport } from './fault.js'

export type Step =
  | 'sign in'
  | 'call'
  | 'renew'
  | 'client credentials'
  /** Twenty-five minutes go by: longer than an access token lives. */
  | 'wait'
  /** Whatever comes of it. */
  | 'try to renew'
  | { readonly call: (place: Place) => string; readonly init?: RequestInit }

/** One deliberate fault, or none, and what a good client does about it. */
export interface Scenario {
  /** Begins with the attack's or the module's id. */
  readonly name: string
  readonly setting?: Setting
  readonly fault: Fault
  readonly steps: readonly Step[]
  /** How the steps end: `ok`, or the code of the first that fails. */
  readonly result: 'ok' | OAuthErrorCode
  /** What was asked for, in order. */
  readonly requests: readonly string[]
  readonly kept: string
  /** The status of the last call. */
  readonly status?: number
  /** Another client may as well hand the answer back as it is, as long as it talks to nobody else. */
  readonly mayEndWell?: true
  /** An API answers 401, which another client may as well reject with and leave to its caller, as long as it talks to nobody more. */
  readonly mayReject?: true
  /** It ends well, and a client that checks nothing does too much on the way. */
  readonly tempts?: true
}

/** One that a client which checks nothing must fail. */
export function bites({ result, tempts }: Scenario): boolean {
  return result !== 'ok' || tempts === true
}

export const metadata = 'metadata'
export const push = 'par'
export const authorize = 'authorize'
export const keys = 'jwks'
export const code = 'token authorization_code'
export const refresh = 'token refresh_token'
export const credentials = 'token client_credentials'
export const resource = 'resource'

const signedIn = [metadata, authorize, code]

type More = Partial<Omit<Scenario, 'name' | 'fault'>>

/** Nothing is wrong with it: the call arrives. */
export function accepted(name: string, fault: Fault, more: More = {}): Scenario {
  return { name, fault, steps: ['sign in', 'call'], result: 'ok', requests: [...signedIn, resource], kept: 'tokens', ...more }
}

/** The metadata are refused: nobody is sent anywhere. */
export function refusedMetadata(name: string, result: OAuthErrorCode, discovery: Fault['discovery'], more: More = {}): Scenario {
  const fault = discovery === undefined ? {} : { discovery }
  return { name, fault, steps: ['sign in', 'call'], result, requests: [metadata], kept: 'nothing', ...more }
}

/** The authorization response is refused: nothing is sent to the token endpoint. */
export function refusedResponse(
  name: string,
  result: OAuthErrorCode,
  authorize_: NonNullable<Fault['authorize']>,
  more: More = {},
): Scenario {
  const fault = { authorize: authorize_ }
  return { name, fault, steps: ['sign in', 'call'], result, requests: [metadata, authorize], kept: 'nothing', ...more }
}

/** The token response is refused: nothing is called with it. */
export function refusedTokens(name: string, result: OAuthErrorCode, fault: Fault, more: More = {}): Scenario {
  return { name, fault, steps: ['sign in', 'call'], result, requests: signedIn, kept: 'nothing', ...more }
}

export function refusedIdToken(name: string, change: (parts: IdTokenParts, place: Place) => IdTokenParts): Scenario {
  return refusedTokens(name, 'id_token_invalid', { idToken: (header, claims, place) => change({ header, claims }, place) })
}

/** Honest at the sign-in, and the fault is of the renewal. */
export function renewal(name: string, result: Scenario['result'], fault: Fault, more: More = {}): Scenario {
  const onlyThen: Fault = {
    ...fault,
    ...(fault.token === undefined
      ? {}
      : { token: (body, request, place) => (isRenewal(request) ? (fault.token?.(body, request, place) ?? body) : body) }),
    ...(fault.idToken === undefined
      ? {}
      : {
          idToken: (header, claims, place, request) =>
            isRenewal(request) ? (fault.idToken?.(header, claims, place, request) ?? { header, claims }) : { header, claims },
        }),
  }
  return { name, fault: onlyThen, steps: ['sign in', 'renew', 'call'], result, requests: [...signedIn, refresh], kept: 'tokens', ...more }
}

export function isRenewal(request: Received): boolean {
  return request.form.get('grant_type') === 'refresh_token'
}

/** Carries every answer of one endpoint so. */
export function carried(endpoint: Received['endpoint'], how: Transport | ((place: Place) => Transport)): Pick<Fault, 'transport'> {
  return {
    transport: (request, place) => (request.endpoint === endpoint ? (typeof how === 'function' ? how(place) : how) : undefined),
  }
}

export function without(object: Json, ...names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}
