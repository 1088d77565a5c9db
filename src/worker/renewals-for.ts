import { indexedDBStore } from '../browser/indexeddb-store.js'
import { type RenewalReply, type RenewalRequest, renewalOptions, replyMessage } from '../browser/renewal-messages.js'
import { isOffline } from '../browser/page.js'
import { pageLock } from '../browser/web-locks.js'
import type { Client } from '../core/client.js'
import { readClient } from '../core/client-options.js'
import type { OAuthFact } from '../core/events.js'
import { ownMembers, text } from '../core/option.js'
import { present } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import { prepareRenewal } from '../grants/refresh-token.js'
import { revoke } from '../protocol/revocation.js'
import { engineOver } from '../session/engine-over.js'
import { withProofs } from '../session/proofs.js'
import { systemClock } from '../system-clock.js'
import { tokenSource } from '../token-source.js'

/** The renewals of one client's session, in a worker. */
export interface Served {
  /** Renews for a page and tells it what happens. Resolves when nothing is under way any more: until then the worker has to live. Never rejects. */
  serve(request: RenewalRequest, port: Pick<MessagePort, 'postMessage'>): Promise<void>
}

/** What serves a client of these options, made at its first renewal and kept as long as the worker; `undefined` where the options are none. */
export function renewalsFor(config: object, known: Map<string, Served>): Served | undefined {
  try {
    const name = JSON.stringify(config)
    const made = known.get(name) ?? served(config)
    known.set(name, made)
    return made
  } catch {
    return undefined
  }
}

function served(config: object): Served {
  const members = ownMembers(config, renewalOptions, 'the worker')
  /** Those who wait for the renewal that runs, the one who began it first. */
  const asking = new Set<(fact: OAuthFact) => void>()
  const checked = readClient(config, renewalOptions, { clock: systemClock }, 'the worker')
  const store = indexedDBStore(present<{ database: string }>({ database: text(members, 'database') }))
  const client: Client = withProofs(Object.freeze({ ...checked, emit: (fact: OAuthFact) => [...asking][0]?.(fact) }), store)
  const revoking = new Set<Promise<unknown>>()
  const { engine } = engineOver(
    {
      client,
      account: text(members, 'account'),
      store,
      lock: pageLock(),
      oneMachine: true,
      isOffline,
    },
    { prepare: prepareRenewal(client), proofs: client.proofs, revoke: (answer) => keepAlive(revokeAnswer(client, answer)) },
    tokenSource,
  )

  function keepAlive(work: Promise<unknown>): void {
    revoking.add(work)
    void work.finally(() => revoking.delete(work))
  }

  async function serve({ wanted, due }: RenewalRequest, port: Pick<MessagePort, 'postMessage'>): Promise<void> {
    const tell = (reply: RenewalReply) => port.postMessage(replyMessage(reply))
    tell({ kind: 'taken' })
    if (await isHere(due.session)) {
      const begins = asking.size === 0
      const hear = (fact: OAuthFact) => tell({ kind: 'fact', fact })
      asking.add(hear)
      const round = await engine.renew(wanted, due, due.session)
      asking.delete(hear)
      if (!begins && round.error === undefined) hear({ type: 'renewal_adopted' })
      tell({ kind: 'done', round })
    } else tell({ kind: 'absent' })
    await engine.atRest()
    await Promise.all(revoking)
  }

  /** A page that keeps its tokens in memory has a session that is not in the database. */
  async function isHere(session: string): Promise<boolean> {
    try {
      return (await engine.look()).record?.session === session
    } catch {
      return false
    }
  }

  return { serve }
}

/** The refresh token first, for the server may take the rest along with it (RFC 7009 section 2.1). */
async function revokeAnswer(client: Client, { refreshToken, accessToken }: TokenAnswer): Promise<void> {
  if (refreshToken !== undefined) await revoke(client, refreshToken, 'refresh_token')
  await revoke(client, accessToken, 'access_token')
}
