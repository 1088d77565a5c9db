// A real Chromium on a page of one's own: bundled from its TypeScript, served on 127.0.0.1, several tabs in one profile.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { findBrowser, launchArgs } from '../set-up/browser.mjs'
import { bundlePage } from './page-bundle.js'

export interface PagesOptions {
  /** The page's script; what it imports by `import()` is loaded when it is due. */
  readonly bundleEntry: URL
  /** The document at every other path. It loads `/entry.js`, unless given. */
  readonly html?: string | undefined
  /** Answers first; true when it has. */
  readonly answer?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** Whether pages that are left may be kept as they were. Playwright loses sight of one that is restored. Default false. */
  readonly backForwardCache?: boolean | undefined
  /** Whether windows are blocked that open by themselves, as for a user. Default false. */
  readonly popupBlocker?: boolean | undefined
  /** Whether a page may call `gc()`. Default false. */
  readonly exposesGarbageCollection?: boolean | undefined
}

export interface Pages {
  readonly origin: string
  /** The folder of the browser's profile: what is on the disk. */
  readonly profile: string
  /** The tabs as playwright knows them; of the browser that runs now. */
  context(): BrowserContext
  /** A new tab, its script loaded. */
  open(path?: string): Promise<Page>
  /** Ends the browser and starts it again on the same profile; all tabs are gone. */
  restart(): Promise<void>
  /** Ends the browser and leaves the profile, to be looked at. */
  quit(): Promise<void>
  /** Ends everything and removes the profile. */
  close(): Promise<void>
}

const document =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><script type="module" src="/entry.js"></script></html>'

export async function startPages({
  bundleEntry,
  html = document,
  answer,
  backForwardCache = false,
  popupBlocker = false,
  exposesGarbageCollection = false,
}: PagesOptions): Promise<Pages> {
  const files = await bundlePage({ entry: bundleEntry })
  const server = createServer((request, response) => {
    if (answer?.(request, response) === true) return
    const file = files.get(new URL(request.url ?? '/', 'http://127.0.0.1').pathname)
    // A frame of an opaque origin may load the script too.
    const headers = { 'cache-control': 'no-cache', 'access-control-allow-origin': '*', 'referrer-policy': 'no-referrer' }
    response.writeHead(200, { ...headers, 'content-type': file === undefined ? 'text/html' : 'text/javascript' }).end(file ?? html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const withoutDefaults = [
    ...(backForwardCache ? ['--disable-back-forward-cache'] : []),
    ...(popupBlocker ? ['--disable-popup-blocking'] : []),
  ]
  const profile = await mkdtemp(join(tmpdir(), 'valetkey-'))
  const args = [...launchArgs, ...(exposesGarbageCollection ? ['--js-flags=--expose-gc'] : [])]
  let context: BrowserContext | undefined = await launch(profile, args, withoutDefaults)

  const running = (): BrowserContext => {
    if (context === undefined) throw new Error('the browser has been quit')
    return context
  }

  async function quit(): Promise<void> {
    await context?.close()
    context = undefined
  }

  return {
    origin,
    profile,
    context: running,
    async open(path = '/') {
      const tab = await running().newPage()
      await tab.goto(new URL(path, origin).href, { waitUntil: 'load' })
      return tab
    },
    async restart() {
      await quit()
      context = await launch(profile, args, withoutDefaults)
    },
    quit,
    async close() {
      await quit()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(profile, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function launch(profile: string, args: string[], withoutDefaults: string[]): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: await findBrowser(),
    headless: true,
    // The servers of the tests vouch for themselves.
    ignoreHTTPSErrors: true,
    args,
    ignoreDefaultArgs: withoutDefaults,
  })
}
