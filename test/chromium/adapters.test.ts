import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.js'
import { lockContract, storeContract } from '../../src/testing/index.js'
import { startPages, type Pages } from '../support/chromium.js'
import type { Adapters } from './pages/adapters.js'

declare const adapters: Adapters

let pages: Pages
let one: Page
let other: Page
beforeAll(async () => {
  pages = await startPages({ bundleEntry: new URL('pages/adapters.ts', import.meta.url) })
  ;[one, other] = [await pages.open(), await pages.open()]
})
afterAll(() => pages?.close())

describe('in one tab', () => {
  for (const { name } of storeContract(async () => memoryStore())) {
    test(`IndexedDB: ${name}`, () => one.evaluate((rule) => adapters.rule('store', rule), name))
  }
  for (const { name } of lockContract(async () => (_, run) => run())) {
    test(`Web Locks: ${name}`, () => one.evaluate((rule) => adapters.rule('lock', rule), name))
  }

  test('rows put in each other’s places are read as empty', async () => {
    await one.evaluate(async () => {
      await adapters.put('mine', 'mine')
      await adapters.put('yours', 'yours')
      await adapters.swapRows('mine', 'yours')
    })
    expect(await one.evaluate(async () => [await adapters.read('mine'), await adapters.read('yours')])).toEqual(['', ''])
    expect(await one.evaluate(async () => [await adapters.put('mine', 'again'), await adapters.read('mine')])).toEqual([true, 'again'])
  })
})

describe('in two tabs', () => {
  test('the first tabs at once make one sealing key for both', async () => {
    await one.evaluate(() => adapters.deleteDatabase())
    for (const [index, tab] of [one, other].entries()) await tab.evaluate((key) => void adapters.put(`first ${key}`, key), `${index}`)
    await expect.poll(() => one.evaluate(async () => [await adapters.read('first 0'), await adapters.read('first 1')])).toEqual(['0', '1'])
    expect(await other.evaluate(async () => [await adapters.read('first 0'), await adapters.read('first 1')])).toEqual(['0', '1'])
  })

  test('writers in both lose no increment', async () => {
    await Promise.all([one, other].map((tab) => tab.evaluate(() => adapters.countUp('count', 100))))
    expect(await one.evaluate(() => adapters.read('count'))).toBe('200')
  })

  test('under a Web Lock no writer meets another, and what was written is read by the next', async () => {
    expect(await Promise.all([one, other].map((tab) => tab.evaluate(() => adapters.countUpLocked('locked', 50))))).toEqual([0, 0])
    expect(await other.evaluate(() => adapters.read('locked'))).toBe('100')
  })

  test('a Web Lock is released by the end of the tab that holds it', async () => {
    const holder = await pages.open()
    await holder.evaluate(() => adapters.holdForEver('held'))
    const waiting = one.evaluate(() => adapters.countUpLocked('held', 1))
    await holder.close()
    expect(await waiting).toBe(0)
  })

  test('B17 another tab is told that a key changed, and by its name alone', async () => {
    await other.evaluate(() => {
      adapters.watch('watched')
      adapters.overhear()
    })
    await one.evaluate(() => adapters.put('watched', 'marker-of-a-token'))
    await other.evaluate(() => adapters.toldOf(1))
    expect(await other.evaluate(() => adapters.read('watched'))).toBe('marker-of-a-token')
    await expect.poll(() => other.evaluate(() => adapters.heard)).toEqual(['watched'])
  })

  test('a database that is in use in both can be deleted, and both go on', async () => {
    await one.evaluate(() => adapters.put('before', 'value'))
    await other.evaluate(() => adapters.read('before'))
    expect(await one.evaluate(() => adapters.deleteDatabase())).toBe('deleted')
    expect(await other.evaluate(() => adapters.read('before'))).toBeUndefined()
    await one.evaluate(() => adapters.put('after', 'value'))
    expect(await other.evaluate(() => adapters.read('after'))).toBe('value')
  })
})

describe('what is kept', () => {
  test('B2 tokens are in no cookie, localStorage, sessionStorage or address; the sealing key is not extractable', async () => {
    await one.evaluate(() => adapters.put('marked', 'marker-of-a-token'))
    expect(await one.evaluate(() => adapters.elsewhere())).not.toContain('marker')
    expect(await one.evaluate(async () => JSON.stringify([...(await adapters.entries())]))).not.toContain('marker')
    expect(await one.evaluate(() => adapters.sealingKey())).toMatchObject({ extractable: false, exported: 'InvalidAccessError' })
  })

  test('B16 a frame without an origin of its own has neither database nor lock, and works in memory', async () => {
    const result = await one.evaluate(async (origin) => {
      const frame = document.createElement('iframe')
      frame.sandbox.add('allow-scripts')
      const script = `<script type="module">import '${origin}/entry.js'; adapters.withoutStorage().then((result) => parent.postMessage(result, '*'))</script>`
      frame.srcdoc = script
      const answer = new Promise((resolve) => window.addEventListener('message', (event) => resolve(event.data), { once: true }))
      document.body.append(frame)
      return answer
    }, pages.origin)
    expect(result).toEqual({
      locked: true,
      byDeath: false,
      value: 'tokens',
      pending: 'store_unavailable',
      facts: [{ type: 'store_failed', code: 'store_unavailable' }],
    })
  })

  test('B2 it outlives the browser, and on the disk nothing of it can be read', async () => {
    await one.evaluate(() => adapters.put('marked', 'marker-of-a-token'))
    await pages.restart()
    const tab = await pages.open()
    expect(await tab.evaluate(() => adapters.read('marked'))).toBe('marker-of-a-token')
    await pages.quit()
    const files = await readdir(pages.profile, { recursive: true, withFileTypes: true })
    const contents = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0))),
    )
    const written = (text: string) => [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()]
    const found = (text: string) => written(text).some((bytes) => contents.some((content) => content.includes(bytes)))
    // What the database holds in clear is found, so the search is one.
    expect(found('record marked')).toBe(true)
    expect(found('marker-of-a-token')).toBe(false)
  })
})
