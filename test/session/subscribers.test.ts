import { expect, onTestFinished, test } from 'vitest'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

// Each change reaches each subscriber of each tab once, with the snapshot that goes with it.

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('sign-in, sign-out, change of user and end of session reach every tab once each', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tabs = [browser.open(), browser.open(), browser.open()]
  const shown = tabs.map(() => [] as string[])
  for (const [index, { session }] of tabs.entries()) {
    await session.resume()
    const listener = () => {
      const { status, idTokenClaims, ended } = session.snapshot()
      shown[index]?.push([status, idTokenClaims?.sub ?? ended].join(' '))
    }
    onTestFinished(session.subscribe(listener))
  }
  const each = async (expected: readonly string[]) => {
    await expect.poll(() => shown).toEqual(tabs.map(() => expected))
    for (let count = 0; count < 20; count += 1) await turn()
    expect(shown).toEqual(tabs.map(() => expected))
    shown.forEach((list) => list.splice(0))
  }
  await browser.signIn()
  await each(['signed_in ann'])
  await tabs[0]?.session.signOut()
  await each(['signed_out signed_out'])
  server.user = 'bob'
  const { session } = await browser.signIn()
  await each(['signed_in bob'])
  server.wire.on('/token', (_, response) =>
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}'),
  )
  await expect(session.token({ rejected: await session.token() })).rejects.toMatchObject({ code: 'sign_in_required' })
  await each(['signed_out invalid_grant'])
})

test('another user is another snapshot, also where no ID token tells them apart, and the tab slept through the sign-out', async () => {
  const server = await scriptedServer()
  const browser = profile(server, { scope: ['notes:read'] })
  const tab = await browser.signIn()
  const before = tab.session.snapshot()
  let calls = 0
  await browser.open().session.signOut()
  await browser.signIn()
  onTestFinished(tab.session.subscribe(() => (calls += 1)))
  await expect.poll(() => calls).toBe(1)
  expect(tab.session.snapshot()).toEqual(before)
  expect(tab.session.snapshot()).not.toBe(before)
})

test('a subscriber that throws keeps no other from being told, and fails no call', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = browser.open()
  const thrown: unknown[] = []
  const catchIt = (error: unknown) => thrown.push(error)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', catchIt)
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  })
  const told: string[] = []
  onTestFinished(
    tab.session.subscribe(() => {
      throw new Error('mine')
    }),
  )
  onTestFinished(tab.session.subscribe(() => told.push(tab.session.snapshot().status)))
  expect(await tab.session.resume()).toBe(false)
  expect(told).toEqual(['signed_out'])
  await turn()
  expect(thrown).toEqual([expect.objectContaining({ message: 'mine' })])
})

test('a subscriber that leaves or comes while the others are told is not told of that change', async () => {
  const server = await scriptedServer()
  const tab = profile(server).open()
  const told: string[] = []
  const stops: (() => void)[] = []
  onTestFinished(() => stops.forEach((stop) => stop()))
  const [first, second] = [
    () => {
      told.push('first')
      stops[1]?.()
      stops.push(tab.session.subscribe(() => told.push('third')))
    },
    () => told.push('second'),
  ]
  stops.push(tab.session.subscribe(first))
  stops.push(tab.session.subscribe(second))
  await tab.session.resume()
  expect(told).toEqual(['first'])
})
