import { afterEach, expect, test, vi } from 'vitest'

// Which worker is taken and how one is registered. The module keeps the one policy of its page, so each test loads it anew.

const url = new URL('https://app.example/worker.js')
afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

const load = async () => {
  vi.stubGlobal('location', { origin: 'https://app.example' })
  return import('../../src/browser/worker-registration.js')
}
const worker = (scriptURL: string) => ({ scriptURL, state: 'activated' })

function containerWith(registrations: readonly object[]) {
  const registered: unknown[][] = []
  const container = {
    getRegistrations: async () => registrations,
    register: async (...parameters: unknown[]) => {
      registered.push(parameters)
      return { active: worker(String(parameters[0])), waiting: null, installing: null }
    },
  }
  return { container: container as never, registered }
}

test('one that is registered for this script is taken, whatever its scope, and the application’s other one is left alone', async () => {
  const { findWorker } = await load()
  const other = { active: worker('https://app.example/sw.js'), waiting: null, installing: null, scope: 'https://app.example/' }
  const mine = { active: worker(url.href), waiting: null, installing: null, scope: 'https://app.example/some/' }
  const { container, registered } = containerWith([other, mine])
  expect(await findWorker(container, url)).toBe(mine.active)
  expect(registered).toEqual([])
})

test('one in a scope of its own is looked at for a new version, for no page is ever loaded there', async () => {
  const { findWorker } = await load()
  let updates = 0
  const update = async () => Promise.reject(new Error(`offline ${(updates += 1)}`))
  const mine = { active: worker(url.href), waiting: null, installing: null, scope: url.href, update }
  expect(await findWorker(containerWith([mine]).container, url)).toBe(mine.active)
  expect(updates).toBe(1)
})

test('else it is registered, its own address being its scope', async () => {
  const { findWorker } = await load()
  const other = { active: worker('https://app.example/sw.js'), waiting: null, installing: null, scope: 'https://app.example/' }
  const { container, registered } = containerWith([other])
  expect(await findWorker(container, url)).toMatchObject({ scriptURL: url.href })
  expect(registered).toEqual([[url.href, { scope: url.href }]])
})

test('attack 49 with Trusted Types one policy is made, when it is needed, which trusts scripts of this origin alone', async () => {
  const { findWorker } = await load()
  const made: { readonly name: string; readonly rules: { createScriptURL(address: string): string } }[] = []
  const createPolicy = (name: string, rules: { createScriptURL(address: string): string }) => {
    made.push({ name, rules })
    return { createScriptURL: (address: string) => `trusted ${rules.createScriptURL(address)}` }
  }
  vi.stubGlobal('trustedTypes', { createPolicy })
  const { container, registered } = containerWith([])
  await findWorker(container, url)
  await findWorker(container, url)
  expect(made.map(({ name }) => name)).toEqual(['valetkey'])
  expect(registered[0]?.[0]).toBe(`trusted ${url.href}`)
  expect(() => made[0]?.rules.createScriptURL('https://evil.example/worker.js')).toThrow()
  await expect(findWorker(container, new URL('https://evil.example/worker.js'))).rejects.toThrow()
})

test('attack 49 a policy that is refused is asked for once, and nothing is registered', async () => {
  const { findWorker } = await load()
  let asked = 0
  const createPolicy = () => {
    asked += 1
    throw new TypeError('refused')
  }
  vi.stubGlobal('trustedTypes', { createPolicy })
  const { container, registered } = containerWith([])
  for (let time = 0; time < 2; time += 1) await expect(findWorker(container, url)).rejects.toThrow()
  expect([asked, registered]).toEqual([1, []])
})

test('where there is no page, or an insecure one, there is no container', async () => {
  const { workerContainer } = await load()
  vi.stubGlobal('navigator', {})
  expect(workerContainer()).toBeUndefined()
  vi.stubGlobal('navigator', undefined)
  expect(workerContainer()).toBeUndefined()
})
