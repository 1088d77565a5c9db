import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { Instant } from '../core/lifetime.js'
import { missingScope } from '../core/scope.js'
import type { TokenAnswer, TokenRecord } from '../core/token-record.js'
import type { TokenEngine } from '../engine/token-engine.js'
import { revokeAnswer } from './revoke.js'

/** What a sign-in brought becomes the session. Rejects with `different_user`, and with `store_unavailable`. */
export async function adoptAnswer(
  client: Client,
  engine: TokenEngine,
  answer: TokenAnswer,
  asked: { readonly scope: readonly string[]; readonly started: Instant },
): Promise<void> {
  let record: TokenRecord
  try {
    record = await engine.signIn(answer, asked)
  } catch (error) {
    // Another user's tokens have no place here; whatever else failed may have stored these.
    if (error instanceof OAuthError && error.code === 'different_user') void revokeAnswer(client, answer)
    throw error
  }
  client.emit({ type: 'sign_in_finished' })
  const missing = missingScope(record.grantedScope, asked.scope)
  if (missing.length > 0) client.emit({ type: 'scope_narrowed', missingScope: missing })
}
