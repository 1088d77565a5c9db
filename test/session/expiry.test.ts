import { expect, test } from 'vitest'
import { json } from '../support/fault-server.js'
import { type Profile, profile } from './profile.js'
import { type ScriptedServer, scriptedServer } from './scripted.js'

// When a session ends, where the server says so (draft-ietf-oauth-refresh-token-expiration).

const day = 24 * 60 * 60
/** A grant of ten days, of which a refresh token may be held for seven. */
const tenDays = { refresh_token_timeout: 7 * day, authorization_expires_in: 10 * day }

async function world(change: Readonly<Record<string, unknown>>) {
  const server = await scriptedServer()
  server.change = change
  const browser = profile(server)
  return { server, browser, tab: await browser.signIn() }
}

/** In how many days, by the clock of the browser; the server's own, which is of this machine, is a moment ahead. */
function daysUntil(end: number | undefined, { clock }: Profile): number | undefined {
  return end === undefined ? undefined : Math.round((end - clock.now()) / (day * 1_000))
}

async function renewed({ server, tab }: Awaited<ReturnType<typeof world>>, change: Readonly<Record<string, unknown>>) {
  server.change = change
  await tab.session.token({ rejected: await tab.session.token() })
  return tab.session.snapshot().sessionExpiresAt
}

test.for<readonly [string, Readonly<Record<string, unknown>>, number | undefined]>([
  ['nothing', {}, undefined],
  ['both: what comes first', tenDays, 7],
  ['how long the user has allowed it', { authorization_expires_in: 10 * day }, 10],
  ['how long the refresh token may be held', { refresh_token_timeout: 7 * day }, 7],
  ['the same in the words of servers that came before the draft', { refresh_token_expires_in: 3 * day }, 3],
  ['a decimal text', { authorization_expires_in: `${5 * day}` }, 5],
  ['ten years, literally', { authorization_expires_in: 315_569_520 }, 3_652],
  ['0, which is no end', { authorization_expires_in: 0 }, undefined],
  ['less than nothing', { authorization_expires_in: -1 }, undefined],
  ['no number', { authorization_expires_in: 'soon', refresh_token_timeout: {} }, undefined],
  ['null', { refresh_token_timeout: null }, undefined],
  ['more than any date can say', { authorization_expires_in: 1e300, refresh_token_timeout: 1e13 }, undefined],
  ['one that is wrong beside one that is right', { authorization_expires_in: [], refresh_token_timeout: 7 * day }, 7],
])('R17 a server that says %s: it is in the snapshot, or passed over, and a reload knows it too', async ([, change, days]) => {
  const { browser, tab } = await world(change)
  expect(tab.session.snapshot().status).toBe('signed_in')
  expect(daysUntil(tab.session.snapshot().sessionExpiresAt, browser)).toBe(days)
  const other = browser.open()
  expect(await other.session.resume()).toBe(true)
  expect(other.session.snapshot().sessionExpiresAt).toBe(tab.session.snapshot().sessionExpiresAt)
})

test('R17 a renewal moves it, as far as the grant goes', async () => {
  const of = await world(tenDays)
  expect(daysUntil(await renewed(of, { ...tenDays, authorization_expires_in: 8 * day }), of.browser)).toBe(7)
  expect(daysUntil(await renewed(of, { refresh_token_timeout: 3 * day, authorization_expires_in: 3 * day }), of.browser)).toBe(3)
})

test('R17 a new refresh token of which nothing is said has no end that is known', async () => {
  expect(await renewed(await world(tenDays), {})).toBeUndefined()
})

test('R17 where the refresh token stays, what was said of it stays too', async () => {
  const of = await world(tenDays)
  const before = of.tab.session.snapshot().sessionExpiresAt
  expect(await renewed(of, { refresh_token: undefined })).toBe(before)
})

test('R17 only the server ends a session: it is renewed after its end as before, if the server does', async () => {
  const { server, browser, tab } = await world(tenDays)
  await browser.clock.advance(30 * day * 1_000)
  // That of today would be refused by such a clock.
  server.change = { ...tenDays, id_token: undefined }
  await expect(tab.session.token()).resolves.toBeDefined()
  expect(tab.session.snapshot().status).toBe('signed_in')
})

async function refusedAfter(
  days: number,
): Promise<{ readonly server: ScriptedServer; readonly said: readonly string[]; readonly ended: unknown }> {
  const { server, browser, tab } = await world(tenDays)
  await browser.clock.advance(days * day * 1_000)
  server.wire.on('/token', json({ error: 'invalid_grant' }, 400))
  await expect(tab.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  return { server, said: tab.said(), ended: tab.session.snapshot().ended }
}

test('R17 a refusal after the end is that end, and a refusal before it is none', async () => {
  const [late, early] = [await refusedAfter(8), await refusedAfter(6)]
  expect([late.ended, early.ended]).toEqual(['expired', 'invalid_grant'])
  expect(late.said).toContain('session_ended expired')
})
