import type { BrowserContext, Page, Request } from 'playwright-core'
import { overhear } from './overhear.js'
import type { Places } from './sweep.js'

/** What the pages of a browser let out, besides what they tell the authorization server. */
export interface Evidence {
  /** What was printed, or thrown and not caught. */
  readonly console: string[]
  /** What left by another way than a call to the authorization server. */
  readonly requests: string[]
  /** Violations of a Content Security Policy. */
  readonly violations: string[]
  /** Everything, with what the tabs that are open keep and show. */
  places(): Promise<Places>
}

/** The place of what other scripts could hear. */
export const overheard = 'broadcasts, messages, lock names and storage events'

/** Begins to listen. A request that may carry a secret is left out by `mayCarry`: one to the authorization server, a call with its token. */
export async function gatherEvidence(context: BrowserContext, mayCarry: (request: Request) => boolean): Promise<Evidence> {
  const said: string[] = []
  const requests: string[] = []
  const violations: string[] = []
  const fromLeftPages: unknown[] = []
  await context.exposeFunction('reportViolation', (text: string) => violations.push(text))
  await context.exposeFunction('reportOverheard', (thing: unknown) => fromLeftPages.push(thing))
  await context.addInitScript(overhear)
  context.on('console', (message) => said.push(message.text()))
  context.on('weberror', (error) => said.push(String(error.error())))
  context.on('request', (request) => {
    if (mayCarry(request)) return
    requests.push([request.method(), request.url(), JSON.stringify(request.headers()), request.postData() ?? ''].join(' '))
  })
  return {
    console: said,
    requests,
    violations,
    places: async () => ({
      console: said,
      'requests to others': requests,
      [overheard]: fromLeftPages,
      ...Object.fromEntries(await Promise.all(context.pages().map(async (page, index) => [`tab ${index + 1}`, await kept(page)] as const))),
    }),
  }
}

/** What this page's origin keeps in clear, and what the page shows. */
async function kept(page: Page): Promise<unknown> {
  if (!page.url().startsWith('http')) return undefined
  return page.evaluate(async () => {
    const text = (value: unknown): unknown => {
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
        const bytes =
          value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
      }
      if (typeof value !== 'object' || value === null || value instanceof CryptoKey) return String(value)
      return Object.entries(value).map(([name, member]) => [name, text(member)])
    }
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) =>
        Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }),
      )
    const databases: unknown[] = []
    for (const { name = '' } of (await globalThis.indexedDB?.databases()) ?? []) {
      const open = await settled(indexedDB.open(name))
      for (const store of open.objectStoreNames) {
        const records = open.transaction(store).objectStore(store)
        databases.push([name, store, await settled(records.getAllKeys()), (await settled(records.getAll())).map(text)])
      }
      open.close()
    }
    return {
      databases,
      localStorage: Object.entries(localStorage),
      sessionStorage: Object.entries(sessionStorage),
      cookie: document.cookie,
      address: location.href,
      state: JSON.stringify(history.state),
      document: document.documentElement.outerHTML,
      locks: (await navigator.locks.query()).held,
      app: JSON.stringify({ ...(globalThis as unknown as { app?: object }).app }),
    }
  })
}
