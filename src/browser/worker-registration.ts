/** `navigator.serviceWorker`, as far as a renewal needs it. */
export type WorkerContainer = Pick<ServiceWorkerContainer, 'getRegistrations' | 'register'>

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): { createScriptURL(address: string): unknown }
}

/** `navigator.serviceWorker`; none outside of a page, and in one that is not secure. */
export function workerContainer(): WorkerContainer | undefined {
  const { navigator } = globalThis as { readonly navigator?: { readonly serviceWorker?: WorkerContainer } }
  return navigator?.serviceWorker
}

/**
 * The worker of this script: where it is registered already, as it is, whatever its scope; else registered under a scope of its own, its own
 * address, so that it controls no page and never takes the place of the application's own. Resolves with `undefined`, or rejects, where there is none.
 */
export async function findWorker(container: WorkerContainer, url: URL): Promise<ServiceWorker | undefined> {
  const registered = (await container.getRegistrations()).find((one) => scriptOf(one) === url.href)
  if (registered === undefined) {
    // The browser takes the trusted address; where there are no Trusted Types, the address itself.
    return activeOf(await container.register(trusted(url) as string, { scope: url.href }))
  }
  // No page is ever loaded in that scope, so nothing else would make the browser look for a new version.
  if (registered.scope === url.href) void registered.update().catch(() => {})
  return activeOf(registered)
}

function scriptOf({ active, waiting, installing }: ServiceWorkerRegistration): string | undefined {
  return (active ?? waiting ?? installing)?.scriptURL
}

async function activeOf(registration: ServiceWorkerRegistration): Promise<ServiceWorker | undefined> {
  const coming = registration.installing ?? registration.waiting
  if (registration.active !== null || coming === null) return registration.active ?? undefined
  await new Promise<void>((resolve) =>
    coming.addEventListener('statechange', () => (coming.state === 'activating' || coming.state === 'redundant') && resolve()),
  )
  return registration.active ?? undefined
}

/** One policy for all sessions of the page: a second one of its name would be refused. Without it, or when it was refused, none is made again. */
let policy: ReturnType<TrustedTypes['createPolicy']> | 'refused' | undefined

/** Throws where the page's Content Security Policy does not allow the policy `valetkey`. */
function trusted(url: URL): unknown {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }
  if (trustedTypes === undefined) return url.href
  if (policy === 'refused') throw new TypeError('no policy')
  if (policy === undefined) {
    // Until it is made it counts as refused.
    policy = 'refused'
    policy = trustedTypes.createPolicy('valetkey', { createScriptURL: ownScript })
  }
  return policy.createScriptURL(url.href)
}

/** Whoever gets hold of the policy gets no script of another origin by it. */
function ownScript(address: string): string {
  if (new URL(address).origin !== globalThis.location.origin) throw new TypeError('another origin')
  return address
}
