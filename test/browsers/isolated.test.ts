import { type TestContext, expect, test } from 'vitest'
import type { IsolatedApp } from '../chromium/pages/isolated.js'
import { type Spying, spy } from '../support/spy.js'
import { type Browser, type Tab, cannot } from './driver.js'
import { until } from './drivers/waiting.js'
import { inEachEngine } from './engines.js'
import { type IsolatedStage, inPage, isolatedStageFor } from './isolated-stage.js'

// A session whose tokens stay in a worker, in each engine; all that it does is tested in Chromium alone (test/chromium/isolated.test.ts).

declare const app: IsolatedApp

async function signedIn(context: TestContext, browser: Browser): Promise<{ readonly stage: IsolatedStage; readonly tab: Tab }> {
  const stage = await isolatedStageFor(context, browser)
  return { stage, tab: await stage.signIn() }
}

const call = (tab: Tab, path: string): Promise<number | string> => inPage(tab, (at) => app.call(app.origins.otherApi + at), path)

/** A global that the page keeps between two looks of a test. */
interface Kept {
  writer: WritableStreamDefaultWriter<Uint8Array>
  sent: Promise<Response>
  reader: ReadableStreamDefaultReader<Uint8Array>
}
declare const kept: Kept

inEachEngine((browser, engine) => {
  test('an isolated session signs in by redirect, renews when it is refused, has no token to give, and is gone after a reload', async (context) => {
    const stage = await isolatedStageFor(context, browser())
    const tab = await stage.open('/start')
    expect(await stage.resume(tab)).toBe(false)
    await stage.leaveAndReturn(tab)
    expect(await stage.resume(tab)).toBe(true)
    expect(await tab.address()).toBe(`${stage.origin}/start`)
    expect(await inPage(tab, () => ({ ...app.session.snapshot() }))).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
    expect(await call(tab, '/notes')).toBe(201)
    stage.echo.refuseNext = true
    expect(await call(tab, '/notes')).toBe(201)
    expect(stage.server.counters.refreshes).toBe(1)
    expect(await inPage(tab, () => app.outcome((session) => session.token()))).toBe('token_isolated')
    await tab.reload()
    await tab.waitFor('globalThis.app !== undefined')
    expect(await stage.resume(tab)).toBe(false)
    expect(await call(tab, '/notes')).toBe('sign_in_required')
  })

  const reason = cannot[engine].sendStreams
  test(
    reason === undefined
      ? 'a stream goes up part by part'
      : `NOT HERE: a stream goes up part by part. In ${engine} it goes whole, for ${reason}`,
    async (context) => {
      const { stage, tab } = await signedIn(context, browser())
      expect(await tab.evaluate(`'duplex' in Request.prototype`)).toBe(reason === undefined)
      await inPage(tab, () => {
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
        const sent = app.api(`${app.origins.otherApi}/up`, { method: 'POST', body: readable, duplex: 'half' } as RequestInit)
        Object.assign(globalThis, { kept: { writer: writable.getWriter(), sent } })
      })
      const write = (part: string) => inPage(tab, (text) => void kept.writer.write(new TextEncoder().encode(text)), part)
      const came = () => stage.echo.calls[0]?.body().toString()
      await write('one')
      if (reason === undefined) await until(async () => came() === 'one', 10_000, 'the first part is there')
      await write('two')
      const text = await inPage(tab, async () => {
        await kept.writer.close()
        return (await kept.sent).text()
      })
      expect([text, came()]).toEqual(['onetwo', 'onetwo'])
    },
  )

  test('a stream comes down part by part, and ends at the API when it is cancelled', async (context) => {
    const { stage, tab } = await signedIn(context, browser())
    await inPage(tab, async () => {
      const { body } = await app.api(`${app.origins.otherApi}/drip`)
      Object.assign(globalThis, { kept: { reader: body?.getReader() } })
    })
    const read = () => inPage(tab, async () => new TextDecoder().decode((await kept.reader.read()).value))
    expect(await read()).toBe('first ')
    stage.echo.drip('second ')
    expect(await read()).toBe('second ')
    expect(stage.echo.calls[0]?.isOver).toBe(false)
    await inPage(tab, () => kept.reader.cancel())
    await until(async () => stage.echo.calls[0]?.isOver, 10_000, 'the call has ended')
  })

  test('an abort ends the call at the API, before an answer and in its body, and rejects as fetch does', async (context) => {
    const { stage, tab } = await signedIn(context, browser())
    const [isolated, plain] = await inPage(tab, async () => {
      const url = `${app.origins.otherApi}/drip`
      const reasons = async (call: typeof fetch) => {
        const inBody = new AbortController()
        const text = (await call(url, { signal: inBody.signal })).text().catch((error: unknown) => (error as Error).name)
        inBody.abort()
        const before = await call(url, { signal: AbortSignal.abort('before') }).catch((error: unknown) => error)
        const early = new AbortController()
        const atOnce = call(url, { signal: early.signal }).catch((error: unknown) => (error as Error).name)
        early.abort()
        return [await text, before, await atOnce]
      }
      return [await reasons(app.api), await reasons(fetch)]
    })
    expect(isolated).toEqual(['AbortError', 'before', 'AbortError'])
    expect(isolated).toEqual(plain)
    await until(async () => stage.echo.calls.every(({ isOver }) => isOver), 10_000, 'every call has ended')
  })

  test('when the worker is gone, what waits and what comes is rejected with sign_in_required', async (context) => {
    const { tab } = await signedIn(context, browser())
    const outcomes = await inPage(tab, async () => {
      const { call, origins, outcome, session, worker } = app
      const told = new Promise((resolve) => session.subscribe(() => resolve(session.snapshot().status)))
      const waiting = call(`${origins.otherApi}/echo`, { method: 'POST', body: new ReadableStream(), duplex: 'half' } as RequestInit)
      worker.terminate()
      return [await told, await waiting, await call(`${origins.otherApi}/notes`), await outcome((one) => one.signIn())]
    })
    expect(outcomes).toEqual(['signed_out', 'sign_in_required', 'sign_in_required', 'sign_in_required'])
  })

  test('a script injected after load finds no token in storage, globals, functions that it has replaced, and these objects', async (context) => {
    const stage = await isolatedStageFor(context, browser())
    const tab = await stage.leaveAndReturn(await stage.open())
    await inPage(tab, spy)
    expect(await stage.resume(tab)).toBe(true)
    stage.echo.refuseNext = true
    expect(await call(tab, '/notes')).toBe(201)
    expect(stage.server.counters.refreshes).toBe(1)
    const loot = () => inPage(tab, () => (globalThis as unknown as Spying).loot())
    const duringSession = await loot()
    await inPage(tab, () => app.outcome((session) => session.signOut()))
    const all = `${duringSession}\n${await loot()}`
    // It saw what there is to be seen.
    expect(all).toContain('notes:read')
    expect(stage.tokens().length).toBeGreaterThan(4)
    expect(stage.tokens().filter((text) => all.includes(text))).toEqual([])
  })

  test('a worker without IndexedDB sends nobody away who could not come back, and a page without a session learns that it has none', async (context) => {
    const stage = await isolatedStageFor(context, browser())
    stage.before = absent('indexedDB')
    const tab = await stage.open()
    expect(await stage.resume(tab)).toBe(false)
    expect(await inPage(tab, () => app.outcome((session) => session.signIn()))).toBe('store_unavailable')
    expect(await tab.address()).toBe(`${stage.origin}/`)
    expect(await call(tab, '/notes')).toBe('sign_in_required')
  })

  test('a worker without Web Locks signs in, renews and calls all the same', async (context) => {
    const stage = await isolatedStageFor(context, browser())
    stage.before = absent('locks', 'navigator')
    const tab = await stage.signIn()
    stage.echo.refuseNext = true
    expect(await Promise.all([call(tab, '/notes'), call(tab, '/notes')])).toEqual([201, 201])
    expect(stage.server.counters.refreshes).toBe(1)
  })
})

/** What makes a global, or a member of one, as if the browser had none, before anything else of the script runs. */
function absent(name: string, of = 'self'): string {
  return `Object.defineProperty(${of}, '${name}', { value: undefined })\n`
}
