import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { expectReadmeSays } from '../support/readme.js'
import type { App } from './pages/app.js'

// What a script in the page can do, done: none of it can be prevented in a page, and the README says so.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

const itIsYou =
  '**Script that runs in your origin is you.** It can use your session while the page is open, call your APIs, and start a sign-in of its own'

/** Reads everything that the origin keeps, and opens it with the key that lies beside it. Runs in the page. */
async function openStorage(): Promise<readonly string[]> {
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) =>
      Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }),
    )
  const bytes = (text: string) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0))
  const opened: string[] = []
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name))
    for (const storeName of database.objectStoreNames) {
      const store = database.transaction(storeName).objectStore(storeName)
      const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())])
      const entries = new Map<string, unknown>(keys.map((key, index) => [String(key), values[index]]))
      const { id, key: sealingKey } = entries.get('sealing key') as { id: string; key: CryptoKey }
      for (const [entry, value] of entries) {
        const { version, value: sealed } = value as { version?: string; value?: string }
        if (version === undefined || sealed === undefined) continue
        const [, , iv = '', text = ''] = sealed.split('.')
        const additionalData = [entry.replace(/^record /, ''), version, id].map((one) => `${one.length}:${one}`).join('')
        const how = { name: 'AES-GCM', iv: bytes(iv), additionalData: new TextEncoder().encode(additionalData) }
        opened.push(new TextDecoder().decode(await crypto.subtle.decrypt(how, sealingKey, bytes(text))))
      }
    }
    database.close()
  }
  return opened
}

const tokensIn = (opened: readonly string[]): readonly string[] => here.server.issued().filter((text) => opened.join().includes(text))

test('attack 36 a script that reads the storage, and was written for it, has the tokens', async () => {
  const tab = await here.signIn()
  const opened = await tab.evaluate(openStorage)
  expect(tokensIn(opened).length).toBeGreaterThanOrEqual(2)
  // The key itself cannot be taken away.
  expect(opened.join()).not.toContain('"k":')
  expectReadmeSays('It is no defence against a script written for it, and none against someone who takes the whole browser profile')
})

test('attack 37 a script that stays has the tokens of every renewal too', async () => {
  const tab = await here.signIn()
  const first = tokensIn(await tab.evaluate(openStorage))
  await tab.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  const second = tokensIn(await tab.evaluate(openStorage))
  expect(second.filter((text) => !first.includes(text)).length).toBeGreaterThanOrEqual(2)
  expectReadmeSays(`${itIsYou}; no storage in a page prevents that`)
})

test('attack 17 38 a script starts a sign-in of its own, without the user, and redeems its code', async () => {
  const tab = await here.signIn()
  const { issuer } = here.server
  await tab.evaluate(async (server) => {
    const verifier = 'a'.repeat(43)
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
    const challenge = btoa(String.fromCharCode(...digest))
    const request = new URL(`${server}/auth`)
    const asked = {
      response_type: 'code',
      client_id: 'page',
      redirect_uri: `${location.origin}/callback`,
      scope: 'openid notes:read',
      prompt: 'none',
      state: 'of-the-script',
      nonce: 'of-the-script',
      code_challenge: challenge.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
      code_challenge_method: 'S256',
    }
    for (const [name, value] of Object.entries(asked)) request.searchParams.set(name, value)
    location.href = request.href
  }, issuer)
  await tab.waitForURL((url) => url.pathname === '/callback' && url.searchParams.has('code'))
  const status = await tab.evaluate(async (server) => {
    const code = new URLSearchParams(location.search).get('code') ?? ''
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: `${location.origin}/callback`,
      client_id: 'page',
      code_verifier: 'a'.repeat(43),
    }
    const response = await fetch(`${server}/token`, { method: 'POST', body: new URLSearchParams(form) })
    const { access_token } = (await response.json()) as { access_token?: string }
    history.replaceState(null, '', '/')
    return [response.status, typeof access_token]
  }, issuer)
  expect(status).toEqual([200, 'string'])
  expectReadmeSays(`${itIsYou}; no storage in a page prevents that (RFC 10017 sections 5.1.3 and 5.1.4)`)
})

test('attack 39 a script calls the API through the page', async () => {
  const tab = await here.signIn()
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expectReadmeSays('Where that is not enough (business, health, money), keep the tokens out of the page: a backend-for-frontend holds them')
})

test('attack 50 what runs in the page before it, as an extension does, sees the token on its way', async () => {
  const tab = await here.open('/', () => {
    const { fetch } = globalThis
    const seen: string[] = []
    Object.defineProperty(globalThis, 'overheard', { value: () => seen.splice(0) })
    globalThis.fetch = (input, init) => {
      const header = new Headers(init?.headers).get('authorization')
      if (header !== null) seen.push(header)
      return fetch(input, init)
    }
  })
  await here.leaveAndReturn(tab)
  await here.resume(tab)
  await tab.evaluate(() => app.call('/notes'))
  const seen = await tab.evaluate(() => (globalThis as unknown as { overheard(): string[] }).overheard())
  expect(tokensIn(seen)).toHaveLength(1)
  expectReadmeSays(itIsYou)
})
