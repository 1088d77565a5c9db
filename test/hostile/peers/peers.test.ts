import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kind } from '../client-under-test.js'
import { type FaultAuthorizationServer, faultAuthorizationServer } from '../fault-authorization-server.js'
import { complaints, play } from '../judge.js'
import { naive } from '../naive.js'
import { type Scenario, bites } from '../scenario.js'
import { themes } from '../scenarios/index.js'
import { valetkey } from '../valetkey.js'
import { type Badgateway, badgateway } from './badgateway.js'
import { type OidcClientTs, oidcClientTs } from './oidc-client-ts.js'
import { type OpenidClient, openidClient } from './openid-client.js'
import { type Column, type Outcome, resultsOf } from './table.js'

// The scenarios against other clients, as a control: one that every client passes proves little, one that no client passes may be wrong.

const folder = process.env['PEERS'] ?? ''
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(createRequire(`${folder}/`).resolve(name)).href)) as T
const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`, 'utf8')) as { version: string }).version

const clients: readonly { readonly kind: Kind; readonly version: string }[] = [
  { kind: valetkey, version: '' },
  { kind: naive, version: '' },
  { kind: openidClient(await load<OpenidClient>('openid-client')), version: versionOf('openid-client') },
  { kind: oidcClientTs(await load<OidcClientTs>('oidc-client-ts')), version: versionOf('oidc-client-ts') },
  { kind: badgateway(await load<Badgateway>('@badgateway/oauth2-client')), version: versionOf('@badgateway/oauth2-client') },
]
const columns: Column[] = []
const scenarios = Object.values(themes).flat()

let server: FaultAuthorizationServer
beforeAll(async () => {
  server = await faultAuthorizationServer()
})
afterAll(async () => {
  await server.close()
  writeFileSync(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), resultsOf(themes, columns))
})

/** Whether the client has what the scenario asks for. */
function isFor({ name, givesUpAfter: _, ...kind }: Kind, { steps, setting }: Scenario): boolean {
  if (name === valetkey.name || name === naive.name) return kind !== undefined
  if (setting?.clockIsWrongBy !== undefined || steps.includes('wait')) return false
  if ((setting?.dpop ?? setting?.pushed ?? setting?.signedResponses) === true && name !== 'openid-client') return false
  return !(name === 'oidc-client-ts' && steps.includes('client credentials'))
}

describe.each(clients)('$kind.name', ({ kind, version }) => {
  const outcomes = new Map<Scenario, Outcome | undefined>(scenarios.map((scenario) => [scenario, undefined]))
  columns.push({ name: kind.name, version, outcomes })

  test.for(scenarios.filter((scenario) => isFor(kind, scenario)).map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async ([, scenario]) => {
      const verdict = await play(server, scenario, kind)
      const found = complaints(scenario, verdict, false)
      outcomes.set(scenario, {
        complaints: found,
        leaks: verdict.leaks.includes('thrown'),
        refused: !['ok', 'hangs'].includes(verdict.result),
      })
      if (kind === valetkey) expect(complaints(scenario, verdict, true)).toEqual([])
      if (kind === naive && bites(scenario)) expect(found).not.toEqual([])
      // Where nothing is wrong everybody signs in: else it is the adapter that is.
      if (Object.keys(scenario.fault).length === 0 && scenario.steps.length === 2 && scenario.result === 'ok') expect(found).toEqual([])
    },
  )
})
