import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultAuthorizationServer, faultAuthorizationServer } from './fault-authorization-server.js'
import { complaints, play } from './judge.js'
import { naive } from './naive.js'
import { bites } from './scenario.js'
import { themes } from './scenarios/index.js'
import { valetkey } from './valetkey.js'

// Each scenario is played twice: valetkey does what is expected, to the last request; and a client that checks nothing falls for it.

let server: FaultAuthorizationServer
beforeAll(async () => {
  server = await faultAuthorizationServer()
})
afterAll(() => server.close())

describe.each(Object.entries(themes))('%s', (_, scenarios) => {
  test.concurrent.for(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async ([, scenario], { expect }) => {
    expect(complaints(scenario, await play(server, scenario, valetkey), true)).toEqual([])
  })

  test.for(scenarios.filter(bites).map((scenario) => [scenario.name, scenario] as const))(
    'a naive client falls for: %s',
    async ([, scenario]) => {
      expect(complaints(scenario, await play(server, scenario, naive), false)).not.toEqual([])
    },
  )
})

test('the naive client is no straw man: where nothing is wrong it signs in, calls and renews', async () => {
  const fair = Object.values(themes)
    .flat()
    .filter(({ fault, tempts }) => Object.keys(fault).length === 0 && tempts === undefined)
  const outcomes = await Promise.all(
    fair
      .filter(({ steps, result }) => result === 'ok' && !steps.includes('wait'))
      .map(async (scenario) => complaints(scenario, await play(server, scenario, naive), false)),
  )
  expect(outcomes.length).toBeGreaterThan(4)
  expect(outcomes.flat()).toEqual([])
})
