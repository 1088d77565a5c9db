import { expect, test } from 'vitest'
import type { EngineName, Tab } from './driver.js'
import { until } from './drivers/waiting.js'
import { inEachEngine, short } from './engines.js'
import { type Stage, progress, stageFor } from './stage.js'

// A page is reloaded, or its tab closed, while the answer to its renewal is on its way: the server has done the work, and nobody has the tokens.
// A page that renews by itself needs a server that forgives. A worker outlives it, and no answer is lost at a strict server either.

const times = short ? 3 : 20

/** Who renews, and at what server no session is lost. */
const ways = [
  { name: 'without a worker', server: 'with a grace period', options: { graceSeconds: 60 }, askedAgain: times },
  { name: 'with the worker', server: 'without any grace', options: { worker: true }, askedAgain: 0 },
] as const

const tears: Readonly<Record<string, (stage: Stage, tab: Tab) => Promise<Tab>>> = {
  'is reloaded': async (stage, tab) => {
    await tab.reload()
    return stage.ready(tab)
  },
  'is closed': async (stage, tab) => {
    await tab.close()
    return stage.open()
  },
}

/** Begins a renewal whose answer comes late, and takes its page away from it; resolves with what the next page of the session shows of it. */
async function tear(stage: Stage, tab: Tab, how: string): Promise<Tab> {
  stage.proxies.server.faults.set('/token', { delayMilliseconds: 800 })
  const renewal = stage.nextRenewal()
  await tab.evaluate('void app.renew()')
  await renewal
  const next = await tears[how]?.(stage, tab)
  stage.proxies.server.faults.clear()
  return next ?? tab
}

/** Firefox lets a page that is being reloaded see that its request was ended: it waits before the next one, as all who share the session do. */
async function renewed(tab: Tab): Promise<string> {
  let outcome = 'network'
  await until(async () => (outcome = await tab.evaluate<string>('app.renew()')) !== 'network', 5_000, 'the wait is over')
  return outcome
}

/** The worker is there. A renewal would wait two seconds for it, and is then the page's own. */
async function hasWorker(tab: Tab): Promise<void> {
  const active = `navigator.serviceWorker.getRegistrations().then((all) => all.some((one) => one.active?.state === 'activated'))`
  await until(() => tab.evaluate(active), 20_000, 'the worker is active')
}

/**
 * WebKit ends the workers of a whole host, whatever they are doing, ten seconds after the last page of one of its origins was left, if at that
 * moment no page of the host is open: the sign-in page is such an origin, and so are the pages of the tests before. So each page has a host of
 * its own, as an application has that is not of the same site as its authorization server.
 */
let hosts = 1
const hostFor = (engine: EngineName): { host?: string } => (engine === 'WebKit' ? { host: `127.0.0.${(hosts += 1)}` } : {})

inEachEngine((browser, engine) => {
  for (const how of Object.keys(tears)) {
    for (const { name, server, options, askedAgain } of ways) {
      test(`B7 a page, ${name}, that ${how} ${times} times during a renewal loses no session to a server ${server}`, async (context) => {
        const stage = await stageFor(context, browser(), { ...options, ...hostFor(engine) })
        let tab = await stage.signIn(await stage.open())
        if ('worker' in options) await hasWorker(tab)
        for (let time = 0; time < times; time++) {
          tab = await tear(stage, tab, how)
          expect(await renewed(tab)).toBe('renewed')
          expect(await tab.evaluate('app.call()')).toBe(200)
        }
        expect(await tab.evaluate('app.shownNow()')).toEqual({ status: 'signed_in', subject: 'ann' })
        progress(`${engine}, ${name}, ${how}: 0 of ${times} sessions lost, ${stage.server.counters.reuses} answers asked for again`)
        expect(stage.server.counters.grantsRevoked).toBe(0)
        expect(stage.server.counters.reuses).toBe(askedAgain)
        expect(stage.proxies.server.log.filter(({ grantType }) => grantType === 'authorization_code')).toHaveLength(1)
      })
    }

    test(`B7 a page, without a worker, that ${how} ${times} times during a renewal says to each loss at a strict server that it is ambiguous, once`, async (context) => {
      const stage = await stageFor(context, browser())
      let tab = await stage.open()
      const outcomes: Record<string, number> = {}
      for (let time = 0; time < times; time++) {
        await stage.signIn(tab)
        tab = await tear(stage, tab, how)
        const requests = stage.renewals().length
        const outcome = await renewed(tab)
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
        expect(await tab.evaluate('app.shownNow()')).toEqual({ status: 'signed_out', ended: 'ambiguous_rotation' })
        expect(await tab.evaluate(`app.events.filter(({ type }) => type === 'session_ended').map(({ reason }) => reason)`)).toEqual([
          'ambiguous_rotation',
        ])
        // It is over: nobody asks again.
        expect(await tab.evaluate('app.call()')).toBe('ambiguous_rotation')
        expect(stage.renewals().length).toBe(requests + 1)
      }
      progress(`${engine}, without a worker, ${how}, strict: ${JSON.stringify(outcomes)}`)
      expect(outcomes).toEqual({ ambiguous_rotation: times })
    })
  }
})
