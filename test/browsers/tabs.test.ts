import { expect, test } from 'vitest'
import { inEachEngine, short } from './engines.js'
import { callsOf, lifetimeSeconds, now, pause, progress, stageFor } from './stage.js'

// Several tabs of one session. These runs count, they do not measure.

const seconds = short ? 12 : 60

inEachEngine((browser, engine) => {
  test(`B7 six tabs that call for ${seconds} seconds renew once for all, at most 1.35 times a lifetime, and none is signed out`, async (context) => {
    const stage = await stageFor(context, browser())
    const tabs = [await stage.signIn(await stage.open())]
    while (tabs.length < 6) tabs.push(await stage.open())
    // As across a network: in this time each tab has a call that finds the renewal due.
    stage.proxies.server.faults.set('/token', { delayMilliseconds: 250 })
    const began = now()
    for (const tab of tabs) await tab.evaluate('app.start(100)')
    await pause(seconds)
    for (const tab of tabs) await tab.evaluate('app.stop()')
    const lifetimes = (now() - began) / 1_000 / lifetimeSeconds
    const calls = (await Promise.all(tabs.map(callsOf))).flat()
    const asked = stage.renewals(began)
    progress(`${engine}: ${calls.length} calls, ${asked.length} token requests in ${lifetimes.toFixed(1)} lifetimes`)
    expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set([200]))
    expect(stage.api.answered(401)).toBe(0)
    // Each request was answered with a new generation: none was made in vain.
    expect(asked).toHaveLength(stage.server.counters.refreshes - (stage.renewals().length - asked.length))
    // One may have been under way at either end of the count.
    expect(asked.length).toBeLessThanOrEqual(Math.ceil(1.35 * lifetimes) + 1)
    expect(asked.length).toBeGreaterThanOrEqual(Math.floor(lifetimes))
    expect(stage.server.counters).toMatchObject({ reuses: 0, grantsRevoked: 0 })
    expect(await Promise.all(tabs.map((tab) => tab.evaluate('app.shownNow().status')))).toEqual(Array(6).fill('signed_in'))
  })
})
