import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { awaitedName } from '../../src/browser/awaited.js'
import { handOver } from '../../src/browser/hand-over.js'
import { popup, popupOf } from '../../src/browser/popup.js'
import { wordsOf } from '../../src/browser/popup-words.js'
import { withState } from '../../src/core/request-state.js'
import { manualClock, userAgentContract } from '../../src/testing/index.js'

const origin = 'https://app.example'
const redirectUri = `${origin}/callback`
const state = 'a-state-that-nobody-guesses'
const marker = 'marker-of-a-code'
const response = `${redirectUri}?code=${marker}&state=${state}`

/** A window as far as a popup has to do with it. What is posted to it comes with the poster's origin, as a browser says it. */
class FakeWindow extends EventTarget {
  readonly location: { origin: string; href: string; replace(to: string): void }
  readonly document = { hasFocus: () => this.focused }
  readonly navigations: string[] = [];
  readonly [other: string]: unknown
  closed = false
  focused = true
  opener: FakeWindow | null = null
  screenX = 100
  screenY = 100
  outerWidth = 1_000
  outerHeight = 800

  constructor(at: string) {
    super()
    this.location = {
      origin: new URL(at).origin,
      href: at,
      replace: (to) => {
        this.navigations.push(to)
      },
    }
  }

  close(): void {
    this.closed = true
  }

  /** The page in it is of another origin: nothing of it can be read. */
  isElsewhere(): void {
    Object.defineProperty(this.location, 'href', {
      get() {
        throw new DOMException('Blocked a frame from accessing a cross-origin frame.', 'SecurityError')
      },
    })
  }

  hear(data: unknown, from: { readonly origin: string; readonly source: unknown }): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data, ...from }))
  }
}

function stage(options: { readonly blocked?: boolean; readonly granted?: Promise<void> } = {}) {
  const clock = manualClock()
  const page = new FakeWindow(`http://127.0.0.1/`)
  page.location.origin = origin
  const opened = new FakeWindow('about:blank')
  const posted: (readonly [unknown, unknown])[] = []
  const features: unknown[] = []
  const locks = new Set<string>()
  Object.assign(opened, { postMessage: (...message: [unknown, unknown]) => posted.push(message) })
  Object.assign(page, {
    open: (...parameters: unknown[]) => {
      features.push(...parameters)
      return options.blocked === true ? null : opened
    },
  })
  const agent = (size = { width: 500, height: 700 }) =>
    popupOf({
      size,
      page: () => page as unknown as Window,
      clock,
      lock: async (name, run) => {
        locks.add(name)
        await options.granted
        return run().finally(() => locks.delete(name))
      },
    })
  /** Begins, and is at the authorization server, seen there unless said otherwise. */
  async function begin(how: { readonly signal?: AbortSignal; readonly seen?: boolean } = {}) {
    const { seen = true, ...rest } = how
    const end = new AbortController()
    onTestFinished(() => end.abort())
    const authorizing = agent().authorize(async () => withState(new URL('https://as.example/authorize?request_uri=urn:x'), state), {
      redirectUri,
      signal: end.signal,
      ...rest,
    })
    const outcome = vi.fn<(result: unknown) => void>()
    authorizing.then(
      (url) => outcome(url.href),
      (error: { code?: string }) => outcome(error.code ?? error),
    )
    await vi.waitUntil(() => opened.navigations.length > 0)
    if (seen) {
      opened.isElsewhere()
      await clock.advance(200)
    }
    return { authorizing, outcome }
  }
  return { clock, page, opened, posted, features, locks, agent, begin, from: { origin, source: opened } }
}

const sealed = async (text = response) => (await wordsOf(state)).seal('response', text)

/** A tab that hears the channel of the sign-in, and can speak there. */
async function channel(): Promise<{ readonly heard: unknown[]; readonly say: (data: unknown) => void }> {
  const open = new BroadcastChannel(`valetkey ${await awaitedName(state)}`)
  onTestFinished(() => open.close())
  const heard: unknown[] = []
  open.addEventListener('message', ({ data }: MessageEvent<unknown>) => heard.push(data))
  return { heard, say: (data) => open.postMessage(data) }
}

/** Some turns of the event loop, for what must not come of them. */
const turns = () => manualClock().advance(0)

for (const { name, run } of userAgentContract(async () => {
  const { agent, page } = stage()
  page.location.origin = 'http://127.0.0.1'
  return agent()
}))
  test(`popup: ${name}`, run)

describe('how it ends', () => {
  test('with the response, when the window says it; who said it is told, for this origin alone, and nothing is left behind', async () => {
    const { begin, page, opened, posted, locks, clock, from } = stage()
    const { authorizing } = await begin()
    expect([...locks]).toEqual([await awaitedName(state)])
    page.hear(await sealed(), from)
    expect((await authorizing).href).toBe(response)
    expect(posted.map(([, to]) => to)).toEqual([origin])
    expect(await (await wordsOf(state)).open('taken', String(posted[0]?.[0]))).toBe('')
    expect(opened.closed).toBe(true)
    await vi.waitUntil(() => locks.size === 0)
    // Heard by nobody any more.
    page.hear(await sealed(), from)
    await clock.advance(600_000)
    await turns()
    expect(posted).toHaveLength(1)
  })

  test('with the response, when another tab of the origin broadcasts it, for a window that was cut off', async () => {
    const { begin, opened } = stage()
    const { heard, say } = await channel()
    const { authorizing } = await begin({ seen: false })
    opened.closed = true
    say(await sealed())
    expect((await authorizing).href).toBe(response)
    await vi.waitUntil(() => heard.length > 0)
    expect(await (await wordsOf(state)).open('taken', String(heard[0]))).toBe('')
  })

  test('popup_blocked, before anything is asked for', async () => {
    const request = vi.fn(async () => new URL('https://as.example/'))
    await expect(stage({ blocked: true }).agent().authorize(request, { redirectUri })).rejects.toMatchObject({ code: 'popup_blocked' })
    expect(request).not.toHaveBeenCalled()
  })

  test('cancelled, when the window is closed while the request is made', async () => {
    const { agent, opened, clock } = stage()
    const authorizing = agent().authorize(() => new Promise(() => {}), { redirectUri })
    const settled = expect(authorizing).rejects.toMatchObject({ code: 'cancelled' })
    opened.closed = true
    await clock.advance(200)
    await settled
  })

  test('cancelled, when a window that was seen at the authorization server is closed, unless the response is on its way', async () => {
    const one = stage()
    const { outcome } = await one.begin()
    one.opened.closed = true
    await one.clock.advance(3_199)
    expect(outcome).not.toHaveBeenCalled()
    await one.clock.advance(1)
    expect(outcome.mock.calls).toEqual([['cancelled']])
    const two = stage()
    const { authorizing } = await two.begin()
    two.opened.closed = true
    await two.clock.advance(3_000)
    two.page.hear(await sealed(), two.from)
    expect((await authorizing).href).toBe(response)
  })

  test.for<{ name: string; seen: boolean; focused: boolean }>([
    { name: 'at once after it left, as under a policy of the authorization server', seen: false, focused: true },
    { name: 'later, while the user is not at this page, as under a policy of a page behind', seen: true, focused: false },
  ])('timed_out after ten minutes, when the window looks closed $name', async ({ seen, focused }) => {
    const { begin, opened, page, clock } = stage()
    const { outcome } = await begin({ seen })
    opened.closed = true
    page.focused = focused
    await clock.advance(599_700)
    expect(outcome).not.toHaveBeenCalled()
    await clock.advance(300)
    expect(outcome.mock.calls).toEqual([['timed_out']])
  })

  test('timed_out after ten minutes, and the window that is still open is closed', async () => {
    const { begin, opened, clock } = stage()
    const { outcome } = await begin()
    await clock.advance(600_000)
    expect(outcome.mock.calls).toEqual([['timed_out']])
    expect(opened.closed).toBe(true)
  })

  test('with the reason of the signal, and the window is closed', async () => {
    const { begin, opened, locks } = stage()
    const controller = new AbortController()
    const { authorizing } = await begin({ signal: controller.signal })
    controller.abort('gave up')
    await expect(authorizing).rejects.toBe('gave up')
    expect(opened.closed).toBe(true)
    await vi.waitUntil(() => locks.size === 0)
  })

  test('an abort while the request is made keeps the window from going anywhere, however late that comes', async () => {
    const { agent, opened } = stage()
    const controller = new AbortController()
    let answer = (_: URL) => {}
    const authorizing = agent().authorize(() => new Promise((resolve) => (answer = resolve)), { redirectUri, signal: controller.signal })
    controller.abort('gave up')
    await expect(authorizing).rejects.toBe('gave up')
    answer(withState(new URL('https://as.example/'), state))
    await turns()
    expect(opened.navigations).toEqual([])
  })

  test('an abort while the lock is asked for keeps the window from going anywhere', async () => {
    let grant = () => {}
    const { agent, opened, locks } = stage({ granted: new Promise((resolve) => (grant = resolve)) })
    const controller = new AbortController()
    const request = async () => withState(new URL('https://as.example/'), state)
    const authorizing = agent().authorize(request, { redirectUri, signal: controller.signal })
    await vi.waitUntil(() => locks.size > 0)
    controller.abort('gave up')
    await expect(authorizing).rejects.toBe('gave up')
    grant()
    await turns()
    expect(opened.navigations).toEqual([])
  })
})

describe('what it does not listen to', () => {
  const forged = `${redirectUri}?code=EVIL&state=${state}`

  test.for<{ name: string; data: () => unknown; from?: { readonly origin?: string; readonly source?: unknown } }>([
    { name: 'of another origin, in that very window', data: () => sealed(forged), from: { origin: 'https://evil.example' } },
    { name: 'of this origin with a port', data: () => sealed(forged), from: { origin: `${origin}:8443` } },
    { name: 'of the opaque origin', data: () => sealed(forged), from: { origin: 'null' } },
    { name: 'of another window of this origin', data: () => sealed(forged), from: { source: {} } },
    { name: 'of no window', data: () => sealed(forged), from: { source: null } },
    { name: 'in clear', data: () => forged },
    { name: 'in clear, as an object', data: () => ({ response: forged }) },
    { name: 'sealed under another state', data: async () => (await wordsOf('another')).seal('response', forged) },
    { name: 'that says that it was taken', data: async () => (await wordsOf(state)).seal('taken', forged) },
    { name: 'cut short', data: async () => (await sealed(forged)).slice(0, -2) },
    { name: 'with a byte changed', data: async () => (await sealed(forged)).replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
    { name: 'with an object that says it is a text', data: async () => ({ toString: () => forged }) },
    { name: 'with an answer to another page', data: () => sealed(forged.replace('/callback', '/other')) },
    { name: 'with an answer on another origin', data: () => sealed(forged.replace('app.example', 'evil.example')) },
    { name: 'with another state inside', data: () => sealed(`${forged}x`) },
    { name: 'with two states inside', data: () => sealed(`${forged}&state=${state}`) },
    { name: 'with no address inside', data: () => sealed('javascript:alert(1)') },
    { name: 'empty', data: () => '' },
  ])('C17 B7 a message $name does nothing', async ({ data, from = {} }) => {
    const { begin, page, posted, from: right } = stage()
    const { authorizing, outcome } = await begin()
    page.hear(await data(), { ...right, ...from })
    await turns()
    expect(outcome).not.toHaveBeenCalled()
    page.hear(await sealed(), right)
    expect((await authorizing).href).toBe(response)
    expect(posted).toHaveLength(1)
  })

  test('C17 B7 a broadcast that is not sealed as this response does nothing', async () => {
    const { begin } = stage()
    const { say } = await channel()
    const { authorizing, outcome } = await begin()
    for (const data of [forged, { response: forged }, await (await wordsOf('another')).seal('response', forged), null]) say(data)
    await turns()
    expect(outcome).not.toHaveBeenCalled()
    say(await sealed())
    expect((await authorizing).href).toBe(response)
  })
})

describe('where it goes', () => {
  test('a blank window opens at once, in the middle of this one, and then goes to the request', async () => {
    const { agent, features, opened, begin } = stage()
    void agent({ width: 400, height: 600 })
      .authorize(() => new Promise(() => {}), { redirectUri })
      .catch(() => {})
    expect(features).toEqual(['about:blank', '_blank', 'popup,width=400,height=600,left=400,top=200'])
    await begin()
    expect(opened.navigations).toEqual(['https://as.example/authorize?request_uri=urn:x'])
  })

  test.for(['javascript:alert(1)', 'data:text/html,x', `blob:${origin}/1`, 'file:///etc/passwd', 'https://as.example/'])(
    'D11 it never goes to %s, and closes',
    async (address) => {
      const { agent, opened } = stage()
      // By its scheme, or as one without a state, whose answer could not be known.
      const url = address.startsWith('https:') ? new URL(address) : withState(new URL(address), state)
      await expect(agent().authorize(async () => url, { redirectUri })).rejects.toMatchObject({ code: 'authorization_failed' })
      expect(opened.navigations).toEqual([])
      expect(opened.closed).toBe(true)
    },
  )

  test('B7 a redirect URI of another origin is refused by its name, before a window opens; so is none', async () => {
    const { agent, features } = stage()
    for (const other of [{}, { redirectUri: 'https://www.app.example/callback' }, { redirectUri: `${origin}:8443/callback` }]) {
      await expect(agent().authorize(async () => new URL('https://as.example/'), other)).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining('redirectUri') as string,
      })
    }
    expect(features).toEqual([])
  })

  test('where there is no page it is not_supported', async () => {
    await expect(popup().authorize(async () => new URL('https://as.example/'), { redirectUri })).rejects.toMatchObject({
      code: 'not_supported',
    })
  })

  test.for<{ options: unknown; says: RegExp }>([
    { options: { widht: 5 }, says: /widht/ },
    { options: { width: '500' }, says: /width/ },
    { options: { width: 0 }, says: /width/ },
    { options: { height: 1.5 }, says: /height/ },
    { options: { height: Number.NaN }, says: /height/ },
    { options: null, says: /options/ },
  ])('a wrong option is refused by its name: $options', ({ options, says }) => {
    expect(() => popup(options as never)).toThrow(says)
  })
})

describe('the window that answers', () => {
  /** The window of the callback, opened by a page at `openerOrigin`, and what it posts to that. */
  function answering(openerOrigin: string) {
    const here = new FakeWindow(redirectUri)
    const opener = new FakeWindow(openerOrigin)
    const posted: (readonly [unknown, unknown])[] = []
    Object.assign(opener, { postMessage: (...message: [unknown, unknown]) => posted.push(message) })
    here.opener = opener
    vi.stubGlobal('window', here)
    onTestFinished(() => void vi.unstubAllGlobals())
    const clock = manualClock()
    return { here, opener, posted, clock, over: handOver(new URL(response), state, here as unknown as Window, clock) }
  }

  test('C17 B7 what it posts is sealed, and for its own origin alone; it closes when its opener has it', async () => {
    const { here, opener, posted, over } = answering(`${origin}/notes`)
    await vi.waitUntil(() => posted.length > 0)
    expect(posted.map(([, to]) => to)).toEqual([origin])
    expect(String(posted[0]?.[0])).not.toContain(Buffer.from(marker).toString('hex'))
    expect(await (await wordsOf(state)).open('response', String(posted[0]?.[0]))).toBe(response)
    const taken = await (await wordsOf(state)).seal('taken', '')
    for (const from of [
      { origin: 'https://evil.example', source: opener },
      { origin, source: {} },
    ])
      here.hear(taken, from)
    here.hear(await sealed(), { origin, source: opener })
    await turns()
    expect(here.closed).toBe(false)
    here.hear(taken, { origin, source: opener })
    expect(await over).toBe(true)
    expect(here.closed).toBe(true)
  })

  test('attack 14 to an opener of another origin it posts nothing, and what nobody takes within three seconds is its own', async () => {
    const { heard } = await channel()
    const { here, posted, clock, over } = answering('https://evil.example/')
    await vi.waitUntil(() => heard.length > 0)
    expect(String(heard[0])).not.toContain(Buffer.from(marker).toString('hex'))
    await clock.advance(3_000)
    expect(await over).toBe(false)
    expect(here.closed).toBe(false)
    expect(posted).toEqual([])
  })

  test('it closes when a tab of its origin, which it cannot see, has it', async () => {
    const { heard, say } = await channel()
    const { here, over } = answering('https://evil.example/')
    await vi.waitUntil(() => heard.length > 0)
    say(await (await wordsOf(state)).seal('taken', ''))
    expect(await over).toBe(true)
    expect(here.closed).toBe(true)
  })
})
