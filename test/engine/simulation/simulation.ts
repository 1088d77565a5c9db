import type { tokenSource } from '../../../src/token-source.js'
import { type AuthorizationServer, type Rotation, authorizationServer } from './authorization-server.js'
import { caller } from './caller.js'
import { type Context, type Trace, newContext } from './context.js'
import { type Happening, happenings } from './happenings.js'
import type { Violation } from './invariants.js'
import { type Judge, judge } from './judge.js'
import { type LockKind, sharedLock } from './lock.js'
import { type Source, recovery } from './recovery.js'
import { type FirstLook, sharedStore } from './store.js'
import { randomOf, timeline } from './timeline.js'
import { wire } from './wire.js'
import { type World, type WorldName, fullScope, worlds } from './worlds.js'

/** What makes one run, and the same run again. */
export interface Parameters {
  readonly world: WorldName
  readonly server: Rotation
  readonly lock: LockKind
  /** Tabs or processes at a time. */
  readonly contexts: number
  /** Token sources at a time, in all of them together. */
  readonly sources: number
  /** How long the trouble lasts. */
  readonly seconds: number
  readonly seed: number
}

export const deadline = 10_000
export const patience = deadline + 3_000

/** Plays one world through and says which invariants were broken. */
export async function simulate(parameters: Parameters, engine: typeof tokenSource, trace?: Trace): Promise<readonly Violation[]> {
  const world = worlds.find(({ name }) => name === parameters.world) as World
  const random = randomOf(parameters.seed)
  const time = timeline()
  const lifetime = world.lifetime ?? 20_000
  const troubleEnds = parameters.seconds * 1_000
  const inTrouble = (): boolean => time.now() < troubleEnds
  const during =
    <T>(faults: T | undefined, none: T): (() => T) =>
    () =>
      faults !== undefined && inTrouble() ? faults : none
  const told: Trace | undefined = trace && ((who, what) => trace(who, `${Math.round(time.now())} ${who} ${what}`))

  const rules: Judge = judge({
    time,
    server: () => server,
    held: () => store.held(),
    deadline,
    patience,
    lifetime,
    skewed: world.skew !== undefined,
    deadMarksOnly: parameters.lock === 'death_released',
  })
  const server: AuthorizationServer = authorizationServer({
    time,
    random,
    rotation: parameters.server,
    grace: random.pick([2_000, 20_000, 60_000]),
    lifetime,
    reused: (first, again) => {
      told?.('server', `${first.refreshToken} is used again by ${again.source}: its family is dead`)
      rules.reused(first, again)
    },
  })
  const store = sharedStore({
    time,
    random,
    faults: during(world.store, {}),
    wrote: (context, source, before, after) => {
      told?.(source, `wrote ${JSON.stringify({ ...after, accessTokens: after?.accessTokens.map(({ text }) => text) })}`)
      rules.wrote(context, source, before, after)
    },
    forgot: (before, after) => {
      told?.('store', `forgets generation ${before?.generation} and is back at ${after?.generation}`)
      rules.forgot(after)
    },
  })
  let outageUntil = -1
  const requests = wire({
    time,
    random,
    server,
    faults: during(world.requests, {}),
    unprepared: during(world.unprepared, 0),
    isDown: () => time.now() < outageUntil && inTrouble(),
    deadline,
    lifetime,
    date: world.skew !== undefined && random.chance(0.5),
    fullScope,
    sending: (sent) => {
      told?.(sent.source, `sends ${sent.refreshToken} (${sent.fate}, back at ${Math.round(sent.arrivesAt)})`)
      rules.sending(sent)
    },
    arrived: (sent) => {
      told?.(sent.source, `hears of ${sent.refreshToken}: ${sent.fate} ${sent.issued?.refreshToken ?? ''}`)
      rules.arrived(sent)
    },
  })
  const lock = sharedLock(parameters.lock, time, random)
  const sources: Source[] = []
  let born = 0

  function startContext(): readonly Source[] {
    born += 1
    const skew = world.skew === undefined ? 0 : random.between(-world.skew, world.skew)
    const context = newContext({ name: `P${born}`, time, random, skew, strikes: during(world.strikes, {}), trace: told })
    const each = Math.max(1, Math.round(parameters.sources / parameters.contexts))
    const started = Array.from({ length: world.contexts === undefined ? each : 1 }, (_, index) =>
      startSource(context, `${context.name}${'abcdefgh'[index]}`, (born + index) % 2 === 0),
    )
    sources.push(...started)
    return started
  }

  /** Every second source has the store at hand, as if it were in the memory of its process. */
  function startSource(context: Context, name: string, isAtHand: boolean): Source {
    const source: Source = {
      name,
      context,
      beginning: undefined,
      calls: new Set(),
      looking: new Set(),
      engine: engine({
        issuer: 'https://as.example',
        clientId: 'c',
        target: {},
        severalResources: false,
        scopeNamedDifferently: false,
        store: store.view(
          context,
          name,
          isAtHand,
          () => firstLook(source),
          () => source.looking.forEach((call) => (call.unsure = true)),
        ),
        key: 'tokens',
        lock: lock(context),
        clock: context.clock,
        deadline,
        prepare: requests.prepare(context, name),
        revoke: (answer) => {
          const text = answer.refreshToken?.reveal() ?? ''
          told?.(name, `revokes ${text}`)
          rules.revokes(text)
          void context.call(20, 20, () => server.revoke(text))
        },
        emit: (fact) => told?.(name, `says ${JSON.stringify(fact)}`),
        fresh: () => `${name}${Math.floor(random.next() * 1e9)}`,
        draw: () => random.next(),
      }),
    }
    return source
  }

  /** The look with which a call begins: it says in which session. */
  function firstLook(source: Source): FirstLook | undefined {
    const call = source.beginning
    if (call === undefined) return undefined
    source.beginning = undefined
    source.looking.add(call)
    let generation: number | undefined
    return {
      found: (held) => {
        call.session = held?.session
        generation = held?.generation
      },
      over: () => {
        // After a standstill all comes at once, and what is old news by now may be looked at again.
        call.unsure ||= source.context.stoodStillAt() >= call.startedAt || store.held()?.generation !== generation
        source.looking.delete(call)
      },
    }
  }

  const living = (): readonly Source[] => sources.filter(({ context }) => context.isAlive())
  const calls = caller({
    time,
    random,
    server,
    rules,
    trace: told,
    targets: world.targets ?? [{}],
    sessionNow: () => store.held()?.session,
    goesOn: inTrouble,
  })
  const happening: Happening = happenings({
    time,
    random,
    server,
    store,
    world,
    living,
    inTrouble,
    requests,
    lifetime,
    trace: told,
    outage: (until) => (outageUntil = until),
  })

  function startWorking(): void {
    const started = startContext()
    for (const source of started) source.context.enter(() => void calls.work(source))
    const { context } = started[0] as Source
    if (world.processLife !== undefined)
      time.at(time.now() + random.between(0.2, 1) * world.processLife, () => inTrouble() && context.die())
    context.onDeath(() => time.at(time.now() + random.between(50, 4_000), () => inTrouble() && startWorking()))
  }

  for (let count = world.contexts ?? parameters.contexts; count > 0; count -= 1) startWorking()
  happening.begin(troubleEnds)
  await time.runUntil(troubleEnds)
  told?.('world', 'the faults stop')
  const recover = recovery({ time, rules, store, server, world, living, startContext, patience, deadline, lifetime, random })
  await recover(troubleEnds)
  rules.atEnd()
  return rules.violations
}
