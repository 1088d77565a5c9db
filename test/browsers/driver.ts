import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChromium } from './drivers/chromium.js'
import { startFirefox } from './drivers/firefox.js'
import { startWebKit } from './drivers/webkit.js'
import { freeze } from './drivers/processes.js'
import type { EngineName } from './set-up/engines.mjs'

export type { EngineName }

/** A tab of a browser, whichever engine. */
export interface Tab {
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** What an expression of JavaScript, awaited, comes to in the page, as JSON has it. */
  evaluate<T = unknown>(expression: string): Promise<T>
  /** Resolves when the expression is true in the page, in whatever document the tab then shows. Default: 30 seconds. */
  waitFor(expression: string, milliseconds?: number): Promise<void>
  address(): Promise<string>
  /** Closes it without asking the page. */
  close(): Promise<void>
}

export interface Browser {
  readonly engine: EngineName
  /** The folder of its profile. */
  readonly profile: string
  /** Its pages may open windows by themselves where it is a window of its own; a tab of MiniBrowser opens none without a click. */
  open(url: string, as?: 'tab' | 'window'): Promise<Tab>
  /** Closes all tabs and windows, those too that a page has opened. */
  closeTabs(): Promise<void>
  /** How many there are. */
  countTabs(): Promise<number>
  /** Stops the processes that run its pages, as the sleep of a machine does, and resolves with how to let them go on. */
  freeze(): Promise<() => void>
  /** Ends it and starts it again on the same profile; its tabs are gone. */
  restart(): Promise<void>
  /** Ends it, and leaves the profile to be looked at. */
  quit(): Promise<void>
}

/** What a driver does; the rest is the same for all. */
export interface Driver {
  /** The browser's own process, or that of what started it. */
  readonly pid: number
  open(url: string, as?: 'tab' | 'window'): Promise<Tab>
  closeTabs(): Promise<void>
  countTabs(): Promise<number>
  quit(): Promise<void>
}

/** What an engine cannot do, by itself or under its driver, and why: a test that needs it says so by its name. */
export const cannot: Readonly<Record<EngineName, Readonly<Partial<Record<'restart' | 'sendStreams', string>>>>> = {
  Chromium: {},
  Firefox: { sendStreams: 'it knows no stream as the body of a request' },
  WebKit: {
    restart: 'MiniBrowser under automation writes nothing to the disk',
    sendStreams: 'it knows no stream as the body of a request',
  },
}

const start = { Chromium: startChromium, Firefox: startFirefox, WebKit: startWebKit }

export async function startBrowser(engine: EngineName): Promise<Browser & { close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'valetkey-'))
  let driver: Driver | undefined = await start[engine](profile)
  const running = (): Driver => {
    if (driver === undefined) throw new Error('The browser has been quit.')
    return driver
  }
  const quit = async (): Promise<void> => {
    await driver?.quit()
    driver = undefined
  }
  return {
    engine,
    profile,
    open: (url, as) => running().open(url, as),
    closeTabs: () => running().closeTabs(),
    countTabs: () => running().countTabs(),
    freeze: async () => freeze(running().pid),
    async restart() {
      await quit()
      driver = await start[engine](profile)
    },
    quit,
    async close() {
      await quit()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
