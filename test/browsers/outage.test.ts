import { expect, test } from 'vitest'
import type { Tab } from './driver.js'
import { inEachEngine } from './engines.js'
import type { Fault } from './fault-proxy.js'
import type { Call } from './pages/app.js'
import { callsOf, lifetimeSeconds, now, pause, progress, stageFor } from './stage.js'

// The token endpoint is out of order for five seconds, around the end of a token's life, while six tabs call.

const outageSeconds = 5
/** A token that is about to end is not sent any more: of five seconds that is the last one (`decide`). */
const transitSeconds = 1
/** Milliseconds by which two clocks of a page may differ, each as coarse as its engine makes it. */
const coarseness = 20

const outages: readonly (readonly [string, Fault])[] = [
  ['answers 503', { answer: 503 }],
  ['drops its connections', { answer: 'drop_request' }],
  ['answers 429 with Retry-After', { answer: 429, retryAfterSeconds: 2 }],
  // What it did is lost. Of these servers only one that gives used refresh tokens a grace leaves the session alive.
  ['does its work and drops the answer', { answer: 'drop_answer' }],
]

inEachEngine((browser, engine) => {
  test.concurrent.for(outages)(
    'a token endpoint that %s: no call is refused while its token lives, at most 4 requests of six tabs, and all go on by themselves',
    async ([how, fault], context) => {
      const stage = await stageFor(context, browser(), fault.answer === 'drop_answer' ? { graceSeconds: 60 } : {})
      const tabs = [await stage.signIn(await stage.open())]
      while (tabs.length < 6) tabs.push(await stage.open())
      for (const tab of tabs) await tab.evaluate('app.start(150)')
      await stage.nextRenewal()
      await pause(lifetimeSeconds / 2)
      stage.proxies.server.faults.set('/token', fault)
      const began = now()
      await pause(outageSeconds)
      const asked = stage.renewals(began)
      stage.proxies.server.faults.clear()
      const over = now()
      for (const tab of tabs) await tab.waitFor(`app.calls.at(-1).outcome === 200 && app.calls.at(-1).began > ${over}`)
      for (const tab of tabs) await tab.evaluate('app.stop()')
      const calls = (await Promise.all(tabs.map(callsOf))).flat()
      progress(`${engine}, ${how}: ${asked.length} token requests; calls ${JSON.stringify(tally(calls))}`)
      // What was refused had been decided when it ended.
      const dies = (await lastBirth(tabs, began)) + (lifetimeSeconds - transitSeconds) * 1_000 - coarseness
      expect(calls.filter(({ ended, outcome }) => outcome !== 200 && ended < dies)).toEqual([])
      // It was long enough to be felt, and what failed said so by its code.
      expect(asked.length).toBeGreaterThanOrEqual(1)
      expect(asked.length).toBeLessThanOrEqual(4)
      expect(Object.keys(tally(calls)).filter((outcome) => !['200', 'server_unavailable', 'network'].includes(outcome))).toEqual([])
      expect(stage.server.counters).toMatchObject({ grantsRevoked: 0, ...(fault.answer === 'drop_answer' ? {} : { reuses: 0 }) })
      expect(await Promise.all(tabs.map((tab) => tab.evaluate('app.shownNow().status')))).toEqual(Array(6).fill('signed_in'))
    },
  )
})

/** From when on the last token before this is counted: the beginning of its renewal, in the tab that made it. */
async function lastBirth(tabs: readonly Tab[], before: number): Promise<number> {
  const finished = `app.events.filter(({ type }) => type === 'renewal_finished').map(({ at, tookMilliseconds }) => at - tookMilliseconds)`
  const births = (await Promise.all(tabs.map((tab) => tab.evaluate<readonly number[]>(finished)))).flat()
  return Math.max(...births.filter((birth) => birth < before))
}

function tally(calls: readonly Call[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { outcome } of calls) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
