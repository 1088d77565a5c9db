import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { start } from '../demo/started.js'
import { findProgram } from './set-up/servers.mjs'

// npm run demo:fleet, with the Redis of this machine.

test('eight workers share one token, and the program sees no 401 when all tokens are revoked', async () => {
  await findProgram({ name: 'redis-server', debian: 'redis-server' })
  const fleet = start('fleet', ['--seconds', '12'])
  const [, url = ''] = await fleet.said(/through Redis redis:(\S+)\.\n/)
  expect(await fleet.exited).toBe(0)
  expect(fleet.output()).toContain('all tokens are revoked')
  const [, calls, requests, refused, seen] =
    /(\d+) calls, (\d+) token requests; the API refused (\d+) calls with 401, and the program saw (\d+) of these\.\n$/.exec(
      fleet.output(),
    ) ?? []
  expect(Number(calls)).toBeGreaterThan(8)
  expect(Number(refused)).toBeGreaterThan(0)
  expect(seen).toBe('0')
  // Each token that was made is one that a worker says it asked for.
  const renewals = fleet.output().match(/worker \d renewed the token/g) ?? []
  expect(renewals).toHaveLength(Number(requests))
  expect(fleet.output().match(/^\d  +\d.*/gm)).toHaveLength(8)
  expect(await connects(url)).toBe(false)
})

test('Ctrl-C ends every worker and the Redis, in order', async () => {
  const fleet = start('fleet')
  const [, url = ''] = await fleet.said(/through Redis redis:(\S+)\.\n/)
  await fleet.said(/worker \d renewed the token/)
  fleet.child.kill('SIGINT')
  fleet.child.kill('SIGINT')
  expect(await fleet.exited).toBe(0)
  expect(fleet.output()).toMatch(/0 of these\.\n$/)
  expect(await connects(url)).toBe(false)
})

test.for([
  ['at the start', /through Redis/],
  ['in the middle', /worker \d renewed the token/],
] as const)('killed %s, it leaves nothing behind either', async ([, when]) => {
  const fleet = start('fleet')
  const [, url = ''] = await fleet.said(/through Redis redis:(\S+)\.\n/)
  await fleet.said(when)
  fleet.child.kill('SIGKILL')
  // Its workers hold its output: this resolves when the last of them is gone.
  await fleet.exited
  await expect.poll(() => connects(url)).toBe(false)
})

function connects(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(`http:${url}`)
    const socket = connect({ host: hostname, port: Number(port) }, () => (socket.destroy(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
}
