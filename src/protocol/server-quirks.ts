import type { ServerQuirk } from '../core/client.js'
import { bare } from '../core/secret.js'
import type { Answer } from './exchange.js'
import type { JsonObject } from './json.js'

// Named ways in which a server breaks the rules, each put right by one function over the answer, before anything reads it.

const repairs: Partial<Record<ServerQuirk, (answer: Answer) => Answer>> = bare({
  json_as_text: jsonAsText,
  error_with_status_200: errorWithStatus200,
  expires_in_null: expiresInNull,
  comma_separated_scope: commaSeparatedScope,
})

/** The answer as a server that keeps the rules would have given it. */
export function repaired(answer: Answer, quirks: ReadonlySet<ServerQuirk>): Answer {
  return [...quirks].reduce((before, quirk) => repairs[quirk]?.(before) ?? before, answer)
}

function jsonAsText(answer: Answer): Answer {
  return answer.mediaType.startsWith('text/') ? bare({ ...answer, mediaType: 'application/json' }) : answer
}

/** What GitHub says in its own words. */
const meant: Readonly<Record<string, string>> = bare({
  bad_verification_code: 'invalid_grant',
  bad_refresh_token: 'invalid_grant',
  incorrect_client_credentials: 'invalid_client',
})

function errorWithStatus200(answer: Answer): Answer {
  const error = answer.body?.['error']
  if (answer.status !== 200 || typeof error !== 'string') return answer
  return bare({ ...answer, status: 400, body: bare({ error: meant[error] ?? error }) })
}

function expiresInNull(answer: Answer): Answer {
  return answer.body?.['expires_in'] === null ? withBody(answer, { expires_in: undefined }) : answer
}

function commaSeparatedScope(answer: Answer): Answer {
  const scope = answer.body?.['scope']
  return typeof scope === 'string' ? withBody(answer, { scope: scope.replaceAll(',', ' ') }) : answer
}

function withBody(answer: Answer, change: JsonObject): Answer {
  return bare({ ...answer, body: bare({ ...answer.body, ...change }) })
}
