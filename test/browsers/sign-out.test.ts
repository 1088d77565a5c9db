import { expect, test } from 'vitest'
import type { Tab } from './driver.js'
import { until } from './drivers/waiting.js'
import { inEachEngine } from './engines.js'
import type { Shown } from './pages/app.js'
import { callsOf, now, pause, progress, stageFor } from './stage.js'

// What one tab does, the others know.

const shownBy = (tab: Tab): Promise<readonly Shown[]> => tab.evaluate('app.shown')
const signedOut: Shown = { status: 'signed_out', ended: 'signed_out' }

inEachEngine((browser, engine) => {
  test('after a sign-out in one tab no call of another, which shows the session or not, carries a token', async (context) => {
    const stage = await stageFor(context, browser())
    const one = await stage.signIn(await stage.open())
    const others = [await stage.open(), await stage.open()]
    await others[0]?.evaluate('app.subscribe()')
    for (const tab of others) await tab.evaluate('app.start(20)')
    await pause(1)
    const { at, refreshToken } = await one.evaluate<{ at: number; refreshToken: string }>('app.signOut()')
    expect(refreshToken).toBe('revoked')
    for (const tab of others) await tab.waitFor(`app.calls.filter(({ began }) => began > ${at}).length > 3`)
    const later = (await Promise.all(others.map(callsOf))).flat().filter(({ began }) => began > at)
    expect(new Set(later.map(({ outcome }) => outcome))).toEqual(new Set(['sign_in_required']))
    // What they had begun before is done: from here on the API hears nothing.
    const calls = stage.api.log.length
    await pause(0.5)
    expect(stage.api.log.length).toBe(calls)
    progress(`${engine}: ${later.length} calls after the sign-out, none with a token`)
    expect(await (await stage.open()).evaluate('app.state')).toBe(false)
  })

  test('also one that was in the back/forward cache meanwhile', async (context) => {
    const stage = await stageFor(context, browser())
    const one = await stage.signIn(await stage.open())
    const other = await stage.open()
    expect(await other.evaluate('app.call()')).toBe(200)
    await other.evaluate('app.callWhenRestored()')
    await other.goto(`${stage.origin}/elsewhere`)
    await one.evaluate('app.signOut()')
    const calls = stage.api.log.length
    await other.evaluate('history.back()').catch(() => {})
    await until(async () => stage.reports.restored.length > 0, 15_000, 'the page comes back as it was')
    expect(stage.reports.restored).toEqual(['sign_in_required'])
    expect(stage.api.log.length).toBe(calls)
  })

  test('sign-in, sign-out, change of user and end of session reach every tab, once each', async (context) => {
    const stage = await stageFor(context, browser())
    const actor = await stage.open()
    const others = [await stage.open(), await stage.open(), await stage.open()]
    for (const tab of others) await tab.evaluate('app.subscribe()')
    const expected: Shown[] = []
    const reaches = async (next: Shown) => {
      expected.push(next)
      for (const tab of others) await tab.waitFor(`app.shown.length >= ${expected.length}`)
      expect(await Promise.all(others.map(shownBy))).toEqual(others.map(() => expected))
    }
    await stage.signIn(actor)
    await reaches({ status: 'signed_in', subject: 'ann' })
    await actor.evaluate('app.signOut()')
    await reaches(signedOut)
    stage.server.automatic = { account: 'bob' }
    // The authorization server still knows the other user, as a browser has one of them.
    await actor.evaluate(`app.signIn({ prompt: 'login' })`)
    await actor.waitFor('globalThis.app?.state === true && !app.leaving')
    await reaches({ status: 'signed_in', subject: 'bob' })
    await pause(0.5)
    stage.server.revokeGrants()
    expect(await actor.evaluate('app.renew()')).toBe('sign_in_required')
    await reaches({ status: 'signed_out', ended: 'invalid_grant' })
    for (const tab of others)
      expect(await tab.evaluate(`app.events.filter(({ type }) => type === 'session_ended').map(({ reason }) => reason)`)).toEqual([
        'signed_out',
        'invalid_grant',
      ])
    await pause(0.5)
    expect(await Promise.all(others.map(shownBy))).toEqual(others.map(() => expected))
  })

  test('a new tab has the session without asking anyone', async (context) => {
    const stage = await stageFor(context, browser())
    const first = await stage.signIn(await stage.open())
    await first.evaluate('app.renew()')
    const opened = now()
    const asked = stage.proxies.server.log.length
    const tab = await stage.open()
    expect(await tab.evaluate('[app.state, app.shownNow()]')).toEqual([true, { status: 'signed_in', subject: 'ann' }])
    expect(await tab.evaluate('app.call()')).toBe(200)
    // The API asks for the server's keys by itself.
    const byPages = stage.proxies.server.log.slice(asked).filter(({ path }) => path !== '/jwks' && !path.startsWith('/.well-known'))
    expect(byPages).toEqual([])
    expect(stage.renewals(opened)).toEqual([])
  })
})
