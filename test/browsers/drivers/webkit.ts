import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Builder, type WebDriver } from 'selenium-webdriver'
import { freePort } from '../../fleet/set-up/servers.mjs'
import type { Driver, Tab } from '../driver.js'
import { findWebKit } from '../set-up/engines.mjs'
import { until } from './waiting.js'

/** MiniBrowser on a screen that nobody sees, by WebKitWebDriver. */
export async function startWebKit(profile: string): Promise<Driver> {
  const found = findWebKit()
  const screen = spawn(found.display, ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [display] = (await once(screen.stdout, 'data')) as [Buffer]
  const port = await freePort()
  const driving = spawn(found.driver, ['--host=127.0.0.1', `--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, ...(await surroundings(profile)), DISPLAY: `:${display.toString().trim()}` },
  })
  const ended = () => Promise.all([end(driving), end(screen)])
  // However the tests end.
  process.once('exit', () => [driving, screen].forEach((child) => child.kill()))
  const builder = new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities({
    browserName: 'MiniBrowser',
    acceptInsecureCerts: true,
    'webkitgtk:browserOptions': { binary: found.browser, args: ['--automation', '--javascript-can-open-windows-automatically=true'] },
  })
  await until(async () => (await fetch(`http://127.0.0.1:${port}/status`)).ok, 10_000, 'WebKitWebDriver answers')
  const driver = await builder.build()
  await driver.manage().setTimeouts({ script: 60_000 })
  const inTurn = oneAtATime()
  // The tab that it begins with stays: with the last of its tabs the session would end.
  const first = await driver.getWindowHandle()
  return {
    pid: driving.pid ?? 0,
    open: (url, as = 'tab') =>
      inTurn(async () => {
        await driver.switchTo().window(first)
        await driver.switchTo().newWindow(as)
        const handle = await driver.getWindowHandle()
        await driver.get(url)
        return tabOf(driver, handle, inTurn)
      }),
    closeTabs: () =>
      inTurn(async () => {
        for (const handle of await driver.getAllWindowHandles()) {
          if (handle === first) continue
          await driver.switchTo().window(handle)
          await driver.close()
        }
      }),
    countTabs: () => inTurn(async () => (await driver.getAllWindowHandles()).length),
    async quit() {
      await inTurn(() => driver.quit()).catch(() => {})
      await ended()
    },
  }
}

type InTurn = <T>(run: () => Promise<T>) => Promise<T>

/** One WebDriver session looks at one tab at a time. */
function oneAtATime(): InTurn {
  let turn: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = turn.then(run)
    turn = mine.catch(() => {})
    return mine
  }
}

function tabOf(driver: WebDriver, handle: string, inTurn: InTurn): Tab {
  const here: InTurn = (run) =>
    inTurn(async () => {
      await driver.switchTo().window(handle)
      return run()
    })
  const evaluate = <T>(expression: string): Promise<T> =>
    here(async () => {
      const script = `const done = arguments[0]
        ;(async () => (${expression}))().then((value) => done([JSON.stringify(value)]), (error) => done([null, String(error)]))`
      const [value, failed] = (await driver.executeAsyncScript(script)) as [string | null | undefined, string?]
      if (failed !== undefined) throw new Error(failed)
      return (value === null || value === undefined ? undefined : JSON.parse(value)) as T
    })
  return {
    goto: (url) => here(() => driver.get(url)),
    reload: () => here(() => driver.navigate().refresh()),
    evaluate,
    waitFor: (expression, milliseconds = 30_000) => until(() => evaluate(`!!(${expression})`), milliseconds, expression),
    address: () => here(() => driver.getCurrentUrl()),
    close: () => here(() => driver.close()),
  }
}

/** No folder of whoever runs the tests is touched. */
async function surroundings(profile: string): Promise<Readonly<Record<string, string>>> {
  const folders = { HOME: 'home', XDG_DATA_HOME: 'data', XDG_CACHE_HOME: 'cache', XDG_CONFIG_HOME: 'config', XDG_RUNTIME_DIR: 'run' }
  const paths = Object.entries(folders).map(([name, folder]) => [name, join(profile, folder)] as const)
  for (const [, path] of paths) await mkdir(path, { recursive: true, mode: 0o700 })
  return {
    ...Object.fromEntries(paths),
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
    ...(process.getuid?.() === 0 ? { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' } : {}),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}
