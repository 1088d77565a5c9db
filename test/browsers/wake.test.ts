import { type TestContext, expect, test } from 'vitest'
import type { Browser, Tab } from './driver.js'
import { until } from './drivers/waiting.js'
import { inEachEngine, short } from './engines.js'
import { type Stage, callsOf, lifetimeSeconds, now, pause, progress, stageFor } from './stage.js'

// Time that passes unnoticed, and clocks that are wrong: the first call after it is answered, with at most one token request.

const [minute, day] = [60_000, 86_400_000]
const shifts = [
  ['ten minutes fast', 10 * minute],
  ['ten minutes slow', -10 * minute],
  ['a day fast', day],
  ['a day slow', -day],
] as const
/** More than a token lives. */
const longer = lifetimeSeconds + 2
const offlineSeconds = short ? 6 : 30

async function signedIn(context: TestContext, browser: Browser, clockOffset = 0): Promise<{ readonly stage: Stage; readonly tab: Tab }> {
  const stage = await stageFor(context, browser)
  stage.config.clockOffset = clockOffset
  return { stage, tab: await stage.signIn(await stage.open()) }
}

/** The first call of a tab that began after this. */
async function firstCall(tab: Tab, after: number): Promise<unknown> {
  await tab.waitFor(`app.calls.some(({ began }) => began > ${after})`)
  return (await callsOf(tab)).find(({ began }) => began > after)?.outcome
}

inEachEngine((browser, engine) => {
  test(`a page that is frozen for ${longer} seconds, longer than its token lives`, async (context) => {
    const { stage, tab } = await signedIn(context, browser())
    const tabs = [tab, await stage.open()]
    for (const one of tabs) await one.evaluate('app.start(100)')
    await tab.evaluate('app.renew()')
    const thaw = await browser().freeze()
    context.onTestFinished(thaw)
    await pause(longer)
    const calls = stage.api.log.length
    await pause(1)
    // It is frozen indeed.
    expect(stage.api.log.length).toBe(calls)
    const thawed = now()
    thaw()
    expect(await Promise.all(tabs.map((one) => firstCall(one, thawed)))).toEqual([200, 200])
    expect(stage.renewals(thawed).length).toBeLessThanOrEqual(1)
    expect(stage.api.answered(401)).toBe(0)
    expect(stage.server.counters).toMatchObject({ reuses: 0, grantsRevoked: 0 })
  })

  test('a page that is frozen while its renewal is answered', async (context) => {
    const { stage, tab } = await signedIn(context, browser())
    stage.proxies.server.faults.set('/token', { delayMilliseconds: 800 })
    const renewal = stage.nextRenewal()
    await tab.evaluate('void app.renew()')
    await renewal
    const thaw = await browser().freeze()
    context.onTestFinished(thaw)
    await pause(longer)
    stage.proxies.server.faults.clear()
    const thawed = now()
    thaw()
    expect(await tab.evaluate('app.call()')).toBe(200)
    expect(stage.renewals(thawed).length).toBeLessThanOrEqual(1)
    expect(stage.server.counters).toMatchObject({ reuses: 0, grantsRevoked: 0 })
  })

  test.concurrent.for(shifts)('a page whose clock is %s is answered every call, and renews as others do', async ([, offset], context) => {
    const { stage, tab } = await signedIn(context, browser(), offset)
    const began = now()
    await tab.evaluate('app.start(100)')
    await pause(2 * lifetimeSeconds)
    await tab.evaluate('app.stop()')
    expect(new Set((await callsOf(tab)).map(({ outcome }) => outcome))).toEqual(new Set([200]))
    expect(stage.api.answered(401)).toBe(0)
    expect(stage.renewals(began).length).toBeGreaterThanOrEqual(2)
    expect(stage.renewals(began).length).toBeLessThanOrEqual(Math.ceil(1.35 * 2) + 1)
    // Who is new to the session has what was stored by that clock.
    const opened = now()
    expect(await (await stage.open()).evaluate('app.call()')).toBe(200)
    expect(stage.renewals(opened).length).toBeLessThanOrEqual(1)
  })

  test.concurrent.for(shifts)('a page whose clock jumps, and is then %s', async ([, jump], context) => {
    const { stage, tab } = await signedIn(context, browser())
    await tab.evaluate('app.call()')
    const jumped = now()
    await tab.evaluate(`app.jump(${jump})`)
    expect(await tab.evaluate('app.call()')).toBe(200)
    expect(stage.renewals(jumped).length).toBeLessThanOrEqual(1)
    await tab.evaluate('app.start(100)')
    await pause(longer)
    await tab.evaluate('app.stop()')
    expect(new Set((await callsOf(tab)).map(({ outcome }) => outcome))).toEqual(new Set([200]))
    expect(stage.renewals(jumped).length).toBeLessThanOrEqual(3)
    stage.config.clockOffset = jump
    // A renewal on its way would be torn by the reload, which other tests are about: this one waits for it.
    expect(await tab.evaluate('app.renew()')).toBe('renewed')
    const reloaded = now()
    await tab.reload()
    expect(await (await stage.ready(tab)).evaluate('app.call()')).toBe(200)
    expect(stage.renewals(reloaded).length).toBeLessThanOrEqual(1)
  })

  test.concurrent.for([
    ['a day ahead, and may be read', day, true],
    ['a day behind, and may be read', -day, true],
    ['a day ahead, and may not be read', day, false],
  ] as const)('a server whose Date is %s', async ([, offset, readable], context) => {
    const stage = await stageFor(context, browser())
    Object.assign(stage.proxies.server, { dateOffset: offset, dateReadable: readable })
    const tab = await stage.signIn(await stage.open())
    const began = now()
    await tab.evaluate('app.start(100)')
    await pause(longer)
    await tab.evaluate('app.stop()')
    const opened = now()
    const other = await stage.open()
    expect(await other.evaluate('app.call()')).toBe(200)
    expect(stage.renewals(opened).length).toBeLessThanOrEqual(1)
    expect(new Set((await callsOf(tab)).map(({ outcome }) => outcome))).toEqual(new Set([200]))
    expect(stage.renewals(began).length).toBeLessThanOrEqual(3)
  })

  test.concurrent.for([
    ['does nothing meanwhile', false],
    ['calls all the while', true],
  ] as const)(`a page that is offline for ${offlineSeconds} seconds and %s`, async ([, calls], context) => {
    const { stage, tab } = await signedIn(context, browser())
    await tab.evaluate('app.call()')
    stage.offline = true
    await tab.evaluate('app.network(false)')
    if (calls) await tab.evaluate('app.start(500)')
    await pause(offlineSeconds)
    await tab.evaluate('app.stop()')
    const back = now()
    stage.offline = false
    await tab.evaluate('app.network(true)')
    const outcome = await tab.evaluate('app.call()')
    progress(`${engine}, offline, calling: ${calls}: ${String(outcome)} after ${stage.renewals(0).length} token requests`)
    expect(outcome).toBe(200)
    expect(stage.renewals(back).length).toBeLessThanOrEqual(1)
    expect(stage.server.counters).toMatchObject({ reuses: 0, grantsRevoked: 0 })
  })

  // Alone: a browser with many tabs keeps few pages as they were.
  test('a page that comes back as it was left, after its token ended', async (context) => {
    const { stage, tab } = await signedIn(context, browser())
    expect(await tab.evaluate('app.call()')).toBe(200)
    await tab.evaluate('app.callWhenRestored()')
    await tab.goto(`${stage.origin}/elsewhere`)
    await pause(longer)
    const back = now()
    await tab.evaluate('history.back()').catch(() => {})
    await until(async () => stage.reports.restored.length > 0, 15_000, 'the page comes back as it was')
    expect(stage.reports.restored).toEqual(['200'])
    expect(stage.renewals(back).length).toBeLessThanOrEqual(1)
  })
})
