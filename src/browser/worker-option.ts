import { isSecure, parseUrl } from '../core/address.js'
import type { Client } from '../core/client.js'
import { type Members, wrongOption } from '../core/option.js'
import type { Store } from '../core/ports.js'
import type { RenewElsewhere } from '../engine/elsewhere.js'
import { databaseOf } from './database-name.js'
import { pageAddress } from './page-address.js'
import type { RenewalWorker } from './renewal-worker.js'

/** Parts of a session whose renewals outlive the page. */
export interface RenewalsByWorker {
  readonly renewElsewhere?: RenewElsewhere
  readonly makeReady?: () => void
}

/**
 * Reads the option `worker`. The code that talks to it is loaded only where there is one.
 * @throws OAuthError `invalid_configuration`
 */
export function renewalsByWorker(members: Members, client: Client, account: string | undefined): RenewalsByWorker {
  const { worker, store } = members
  if (worker === undefined) return {}
  readWorker(worker)
  const database = store === undefined ? 'valetkey' : databaseOf(store as Store)
  const foreign = ['lock', 'fetch', 'clock'].find((name) => members[name] !== undefined) ?? (database === undefined ? 'store' : undefined)
  if (foreign !== undefined)
    throw wrongOption(foreign, 'of yours is not there in a worker: leave one of the two out, or take an indexedDBStore.')

  let loading: Promise<RenewalWorker | undefined> | undefined
  const loaded = () =>
    (loading ??= import('./renewal-worker.js')
      .then(({ workerOf }) => workerOf(readWorker(worker), client, account, database))
      .catch(() => undefined))
  return {
    // Code that is slow to come is not waited for longer than two seconds. Then the page renews.
    renewElsewhere: async (wanted, due) => ((await Promise.race([loaded(), client.clock.wait(2_000)])) ?? undefined)?.renew(wanted, due),
    makeReady: () => void loaded().then((ready) => ready?.makeReady()),
  }
}

/** A path of this origin, or a whole address there; `undefined` where there is no page yet, whose origin would be known. */
function readWorker(value: unknown): URL | undefined {
  const here = pageAddress()
  const base = here?.origin ?? 'https://page.invalid'
  const written = String(value)
  const url = /^(?:\/(?!\/)|https?:\/\/)[^\s\p{Cc}\\#]*$/u.test(written) ? parseUrl(written, base) : undefined
  if (url === undefined || !isSecure(url) || (here !== undefined && url.origin !== base)) {
    throw wrongOption('worker', 'must be the address of a script of this origin, such as /valetkey-worker.js.')
  }
  return here === undefined ? undefined : url
}
