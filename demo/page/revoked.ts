import type { AccessToken, Session } from '../../src/browser/index.js'
import type { PageCall } from '../servers/page.js'
import { comparison, trial } from './comparison.js'

interface Parts {
  readonly session: Session
  readonly calls: readonly PageCall[]
  readonly fetch: typeof fetch
  /** Has the authorization server revoke every access token. */
  readonly revoke: () => Promise<void>
  /** An API has a token now. */
  readonly called: (api: string) => void
}

const [before, revoked, expired] = [0, 1, 2]

/**
 * Revokes the tokens of two APIs and sends both once more: the API that asks the authorization server knows at once, the one that checks signatures when
 * the token expires. These calls go past `oauthFetch`, which would get new tokens for the refused ones.
 */
export function revocationTrial(place: HTMLElement, { session, calls, fetch, revoke, called }: Parts): void {
  const [asks, checks] = (['opaque', 'jwt'] as const).map((format) => calls.find((call) => call.format === format && call.method === 'GET'))
  place.hidden = asks === undefined || checks === undefined
  if (asks === undefined || checks === undefined) return
  const sides = [asks, checks]
  const shown = comparison(
    'What two APIs answer to a revoked token',
    [
      { name: asks.api, words: 'Random strings: it asks the server at every call.' },
      { name: checks.api, words: 'Signed JWTs: it checks the signature, and asks nobody.' },
    ],
    [
      { name: 'Before', due: 'accepted' },
      { name: 'Revoked', due: 'refused' },
      { name: 'Expired', due: 'refused' },
    ],
  )
  shown.clear()

  let rounds = 0
  const run = async (): Promise<string> => {
    const round = (rounds += 1)
    shown.clear()
    const tokens = await Promise.all(sides.map(({ resource }) => session.token({ ...target(resource), minimumValiditySeconds: 3 })))
    const send = (row: number): Promise<unknown> =>
      Promise.all(
        sides.map(async ({ url }, column) => {
          const { status } = await fetch(url, { headers: (await tokens[column]?.headersFor('GET', url)) ?? {} })
          if (round === rounds) shown.answered(row, column, status)
        }),
      )
    await send(before)
    for (const { api } of sides) called(api)
    await revoke()
    await send(revoked)
    await ends(tokens, (words) => round === rounds && shown.say(expired, 1, words))
    await send(expired)
    return `${asks.api} knew at once. ${checks.api} went by the token’s own end. The session goes on: its next call gets a new token.`
  }
  const words = { lead: 'Both tokens are revoked at the server, and sent once more.', button: 'Revoke both tokens' }
  trial(place, words, shown, run)
}

/** Resolves when all are over, and counts the seconds down meanwhile. */
function ends(tokens: readonly AccessToken[], count: (words: string) => void): Promise<void> {
  // A server counts whole seconds.
  const end = Math.max(...tokens.map(({ expiresAt = 0 }) => expiresAt)) + 1_000
  return new Promise((resolve) => {
    const look = (): void => {
      const left = end - Date.now()
      count(left > 0 ? `in ${Math.ceil(left / 1_000)} s` : '…')
      if (left > 0) return
      clearInterval(timer)
      resolve()
    }
    const timer = setInterval(look, 250)
    look()
  })
}

function target(resource: string | undefined): { readonly resource?: string } {
  return resource === undefined ? {} : { resource }
}
