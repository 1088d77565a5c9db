import { OAuthError } from '../core/errors.js'
import { readRequest } from '../browser/renewal-messages.js'
import { type Served, renewalsFor } from './renewals-for.js'

/** What a page sends, where a service worker hears of it. */
interface PageMessage extends MessageEvent<unknown> {
  /** Keeps the worker alive until then. */
  waitUntil(work: Promise<unknown>): void
}

interface WorkerScope {
  readonly origin: string
  addEventListener(type: 'message', listener: (event: PageMessage) => void): void
}

const served = new Map<string, Served>()
let serving = false

/**
 * In the script of a service worker, yours or one of its own: renews the sessions of pages that name the script as their `worker`, with the same
 * engine, on the same IndexedDB and under the same Web Lock. It stays alive until the answer to a renewal is stored, so that a renewal that was sent
 * (RFC 6749 section 6) is also stored when the page is reloaded or closed meanwhile. It intercepts no request, attaches no token to anything,
 * controls no page, and no token is in any message. Call it when the script starts; a second call does nothing.
 *
 * @throws OAuthError `not_supported` where this is no service worker
 *
 * @example
 * import { serveRenewals } from 'valetkey/worker'
 *
 * serveRenewals() // all of it: bundle this into one file, /valetkey-worker.js
 */
export function serveRenewals(): void {
  const scope = workerScope()
  if (serving) return
  serving = true
  scope.addEventListener('message', (event) => {
    const request = event.origin === scope.origin && event.ports.length === 1 ? readRequest(event.data) : undefined
    const [port] = event.ports
    if (request === undefined || port === undefined) return
    const renewals = renewalsFor(request.config, served)
    if (renewals !== undefined) event.waitUntil(renewals.serve(request, port))
  })
}

function workerScope(): WorkerScope {
  const { ServiceWorkerGlobalScope: Scope } = globalThis as { readonly ServiceWorkerGlobalScope?: new () => WorkerScope }
  const here: unknown = globalThis
  if (Scope !== undefined && here instanceof Scope) return here
  throw new OAuthError(
    'not_supported',
    'serveRenewals() is for the script of a service worker. In a page, give its address to browserSession as `worker`.',
  )
}
