import type { AuthorizationServer } from './authorization-server.js'
import type { Trace } from './context.js'
import type { Source } from './recovery.js'
import type { SharedStore } from './store.js'
import type { Random, Timeline } from './timeline.js'
import type { Wire } from './wire.js'
import { type Happenings, type World, fullScope } from './worlds.js'

export interface HappeningParts {
  readonly time: Timeline
  readonly random: Random
  readonly server: AuthorizationServer
  readonly store: SharedStore
  readonly world: World
  readonly requests: Wire
  readonly living: () => readonly Source[]
  readonly inTrouble: () => boolean
  readonly outage: (until: number) => void
  readonly lifetime: number
  readonly trace: Trace | undefined
}

export interface Happening {
  begin(end: number): void
}

/** What the user, the server, the store and the machines do of their own accord. */
export function happenings(parts: HappeningParts): Happening {
  const { time, random, server, store, world, trace } = parts

  function someone(): Source | undefined {
    const living = parts.living()
    return living.length === 0 ? undefined : random.pick(living)
  }

  async function signIn(source: Source): Promise<void> {
    const { clock } = source.context
    const started = { monotonic: clock.monotonic(), wall: clock.now() }
    const at = time.now()
    const issued = await source.context.call(20, 20, () => server.signIn({ resource: undefined, scope: fullScope }, at))
    await source.engine.signIn(parts.requests.answer(issued), { scope: fullScope, started })
    for (const call of source.calls) call.unsure = true
  }

  async function signOut(source: Source): Promise<void> {
    const ended = await source.engine.signOut().catch((error: unknown) => {
      // Whoever could not sign out for want of the store has to come again, and is as if cut from it.
      source.context.cutAt = time.now()
      throw error
    })
    if (ended === undefined || ended === 'unreadable') return
    const text = ended.refreshToken?.reveal() ?? ''
    trace?.(source.name, `signs out, and revokes ${text}`)
    await source.context.call(20, 20, () => server.revoke(text))
  }

  const acts: Readonly<Record<keyof Happenings, () => void>> = {
    storm: () => {
      trace?.('server', 'takes back every access token')
      server.revokeAccessTokens()
    },
    outage: () => parts.outage(time.now() + random.between(1_000, 30_000)),
    storeDown: () => {
      store.downUntil = time.now() + random.between(500, 20_000)
      trace?.('store', `is down until ${Math.round(store.downUntil)}`)
    },
    cut: () => {
      const source = someone()
      if (source === undefined) return
      source.context.cutUntil = time.now() + random.between(500, 30_000)
      trace?.(source.context.name, `is cut from the store until ${Math.round(source.context.cutUntil)}`)
    },
    forget: store.forget,
    removal: () => {
      trace?.('server', 'ends every session')
      server.removeFamilies()
    },
    sleepOfAll: () => {
      const span = random.between(1_000, 60_000)
      const standing = random.chance(0.7)
      for (const { context } of parts.living()) context.stop(span + random.between(0, 3_000), standing)
    },
    signs: () => {
      const source = someone()
      if (source === undefined) return
      const act = random.chance(0.6) ? signOut : signIn
      source.context.enter(() => void act(source).catch(() => {}))
    },
  }

  /** Someone signs in whenever nobody is. */
  function keepSignedIn(): void {
    const held = store.held()
    const source = held === undefined || held.ended !== undefined ? someone() : undefined
    if (source !== undefined) source.context.enter(() => void signIn(source).catch(() => {}))
    if (parts.inTrouble()) time.at(time.now() + random.between(1_500, 5_000), keepSignedIn)
  }

  function begin(end: number): void {
    time.at(0, keepSignedIn)
    for (const [name, interval] of Object.entries(world.happenings ?? {}) as [keyof Happenings, number][]) {
      const again = (): void => {
        const next = time.now() + random.between(0.3, 1.7) * interval
        if (next < end) time.at(next, () => (acts[name](), again()))
      }
      again()
    }
  }

  return { begin }
}
