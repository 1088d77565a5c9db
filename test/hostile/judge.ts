import { OAuthError } from '../../src/core/errors.js'
import { marker } from '../support/marker.js'
import { sweep } from '../support/sweep.js'
import type { ClientUnderTest, Kind } from './client-under-test.js'
import type { Place } from './fault.js'
import type { FaultAuthorizationServer, Stage } from './fault-authorization-server.js'
import { brokenInvariants } from './invariants.js'
import type { Scenario, Step } from './scenario.js'

/** All that was seen of a client in a scenario. */
export interface Verdict {
  /** `ok`, the code of the first step that failed, or `hangs`. */
  readonly result: string
  readonly requests: readonly string[]
  readonly kept: string
  readonly status?: number
  readonly pendingTimers: number
  readonly brokenInvariants: readonly string[]
  /** Places in which a secret was found. */
  readonly leaks: readonly string[]
}

/** Longer than any deadline of a client's own. */
const patience = 12_000
const aWhile = 25 * 60_000

export async function play(server: FaultAuthorizationServer, scenario: Scenario, kind: Kind): Promise<Verdict> {
  const stage = server.stage(scenario.fault)
  const client = await kind.start(stage, scenario.setting ?? {})
  const thrown: unknown[] = []
  const steps = run(client, scenario.steps, stage.place).then(
    (status) => ({ result: 'ok', status }),
    (error: unknown) => {
      thrown.push(error)
      return { result: error instanceof OAuthError ? error.code : 'rejected', status: undefined }
    },
  )
  const { result, status } = await Promise.race([steps, hanging(client, stage, kind.givesUpAfter ?? 0)])
  await stage.quiet()
  const { kept, pendingTimers, shown } = await client.evidence()
  return {
    result,
    requests: requestsOf(stage),
    kept,
    ...(status === undefined ? {} : { status }),
    pendingTimers,
    brokenInvariants: brokenInvariants(stage),
    leaks: leaksIn(stage, { thrown, ...shown }),
  }
}

async function run(client: ClientUnderTest, steps: readonly Step[], place: Place): Promise<number | undefined> {
  let status: number | undefined
  for (const step of steps) {
    if (typeof step === 'object') status = await client.call(step.call(place), step.init)
    else if (step === 'sign in') await client.signIn()
    else if (step === 'renew') await client.renew()
    else if (step === 'try to renew') await client.renew().catch(() => {})
    else if (step === 'client credentials') await client.clientCredentials()
    else if (step === 'wait') await client.pass?.(aWhile)
    else status = await client.call(`${place.resource}notes`)
  }
  return status
}

/** When an answer is held back for ever: a client's time passes, and one that has no time of its own gets a moment. */
async function hanging(
  client: ClientUnderTest,
  { held }: Stage,
  givesUpAfter: number,
): Promise<{ readonly result: string; readonly status: undefined }> {
  await held
  await client.pass?.(patience)
  await new Promise((resolve) => setTimeout(resolve, client.pass === undefined ? 200 + givesUpAfter : 2_000))
  return { result: 'hangs', status: undefined }
}

function requestsOf({ received, astray }: Stage): readonly string[] {
  const seen = received.map(({ endpoint, form }) => (endpoint === 'token' ? `token ${form.get('grant_type')}` : endpoint))
  return [...seen, ...astray.map((where) => `astray ${where}`)]
}

function leaksIn({ server }: Stage, places: Readonly<Record<string, unknown>>): readonly string[] {
  const secrets = [...server.secrets].filter((text) => text !== '')
  return [...new Set(sweep([...secrets, marker], places).map(({ place }) => place))]
}

/** What a client did otherwise than it should: of valetkey everything counts, of others how it ended and whom they talked to. */
export function complaints(scenario: Scenario, verdict: Verdict, strict: boolean): readonly string[] {
  if (strict) {
    const expected: Verdict = {
      result: scenario.result,
      requests: scenario.requests,
      kept: scenario.kept,
      ...(verdict.status === undefined ? {} : { status: scenario.status ?? 200 }),
      pendingTimers: 0,
      brokenInvariants: [],
      leaks: [],
    }
    return Object.keys({ ...expected, ...verdict }).flatMap((name) => {
      const [due, seen] = [expected, verdict].map((one) => JSON.stringify((one as unknown as Record<string, unknown>)[name]))
      return due === seen ? [] : [`${name}: ${seen} instead of ${due}`]
    })
  }
  const ended = verdict.result === 'ok' ? 'ok' : verdict.result === 'hangs' ? 'hangs' : 'refused'
  const due = scenario.result === 'ok' ? 'ok' : 'refused'
  const times = (list: readonly string[], name: string) => list.filter((one) => one === name).length
  const reached = [...new Set(verdict.requests)].filter(
    (name) => /^(?:token|resource|elsewhere|astray)/.test(name) && times(verdict.requests, name) > times(scenario.requests, name),
  )
  const may = ended === 'ok' ? scenario.mayEndWell : ended === 'refused' ? scenario.mayReject : undefined
  const fine = ended === due || may === true
  return [...(fine ? [] : [ended]), ...reached.map((name) => `reaches ${name}`)]
}
