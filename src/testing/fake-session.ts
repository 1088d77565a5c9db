import { accessToken } from '../core/access-token.js'
import type { AccessToken } from '../core/access-token.js'
import { OAuthError } from '../core/errors.js'
import { ownMembers } from '../core/option.js'
import { missingScope, unionScope } from '../core/scope.js'
import type { Session, SessionSnapshot } from '../core/session-contract.js'

const snapshotMembers = ['status', 'grantedScope', 'idTokenClaims', 'authorizationDetails', 'sessionExpiresAt', 'ended'] as const

/**
 * A session for an application's own tests: signed in as you say (signed out, if you say nothing), signs in and out without a server and
 * at once. A sign-in is granted whatever it asks for. Its access token is `token`, else one whose text is `test-token`.
 *
 * @throws OAuthError `invalid_configuration` for a member that a session's snapshot does not have
 *
 * @example
 * const session = fakeSession({ status: 'signed_in', grantedScope: ['notes:read'] })
 * const api = oauthFetch(session, { resources: ['https://api.example.com/'], fetch: async () => new Response('[]') })
 */
export function fakeSession(start: Partial<SessionSnapshot> & { readonly token?: AccessToken } = {}): Session {
  const { token, ...facts } = ownMembers(start, [...snapshotMembers, 'token'], 'fakeSession') as typeof start
  const { status: _, ended: __, grantedScope: configuredScope = [], ...user } = facts
  const listeners = new Set<{ readonly changed: () => void }>()
  let current: SessionSnapshot = Object.freeze({ status: 'signed_out', grantedScope: [], ...facts })
  let held = token
  let renewals = 0

  function become(next: SessionSnapshot): void {
    current = Object.freeze(next)
    for (const { changed } of listeners) changed()
  }

  /** As a session that ended by itself, or never began, would say it. */
  function signedIn(): void {
    if (current.status !== 'signed_in') throw new OAuthError('sign_in_required', 'This session is not signed in. Call signIn first.')
  }

  return {
    async token(options = {}) {
      options.signal?.throwIfAborted()
      signedIn()
      const missing = missingScope(current.grantedScope, options.scope ?? [])
      if (missing.length > 0) {
        throw new OAuthError('scope_not_granted', `This session was not granted: ${missing.join(' ')}. Sign in with that scope.`, {
          missingScope: missing,
        })
      }
      held ??= accessToken('test-token', { scope: current.grantedScope })
      if (options.rejected === held) held = accessToken(`test-token-${(renewals += 1)}`, { scope: current.grantedScope })
      return held
    },
    async resume(response) {
      if (response !== undefined) {
        throw new OAuthError(
          'authorization_response_invalid',
          'No authorization request of this session waits for a response. Call signIn first.',
        )
      }
      if (current.status === 'unknown') become({ ...current, status: 'signed_out' })
      return current.status === 'signed_in'
    },
    async signIn(options = {}) {
      options.signal?.throwIfAborted()
      const granted = current.status === 'signed_in' ? current.grantedScope : []
      become({ status: 'signing_in', grantedScope: granted })
      if (token === undefined) held = undefined
      become({ ...user, status: 'signed_in', grantedScope: unionScope(granted, options.scope ?? configuredScope) })
    },
    async signOut(options = {}) {
      const did = current.status === 'signed_in' ? 'revoked' : 'absent'
      if (token === undefined) held = undefined
      become({ status: 'signed_out', grantedScope: [], ended: 'signed_out' })
      return { refreshToken: did, accessTokens: did, authorizationServer: options.atAuthorizationServer === true ? 'ended' : 'not_asked' }
    },
    missingScope: (wanted) => missingScope(current.grantedScope, wanted),
    subscribe(changed) {
      const listener = { changed }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    snapshot: () => current,
  }
}
