import { OAuthError, type OAuthErrorCode, type OAuthErrorFacts } from '../core/errors.js'
import { number, object, optional, string, strings } from '../core/reading.js'
import { present } from '../core/secret.js'

// An OAuthError from one thread to another: its words and its code, not the error itself, which a copy would turn into another.

export function errorMessage({ code, message, serverError, status, retryAt, missingScope }: OAuthError): object {
  return { code, message, serverError, status, retryAt, missingScope }
}

/** Throws `Unreadable` where it is none. */
export function readError(value: unknown): OAuthError {
  const from = object(value)
  const facts = present<OAuthErrorFacts>({
    serverError: optional(from['serverError'], string),
    status: optional(from['status'], number),
    retryAt: optional(from['retryAt'], number),
    missingScope: optional(from['missingScope'], strings),
  })
  return new OAuthError(readCode(from['code']), string(from['message']), facts)
}

/** It chooses words and what a program offers, so one that only another version knows is no reason to say nothing. */
export function readCode(value: unknown): OAuthErrorCode {
  return string(value) as OAuthErrorCode
}
