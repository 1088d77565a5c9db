import { createHash, randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { readProof } from '../support/dpop.js'
import { expectReadmeSays } from '../support/readme.js'
import type { App } from './pages/app.js'

// Bound tokens in real Chromium, against oidc-provider that wants nonces and an API that checks every proof. Every test ends with the sweep.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp({ dpop: true })
})
afterEach(async () => {
  here.api.trouble.nonceKey = undefined
  await here.pages.context().unrouteAll()
  // The browser writes down each refusal, that of a nonce too.
  const { console } = here.evidence
  console.splice(0, Infinity, ...console.filter((line) => !/^Failed to load resource: .* status of 40[01]\b/.test(line)))
  await here.endOfTest()
})
afterAll(() => here?.close())

/** What any script of the origin finds of the key. */
const keyOf = (tab: Page) =>
  tab.evaluate(async () => {
    const { entry } = await new Promise<{ entry: Record<string, unknown> }>((resolve, reject) => {
      const opening = indexedDB.open('valetkey')
      opening.onerror = () => reject(opening.error as DOMException)
      opening.onsuccess = () => {
        const records = opening.result.transaction('records').objectStore('records')
        const reading = records.getAllKeys()
        reading.onsuccess = () => {
          const name = reading.result.find((key) => String(key).startsWith('key '))
          const found = records.get(name ?? '')
          found.onsuccess = () => {
            opening.result.close()
            resolve({ entry: found.result as Record<string, unknown> })
          }
        }
      }
    })
    const key = entry['privateKey'] as CryptoKey
    const exported = await Promise.all(
      (['jwk', 'pkcs8'] as const).map((format) =>
        crypto.subtle.exportKey(format, key).then(
          () => 'exported',
          (error: DOMException) => error.name,
        ),
      ),
    )
    return {
      isKey: key instanceof CryptoKey,
      extractable: key.extractable,
      usages: key.usages,
      exported,
      members: Object.keys(entry).toSorted(),
    }
  })

const bound = () => here.api.log.at(-1)?.boundTo
const newNonceKey = () => randomBytes(32).toString('base64')
const call = (tab: Page) => tab.evaluate(() => app.call('/notes'))
const outcomeOf = (tab: Page) => tab.evaluate(() => app.outcome((session) => session.token().then(({ tokenType }) => tokenType)))

test('P10 P13 the key is a CryptoKey in IndexedDB that nobody can read out, and code and tokens are bound to it', async () => {
  const asked: string[] = []
  here.pages.context().on('request', (request) => {
    const jkt = new URL(request.url()).searchParams.get('dpop_jkt')
    if (jkt !== null && asked.at(-1) !== jkt) asked.push(jkt)
  })
  const tab = await here.signIn()
  const carried = tab
    .waitForRequest((request) => request.url() === `${here.api.origin}/notes` && request.method() === 'GET')
    .then((request) => request.allHeaders())
  expect(await call(tab)).toBe(200)
  expect(await outcomeOf(tab)).toBe('DPoP')
  expect(asked).toEqual([bound()])
  // jose, which knows nothing of how it was made, reads the proof that the API took.
  const { dpop, authorization = '' } = await carried
  const { claims, key } = await readProof(dpop)
  expect(key).toBe(bound())
  const ath = createHash('sha256').update(authorization.replace('DPoP ', '')).digest('base64url')
  expect(claims).toMatchObject({ htm: 'GET', htu: `${here.api.origin}/notes`, ath })
  expect(await keyOf(tab)).toEqual({
    isKey: true,
    extractable: false,
    usages: ['sign'],
    exported: ['InvalidAccessError', 'InvalidAccessError'],
    members: ['algorithm', 'privateKey', 'publicKey'],
  })
})

test('R12 the key outlives a reload, and is that of another tab, whose renewals prove it too', async () => {
  const tab = await here.signIn()
  await call(tab)
  const first = bound()
  expect(first).toBeDefined()
  await tab.reload()
  await here.ready(tab)
  expect(await here.resume(tab)).toBe(true)
  await tab.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  expect(await call(tab)).toBe(200)
  expect(bound()).toBe(first)
  const other = await here.open()
  expect(await here.resume(other)).toBe(true)
  await other.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  expect(await call(other)).toBe(200)
  expect(bound()).toBe(first)
})

test('P5 P7 the nonce of the token endpoint costs one request, in all tabs together', async () => {
  const tab = await here.signIn()
  const other = await here.open()
  expect(await here.resume(other)).toBe(true)
  await other.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  const answers = await Promise.all(here.tokenRequests.map(async (request) => (await request.response())?.status()))
  expect(answers).toEqual([400, 200, 200])
  expect(await call(tab)).toBe(200)
})

test('P6 the nonce of the API is met by one more request, and another tab knows it', async () => {
  const tab = await here.signIn()
  here.api.trouble.nonceKey = newNonceKey()
  const from = here.api.log.length
  expect(await call(tab)).toBe(200)
  const other = await here.open()
  expect(await here.resume(other)).toBe(true)
  expect(await call(other)).toBe(200)
  expect(here.api.log.slice(from).map(({ status }) => status)).toEqual([401, 200, 200])
})

test('P12 a key that is lost ends the session with its reason, and the page signs in anew', async () => {
  const tab = await here.signIn()
  await tab.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('valetkey')
        opening.onerror = () => reject(opening.error as DOMException)
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('records', 'readwrite')
          const records = transaction.objectStore('records')
          const reading = records.getAllKeys()
          reading.onsuccess = () => {
            for (const key of reading.result) if (String(key).startsWith('key ')) records.delete(key)
          }
          transaction.oncomplete = () => {
            opening.result.close()
            resolve()
          }
        }
      }),
  )
  await tab.reload()
  await here.ready(tab)
  const sent = here.tokenRequests.length
  expect(await outcomeOf(tab)).toBe('dpop_key_lost')
  expect(await here.resume(tab)).toBe(false)
  expect(await tab.evaluate(() => app.session.snapshot())).toMatchObject({ status: 'signed_out', ended: 'key_lost' })
  expect(here.tokenRequests.length).toBe(sent)
  expect(await tab.evaluate(() => app.events.filter(({ type }) => type === 'session_ended'))).toMatchObject([{ reason: 'key_lost' }])
  await here.leaveAndReturn(tab)
  expect(await here.resume(tab)).toBe(true)
  expect(await call(tab)).toBe(200)
})

/** As a server answers that forgot to let pages read its nonce. */
async function hideNonce(url: string): Promise<void> {
  await here.pages.context().route(url, async (route) => {
    const response = await route.fetch()
    const { 'access-control-expose-headers': exposed = '', ...headers } = response.headers()
    const left = exposed.split(/, */).filter((name) => name.toLowerCase() !== 'dpop-nonce')
    await route.fulfill({ response, headers: { ...headers, 'access-control-expose-headers': left.join(', ') } })
  })
}

test('P15 a nonce of the token endpoint that the page may not read is an error that names the header', async () => {
  await hideNonce(`${here.server.issuer}/token`)
  const tab = await here.leaveAndReturn(await here.open())
  const message = await tab.evaluate(() =>
    app.session.resume().catch((error: Error & { code: string }) => `${error.code} ${error.message}`),
  )
  expect(message).toMatch(/^dpop_nonce_unreadable .*Access-Control-Expose-Headers: DPoP-Nonce/)
})

test('P15 and so is one of the API', async () => {
  const tab = await here.signIn()
  here.api.trouble.nonceKey = newNonceKey()
  await hideNonce(`${here.api.origin}/notes`)
  const message = await tab.evaluate(() => app.call('/notes').catch((error: Error & { code: string }) => `${error.code} ${error.message}`))
  expect(message).toMatch(/^dpop_nonce_unreadable .*Access-Control-Expose-Headers: DPoP-Nonce/)
})

/** What any script of the origin does with the key: a hundred proofs for a call that is made in so many seconds, and the token. */
const proofsForLater = (tab: Page, url: string, seconds: number) =>
  tab.evaluate(
    async ({ url, seconds }) => {
      const token = (await app.session.token()).reveal()
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) =>
          Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error as DOMException) }),
        )
      const database = await settled(indexedDB.open('valetkey'))
      const records = database.transaction('records').objectStore('records')
      const name = (await settled(records.getAllKeys())).find((key) => String(key).startsWith('key ')) ?? ''
      const { privateKey, publicKey } = (await settled(records.get(name))) as { privateKey: CryptoKey; publicKey: JsonWebKey }
      database.close()
      const base64url = (bytes: Uint8Array) =>
        btoa(String.fromCharCode(...bytes))
          .replaceAll('+', '-')
          .replaceAll('/', '_')
          .replaceAll('=', '')
      const encoded = (text: string) => new TextEncoder().encode(text)
      const ath = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoded(token))))
      const proofs: string[] = []
      for (let one = 0; one < 100; one += 1) {
        const claims = { jti: `of the script ${one}`, htm: 'GET', htu: url, iat: Math.floor(Date.now() / 1_000) + seconds, ath }
        const input = [{ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey }, claims].map((part) => base64url(encoded(JSON.stringify(part))))
        const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, encoded(input.join('.')))
        proofs.push([...input, base64url(new Uint8Array(signature))].join('.'))
      }
      return { token, proofs }
    },
    { url, seconds },
  )

test('attack 42 proofs that a script has signed for later work later and elsewhere, but where the API asks for a nonce', async () => {
  here.server.live.accessTokenSeconds = 600
  const tab = await here.signIn()
  // Beyond what the API lets clocks differ.
  const [url, seconds] = [`${here.api.origin}/notes`, 400]
  const { token, proofs } = await proofsForLater(tab, url, seconds)
  // The thief is far away, and the page is closed.
  await tab.close()
  const steal = async (proof = '') => (await fetch(url, { headers: { authorization: `DPoP ${token}`, dpop: proof } })).status
  expect(proofs).toHaveLength(100)
  expect(await steal(proofs[0])).toBe(401)
  const { now } = Date
  const later = vi.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1_000)
  try {
    expect(await Promise.all(proofs.slice(0, 50).map(steal))).toEqual(Array.from({ length: 50 }, () => 200))
    here.api.trouble.nonceKey = newNonceKey()
    expect(await Promise.all(proofs.slice(50).map(steal))).toEqual(Array.from({ length: 50 }, () => 401))
  } finally {
    later.mockRestore()
    here.server.live.accessTokenSeconds = 60
  }
  expectReadmeSays(
    'that can sign with the key as the page does, for as long as it runs, and longer, with proofs made for later, where the server asks for no nonce',
  )
})
