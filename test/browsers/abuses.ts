import assert from 'node:assert/strict'

// Twelve and more ways to abuse the callback, for any browser that can be driven: plain functions over the little that they need of it.

/** One tab or window of the browser. */
export interface Tab {
  goto(url: string): Promise<void>
  /** Evaluates an expression in the page and awaits it where it is a promise; what comes back is JSON. */
  evaluate(expression: string): Promise<unknown>
  address(): Promise<string>
  close(): Promise<void>
}

/** A browser whose origins keep nothing, before an authorization server that signs in whoever comes, and may open windows. */
export interface World {
  /** Of the application (`test/chromium/pages/app.ts` at every path): its callback is `/callback`. */
  readonly origin: string
  /** Of pages that are nobody's friend: another origin of the same site, so that storage is not partitioned. `/` is empty, `/hostile` is `hostilePage`. */
  readonly stranger: string
  open(url: string): Promise<Tab>
  /** How many token requests came to the authorization server since the beginning of this abuse. */
  exchanges(): number
}

/** Says responses to whoever opened it, without end: in clear, wrapped, and as long and unreadable as a sealed one. */
export const hostilePage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>hostile</title><script>
  const response = new URL('/callback?code=EVIL&state=' + 'A'.repeat(43), document.referrer).href
  const said = [response, { response, url: response }, 'ab'.repeat(300)]
  setInterval(() => said.forEach((text) => opener?.postMessage(text, '*')), 5)
</script></html>`

export interface Abuse {
  readonly name: string
  run(world: World): Promise<void>
}

async function until<T>(what: string, look: () => Promise<T>, isIt: (seen: T) => boolean): Promise<T> {
  const end = Date.now() + 20_000
  for (;;) {
    // A page that is being left can be asked nothing.
    const seen = await look().then(
      (value) => ({ value }),
      () => undefined,
    )
    if (seen !== undefined && isIt(seen.value)) return seen.value
    if (Date.now() > end) throw new Error(`${what} did not come; there was ${JSON.stringify(seen?.value)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A form of the page has the script's own name, so its being there says nothing. */
const ready = (tab: Tab) =>
  until(
    'the application',
    () => tab.evaluate(`typeof app === 'object' && 'session' in app`),
    (isThere) => isThere === true,
  )

const resume = (tab: Tab) => tab.evaluate(`app.outcome((session) => session.resume())`)
const status = (tab: Tab) => tab.evaluate(`app.session.snapshot().status`)
const token = (tab: Tab) => tab.evaluate(`app.outcome(async (session) => (await session.token()).reveal())`)

async function openApp(world: World, path = '/notes'): Promise<Tab> {
  const tab = await world.open(new URL(path, world.origin).href)
  await ready(tab)
  return tab
}

async function load(tab: Tab, address: string | URL): Promise<void> {
  await tab.goto(String(address))
  await ready(tab)
}

/** Leaves for the authorization server and is back at the callback; nothing has been done with the response yet. */
async function response(world: World, tab: Tab): Promise<URL> {
  await tab.evaluate(`app.leave()`)
  const address = await until(
    'the response',
    () => tab.address(),
    (now) => now.startsWith(`${world.origin}/callback?`),
  )
  await ready(tab)
  return new URL(address)
}

/** The address as someone changed it; `null` takes a parameter out. */
function changed(address: URL, change: Readonly<Record<string, string | null>>): URL {
  const url = new URL(address)
  for (const [name, value] of Object.entries(change)) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return url
}

/** Keeps what is said to a page: `received`. */
const overhear = `globalThis.received = [], addEventListener('message', ({ data }) => received.push(JSON.stringify(data)))`

/** What a stranger was told, once the application's page that it opened or shows has said that it is done. */
const toldTo = async (stranger: Tab): Promise<readonly string[]> =>
  (await until(
    'the end of resume()',
    () => stranger.evaluate(`received`),
    (received) => (received as string[]).some((text) => text.includes('resumed')),
  )) as string[]

export const abuses: readonly Abuse[] = [
  {
    name: 'the address of the callback is loaded again in the same tab, while signed in',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      assert.equal(await resume(tab), true)
      const before = await token(tab)
      for (const again of [address, changed(address, { code: 'of-another' })]) {
        await load(tab, again)
        assert.equal(await resume(tab), true)
        assert.equal(await tab.address(), `${world.origin}/callback`)
        assert.equal(await token(tab), before)
      }
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'the address of the callback is loaded again in another tab, at the same time and later',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      const other = await openApp(world)
      await load(other, address)
      const results = await Promise.all([resume(tab), resume(other)])
      assert.ok(results.includes(true))
      assert.equal(await resume(other), true)
      await load(other, address)
      assert.equal(await resume(other), true)
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'the address of the callback is loaded again after a sign-out',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      assert.equal(await resume(tab), true)
      await tab.evaluate(`app.outcome((session) => session.signOut())`)
      await load(tab, address)
      assert.equal(await resume(tab), false)
      assert.equal(await status(tab), 'signed_out')
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'the code of one tab comes with the state of another: the verifier is the other’s, and nobody is signed in',
    async run(world) {
      const [one, two] = [await openApp(world), await openApp(world)]
      const mine = await response(world, one)
      const other = await response(world, two)
      await load(one, changed(other, { code: mine.searchParams.get('code') }))
      assert.equal(await resume(one), 'authorization_failed')
      assert.notEqual(await status(one), 'signed_in')
      await load(two, other)
      assert.equal(await resume(two), false)
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'a code comes without a state',
    async run(world) {
      const tab = await openApp(world)
      await load(tab, changed(await response(world, tab), { state: null }))
      assert.equal(await resume(tab), false)
      // It is no response, so its address stays as it is.
      await load(tab, `${world.origin}/notes`)
      assert.equal(world.exchanges(), 0)
    },
  },
  ...['code', 'state', 'iss'].map((name): Abuse => ({
    name: `a response has ${name} twice`,
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      address.searchParams.append(name, 'other')
      await load(tab, address)
      assert.ok([false, 'authorization_response_invalid'].includes((await resume(tab)) as never))
      assert.equal(await tab.address(), `${world.origin}/callback`)
      assert.equal(world.exchanges(), 0)
    },
  })),
  {
    name: 'a response is of another issuer',
    async run(world) {
      const tab = await openApp(world)
      await load(tab, changed(await response(world, tab), { iss: 'https://evil.example' }))
      assert.equal(await resume(tab), 'authorization_response_invalid')
      assert.equal(world.exchanges(), 0)
    },
  },
  {
    name: 'tokens are put into the fragment, of the callback and of a response',
    async run(world) {
      const tab = await openApp(world, '/callback#access_token=EVIL&token_type=Bearer')
      assert.equal(await resume(tab), false)
      assert.equal(await token(tab), 'sign_in_required')
      assert.equal(await tab.address(), `${world.origin}/callback`)
      const address = await response(world, tab)
      address.hash = 'access_token=EVIL&id_token=EVIL'
      // Another path in between, for a change of the fragment alone loads nothing.
      await load(tab, `${world.origin}/notes`)
      await load(tab, address)
      assert.equal(await resume(tab), true)
      assert.notEqual(await token(tab), 'EVIL')
      assert.ok(!(await tab.address()).includes('EVIL'))
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'an error is forged, with a state that nobody asked with, while signed in',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      assert.equal(await resume(tab), true)
      const forged = { code: null, error: 'access_denied', error_description: '<img src=x onerror=alert(1)>', state: 'A'.repeat(43) }
      await load(tab, changed(address, forged))
      assert.equal(await resume(tab), true)
      assert.equal(await tab.address(), `${world.origin}/callback`)
      assert.ok(!String(await tab.evaluate(`document.documentElement.outerHTML`)).includes('onerror'))
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'a callback is shown in a frame of another origin: it does nothing and tells nothing',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      const stranger = await world.open(`${world.stranger}/`)
      await stranger.evaluate(
        `${overhear}, document.body.append(Object.assign(document.createElement('iframe'), { src: ${JSON.stringify(address)} }))`,
      )
      assert.deepEqual(await toldTo(stranger), ['"resumed: authorization_response_invalid"'])
      assert.equal(world.exchanges(), 0)
      // It knows the address: it was given it here.
      await stranger.close()
      assert.equal(await resume(tab), true)
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'Back leads to the callback again',
    async run(world) {
      const tab = await openApp(world)
      await response(world, tab)
      assert.equal(await resume(tab), true)
      await tab.goto(`${world.stranger}/`)
      // Not waited for: the page that says it is left by it.
      await tab.evaluate(`void setTimeout(() => history.back(), 0)`)
      const address = await until(
        'the application again',
        () => tab.address(),
        (now) => now.startsWith(world.origin),
      )
      await ready(tab)
      assert.ok(!address.includes('code='))
      assert.equal(await resume(tab), true)
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'a hostile window says well-formed responses to a page that waits for its own window',
    async run(world) {
      const tab = await openApp(world)
      await tab.evaluate(`void open('${world.stranger}/hostile')`)
      await tab.evaluate(
        `${overhear}, addEventListener('message', ({ origin }) => { globalThis.hostile ||= origin === '${world.stranger}' })`,
      )
      await until(
        'what the hostile window says',
        () => tab.evaluate(`globalThis.hostile`),
        (isThere) => isThere === true,
      )
      await tab.evaluate(`app.inWindow = true, app.leave()`)
      await until(
        'the session',
        () => status(tab),
        (now) => now === 'signed_in',
      )
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'a hostile page opens the callback: it is told nothing, of a forged response and of a true one',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      const stranger = await world.open(`${world.stranger}/`)
      const forged = `${world.origin}/callback?code=EVIL&state=${'A'.repeat(43)}`
      await stranger.evaluate(`${overhear}, void open(${JSON.stringify(forged)})`)
      assert.deepEqual(await toldTo(stranger), ['"resumed: false"'])
      assert.equal(world.exchanges(), 0)
      await stranger.evaluate(`received.length = 0, void open(${JSON.stringify(address)})`)
      assert.deepEqual(await toldTo(stranger), ['"resumed: true"'])
      assert.equal(await resume(tab), true)
      assert.equal(world.exchanges(), 1)
    },
  },
  {
    name: 'a code is a megabyte long: it is refused at once, and a kilobyte more than usual is not',
    async run(world) {
      const tab = await openApp(world)
      const address = await response(world, tab)
      const long = `'/callback?state=${address.searchParams.get('state')}&iss=${encodeURIComponent(address.searchParams.get('iss') ?? '')}&code='`
      await tab.evaluate(`history.replaceState(null, '', ${long} + 'A'.repeat(1_000_000))`)
      assert.equal(await resume(tab), 'authorization_response_invalid')
      assert.ok((await tab.address()).length < 100)
      assert.equal(world.exchanges(), 0)
      const next = await response(world, tab)
      await tab.evaluate(`history.replaceState(null, '', ${JSON.stringify(`${next}&more=`)} + 'A'.repeat(8_000))`)
      assert.equal(await resume(tab), true)
      assert.equal(world.exchanges(), 1)
    },
  },
]
