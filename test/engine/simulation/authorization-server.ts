import type { Random, Timeline } from './timeline.js'
import type { Sent } from './wire.js'

export const rotations = ['strict', 'idempotent_grace', 'sibling_grace', 'single_use'] as const
/**
 * What a refresh token does that was used before. `strict`: it ends the family. `idempotent_grace`: for a while it gets the same
 * refresh token again. `sibling_grace`: for a while it gets another. `single_use`: it is refused, and the family lives.
 */
export type Rotation = (typeof rotations)[number]

/** A grant and all that came from it. */
export interface Family {
  readonly id: string
  living: boolean
  endedBy?: 'reuse' | 'revoked' | 'removed'
}

export interface RefreshToken {
  readonly text: string
  readonly family: Family
  /** The request that used it first. */
  used?: { readonly at: number; readonly by: Sent; readonly next: string }
  revoked: boolean
}

export interface ServedToken {
  readonly text: string
  readonly family: Family
  readonly resource: string | undefined
  readonly scope: readonly string[]
  /** When its request was started; it dies a lifetime after it was made. */
  readonly startedAt: number
  readonly diesAt: number
  readonly refreshToken: string
  /** The revocation that took it. */
  revokedBy?: number
  /** When it first was in the store. */
  storedAt?: number
}

export interface Issued {
  readonly accessToken: ServedToken
  readonly refreshToken: string
}

export interface AuthorizationServer {
  signIn(target: { readonly resource: string | undefined; readonly scope: readonly string[] }, now: number): Issued
  refresh(sent: Sent): Issued | 'invalid_grant'
  revoke(refreshToken: string): void
  /** Takes back every access token of a family (a key roll, an administrator). */
  revokeAccessTokens(): void
  /** Ends every family, for a reason of its own. */
  removeFamilies(): void
  refreshToken(text: string): RefreshToken | undefined
  accessToken(text: string): ServedToken | undefined
  accessTokens(): Iterable<ServedToken>
  /** Whether a request with it would succeed now. */
  accepts(refreshToken: string): boolean
  /** When access tokens were last taken back. */
  revocations(): readonly number[]
}

export interface AuthorizationServerParts {
  readonly time: Timeline
  readonly random: Random
  readonly rotation: Rotation
  /** How long a used refresh token is still taken, where the rotation has a grace. */
  readonly grace: number
  readonly lifetime: number
  readonly reused: (first: Sent, again: Sent) => void
}

export function authorizationServer(parts: AuthorizationServerParts): AuthorizationServer {
  const { time, rotation } = parts
  const refreshTokens = new Map<string, RefreshToken>()
  const accessTokens = new Map<string, ServedToken>()
  const revocations: number[] = []
  let count = 0

  function issue(
    family: Family,
    target: { readonly resource: string | undefined; readonly scope: readonly string[] },
    startedAt: number,
    again?: string,
  ): Issued {
    count += 1
    const refreshToken = again ?? `R${count}`
    if (again === undefined) refreshTokens.set(refreshToken, { text: refreshToken, family, revoked: false })
    const accessToken: ServedToken = { ...target, text: `A${count}`, family, startedAt, diesAt: time.now() + parts.lifetime, refreshToken }
    accessTokens.set(accessToken.text, accessToken)
    return { accessToken, refreshToken }
  }

  function refresh(sent: Sent): Issued | 'invalid_grant' {
    const token = refreshTokens.get(sent.refreshToken)
    if (token === undefined || !token.family.living || token.revoked) return 'invalid_grant'
    if (token.used === undefined) {
      const issued = issue(token.family, sent.target, sent.at)
      token.used = { at: time.now(), by: sent, next: issued.refreshToken }
      return issued
    }
    const inGrace = time.now() - token.used.at <= parts.grace
    if (rotation === 'idempotent_grace' && inGrace && refreshTokens.get(token.used.next)?.used === undefined)
      return issue(token.family, sent.target, sent.at, token.used.next)
    if (rotation === 'sibling_grace' && inGrace) return issue(token.family, sent.target, sent.at)
    if (rotation !== 'single_use') {
      end(token.family, 'reuse')
      parts.reused(token.used.by, sent)
    }
    return 'invalid_grant'
  }

  function end(family: Family, reason: NonNullable<Family['endedBy']>): void {
    if (!family.living) return
    family.living = false
    family.endedBy = reason
  }

  function accepts(text: string): boolean {
    const token = refreshTokens.get(text)
    if (token === undefined || !token.family.living || token.revoked) return false
    if (token.used === undefined) return true
    const inGrace = time.now() - token.used.at <= parts.grace
    if (rotation === 'idempotent_grace') return inGrace && refreshTokens.get(token.used.next)?.used === undefined
    return rotation === 'sibling_grace' && inGrace
  }

  return {
    signIn: (target, startedAt) => issue({ id: `F${(count += 1)}`, living: true }, target, startedAt),
    refresh,
    revoke: (text) => {
      const token = refreshTokens.get(text)
      // RFC 7009: a living one takes its grant along; one that was used is unknown here, and that is no error.
      if (token !== undefined && token.used === undefined) end(token.family, 'revoked')
    },
    revokeAccessTokens: () => {
      revocations.push(time.now())
      for (const token of accessTokens.values()) token.revokedBy ??= time.now()
    },
    removeFamilies: () => {
      for (const { family } of refreshTokens.values()) end(family, 'removed')
    },
    refreshToken: (text) => refreshTokens.get(text),
    accessToken: (text) => accessTokens.get(text),
    accessTokens: () => accessTokens.values(),
    accepts,
    revocations: () => revocations,
  }
}
