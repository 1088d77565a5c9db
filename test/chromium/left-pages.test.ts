import { afterEach, expect, test } from 'vitest'
import { type AppInChromium, type AppOptions, startApp } from '../support/app-in-chromium.js'
import { leaveDuringRenewal, leftPages, renew } from '../support/leave-during-renewal.js'
import { workerScript } from '../support/worker-script.js'
import type { App } from './pages/app.js'

// Pages that are reloaded or closed during a renewal, in real Chromium against oidc-provider with rotation and tokens of 5 seconds, whose answers
// take 800 ms. What is lost, with the worker and without.

declare const app: App

let here: AppInChromium
const start = async (options: AppOptions): Promise<void> => {
  here = await startApp({ ...options, server: { accessTokenSeconds: 5, ...options.server } })
}
afterEach(async () => {
  here.server.trouble.answerDelayMilliseconds = 0
  await here.endOfTest()
  await here.close()
})

const timeout = 60_000 + leftPages * 5_000
const howOf = (left: number): 'reload' | 'close' => (left % 2 === 0 ? 'reload' : 'close')
const signIns = (): number => here.server.log.filter(({ grantType }) => grantType === 'authorization_code').length

test(`with the worker no session is lost at a server without any grace: ${leftPages} times`, { timeout }, async () => {
  const text = await workerScript()
  await start({
    worker: '/valetkey-worker.js',
    trustedTypes: 'valetkey',
    script: (path) => (path === '/valetkey-worker.js' ? { text } : undefined),
  })
  let tab = await here.signIn()
  here.server.trouble.answerDelayMilliseconds = 800
  for (let left = 0; left < leftPages; left += 1) {
    tab = await leaveDuringRenewal(here, tab, howOf(left))
    expect(await renew(tab)).toBe('renewed')
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  }
  expect(here.server.counters.reuses).toBe(0)
  expect(here.server.counters.grantsRevoked).toBe(0)
  expect(signIns()).toBe(1)
})

test(`without it none is lost at a server with a grace period: ${leftPages} times`, { timeout }, async () => {
  await start({ server: { graceSeconds: 60 }, reuses: () => true })
  let tab = await here.signIn()
  here.server.trouble.answerDelayMilliseconds = 800
  for (let left = 0; left < leftPages; left += 1) {
    tab = await leaveDuringRenewal(here, tab, howOf(left))
    expect(await renew(tab)).toBe('renewed')
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  }
  // Each answer that was lost was asked for again.
  expect(here.server.counters.reuses).toBe(leftPages)
  expect(here.server.counters.grantsRevoked).toBe(0)
  expect(signIns()).toBe(1)
})

/** Two tabs of one session, one of which was left during a renewal: its answer is lost. */
async function lose(how: 'reload' | 'close') {
  const tab = await here.signIn('/notes')
  const other = await here.open('/other')
  expect(await here.resume(other)).toBe(true)
  await other.evaluate(() => void app.session.subscribe(() => {}))
  here.server.trouble.answerDelayMilliseconds = 800
  const left = await leaveDuringRenewal(here, tab, how)
  here.server.trouble.answerDelayMilliseconds = 0
  const tabs = [left, other]
  expect(await Promise.all(tabs.map(renew))).toEqual(['ambiguous_rotation', 'ambiguous_rotation'])
  // A browser prints every 400.
  here.evidence.console.length = 0
  for (const one of tabs) {
    const ends = await one.evaluate(() => app.events.flatMap((event) => (event.type === 'session_ended' ? [event.reason] : [])))
    expect(ends).toEqual(['ambiguous_rotation'])
    expect(await one.evaluate(() => app.session.snapshot())).toMatchObject({ status: 'signed_out', ended: 'ambiguous_rotation' })
  }
  return { left, other }
}

test.each(['reload', 'close'] as const)(
  'without the worker a loss (%s) at a server without any grace is one typed end for all tabs, and a silent sign-in brings all of them back',
  async (how) => {
    await start({ server: { keepsConsent: true }, reuses: (counted) => counted === 1 })
    const { left, other } = await lose(how)
    await here.leaveAndReturn(left, { prompt: 'none', returnTo: '/notes?page=2' })
    expect(await here.resume(left)).toBe(true)
    expect(left.url()).toBe(`${here.pages.origin}/notes?page=2`)
    expect(await left.evaluate(() => app.call('/notes'))).toBe(200)
    await other.waitForFunction(() => app.session.snapshot().status === 'signed_in')
    expect(await other.evaluate(() => app.call('/notes'))).toBe(200)
    expect(here.server.counters.reuses).toBe(1)
  },
)

test('where the server has forgotten the consent too, the silent sign-in is refused with interaction_required, and one that asks is not', async () => {
  await start({ reuses: (counted) => counted === 1 })
  const { left } = await lose('reload')
  await here.leaveAndReturn(left, { prompt: 'none', returnTo: '/notes?page=2' })
  expect(await here.resume(left)).toBe('interaction_required')
  await here.leaveAndReturn(left, { returnTo: '/notes?page=2' })
  expect(await here.resume(left)).toBe(true)
  expect(left.url()).toBe(`${here.pages.origin}/notes?page=2`)
})
