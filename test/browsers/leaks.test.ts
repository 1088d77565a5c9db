import { randomBytes } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectNothingFound, sweep } from '../support/sweep.js'
import { type Tab, cannot } from './driver.js'
import { until } from './drivers/waiting.js'
import { inEachEngine } from './engines.js'
import { type Stage, pause, progress, stageFor } from './stage.js'

// What others can see of a session: another script of the origin, the disk, the policy's reports. Every test here, as all others do, ends with
// the sweep of what the pages said to each other and to their server.

const planted = `planted-${randomBytes(24).toString('base64url')}`

/** A session and its whole life, in two tabs; it renews until a spy has seen that, if there is one. */
async function live(stage: Stage, isSeen = async () => true): Promise<void> {
  const [one, two] = [await stage.signIn(await stage.open()), await stage.open()]
  await two.evaluate('app.subscribe()')
  for (const tab of [one, two]) await tab.evaluate('app.start(50)')
  await stage.nextRenewal()
  // Long enough for a spy to see its lock, though the timers of a tab that nobody looks at go off once a second.
  stage.proxies.server.faults.set('/token', { delayMilliseconds: 2_000 })
  for (let renewals = 0; renewals < 10; renewals += 1) {
    await one.evaluate('app.renew()')
    if (await isSeen()) break
  }
  stage.proxies.server.faults.clear()
  await one.reload()
  await stage.ready(one)
  await one.evaluate('app.signOut()')
  await stage.signIn(one)
  expect(await two.evaluate('app.call()')).toBe(200)
}

inEachEngine((browser, engine) => {
  test('a spy tab of the same origin hears that something changed, and no token, code, verifier or key', async (context) => {
    const stage = await stageFor(context, browser())
    const spy = await stage.open('/spy')
    await spy.waitFor('globalThis.spy !== undefined')
    await live(stage, () => spy.evaluate<boolean>(`spy.heard.some((one) => 'lock' in one)`))
    const heard = await spy.evaluate<readonly object[]>('spy.heard')
    const names = new Set(heard.flatMap((one) => Object.keys(one)))
    progress(`${engine}: the spy heard ${heard.length} things: ${[...names].join(', ')}`)
    // It heard something, so it can hear.
    expect([...names]).toEqual(expect.arrayContaining(['broadcast valetkey valetkey', 'lock']))
    expect(stage.reports.overheard.length).toBeGreaterThan(0)
    expectNothingFound(stage.server.issued(), { heard, overheard: stage.reports.overheard, visited: stage.visited })
    // The sealing key is not extractable, and a private key would be a JWK.
    expect(JSON.stringify([heard, stage.reports.overheard])).not.toMatch(/CryptoKey|"kty"/)
  })

  test('the sweep bites: what a page says to others is found', async (context) => {
    const stage = await stageFor(context, browser())
    const spy = await stage.open('/spy')
    await spy.waitFor('globalThis.spy !== undefined')
    const tab = await stage.open()
    await tab.evaluate(`void new BroadcastChannel('valetkey valetkey').postMessage('${planted}')`)
    await tab.evaluate(`navigator.locks.request('${planted}', () => new Promise((resolve) => setTimeout(resolve, 200)))`)
    await until(async () => stage.reports.overheard.length >= 2, 5_000, 'what was said is reported')
    const heard = await spy.evaluate<readonly object[]>('spy.heard')
    expect(sweep([planted], { heard, overheard: stage.reports.overheard }).map(({ place }) => place)).toEqual(['heard', 'overheard'])
  })

  test('a violation of the policy would be reported; a session makes none', async (context) => {
    const stage = await stageFor(context, browser())
    await live(stage)
    expect(stage.reports.violations).toEqual([])
    await (
      await stage.open()
    ).evaluate(`void document.body.append(Object.assign(document.createElement('img'), { src: 'http://127.0.0.1:9/x' }))`)
    await until(async () => stage.reports.violations.length >= 2, 5_000, 'the violation is reported, by the page and by the browser')
    expect(stage.reports.violations.splice(0).join()).toMatch(/img-src/)
  })

  const reason = cannot[engine].restart
  if (reason !== undefined) {
    test(`NOT HERE: what a profile has on the disk cannot be searched in ${engine}, for ${reason}`, async (context) => {
      const stage = await stageFor(context, browser())
      await plant(await stage.open())
      await pause(0.5)
      expect(await filesWith(browser().profile, [planted])).toEqual([])
    })
    return
  }

  test('of all tokens of a run none is in clear in the files of the browser’s profile, and the session outlives the browser', async (context) => {
    const stage = await stageFor(context, browser())
    await live(stage)
    await browser().restart()
    const tab = await stage.open()
    expect(await tab.evaluate('app.call()')).toBe(200)
    await plant(tab)
    await browser().quit()
    const codes = new Set(stage.codes)
    const secrets = stage.server.issued().filter((secret) => !codes.has(secret))
    expect(secrets.length).toBeGreaterThan(6)
    // What is kept in clear is found, so the search is one.
    expect((await filesWith(browser().profile, [planted])).length).toBeGreaterThan(0)
    expect(await filesWith(browser().profile, secrets)).toEqual([])
  })
})

/** As a program would that keeps its token as it is. */
function plant(tab: Tab): Promise<unknown> {
  return tab.evaluate(`new Promise((done, failed) => Object.assign(indexedDB.open('plain'), {
    onupgradeneeded() { this.result.createObjectStore('tokens').put({ token: '${planted}' }, 'token') },
    onsuccess() { this.result.close(); done() },
    onerror: failed,
  }))`)
}

/** The files that have one of these texts, in the ways in which a browser writes text. */
async function filesWith(folder: string, texts: readonly string[]): Promise<readonly string[]> {
  const sought = texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()])
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile())
  const found: string[] = []
  for (const { parentPath, name } of files) {
    const content = await readFile(join(parentPath, name)).catch(() => Buffer.alloc(0))
    if (sought.some((bytes) => content.includes(bytes))) found.push(join(parentPath, name))
  }
  return found
}
