import type { TokenEngine } from '../../../src/token-source.js'
import type { AuthorizationServer } from './authorization-server.js'
import type { Context } from './context.js'
import type { Call } from './invariants.js'
import type { Judge } from './judge.js'
import type { SharedStore } from './store.js'
import type { Random, Timeline } from './timeline.js'
import type { World } from './worlds.js'

/** One engine in one context. */
export interface Source {
  readonly name: string
  readonly context: Context
  readonly engine: TokenEngine
  /** The call that begins in this very turn. */
  beginning: Call | undefined
  readonly calls: Set<Call>
  /** The calls whose first look is on its way. */
  readonly looking: Set<Call>
}

export interface RecoveryParts {
  readonly time: Timeline
  readonly rules: Judge
  readonly store: SharedStore
  readonly server: AuthorizationServer
  readonly world: World
  readonly living: () => readonly Source[]
  readonly startContext: () => readonly Source[]
  readonly patience: number
  readonly deadline: number
  readonly lifetime: number
  readonly random: Random
}

/** After the faults: everyone wakes up, and everyone gets a token again, or learns that the session has ended. */
export function recovery(parts: RecoveryParts): (quietFrom: number) => Promise<void> {
  const { time, rules, store, world, patience, deadline } = parts
  /** The way of a few messages. */
  const slack = 2_000

  /** Asks until it has a token, or has learnt that nobody is signed in. */
  async function ask({ engine, context: { clock } }: Source): Promise<void> {
    for (;;) {
      try {
        await engine.token()
        return
      } catch (error) {
        const { code } = error as { readonly code?: string }
        if ((code === 'sign_in_required' || code === 'ambiguous_rotation') && hasEnded()) return
        await clock.wait(500)
      }
    }
  }

  function hasEnded(): boolean {
    const held = store.held()
    return held === undefined || held.ended !== undefined
  }

  async function everyoneIsServed(): Promise<void> {
    const began = time.now()
    const waiting = new Set(parts.living())
    for (const source of waiting) source.context.enter(() => void ask(source).then(() => waiting.delete(source)))
    while (waiting.size > 0) {
      await time.runUntil(time.now() + 500)
      // A clock that is behind takes a wait to begin when it first sees it.
      const believed = world.skew === undefined ? 0 : rules.longestWait()
      // The one refresh token is renewed for one wish after the other, and a call may have to wait for all the others'.
      const wishes = world.targets?.length ?? 1
      const limit = Math.max(began, rules.waitEnd()) + believed + patience + wishes * deadline + slack
      if (time.now() < limit) continue
      for (const source of waiting) rules.broken('I9', `${source.name} has no token since ${Math.round(began)}`)
      return
    }
  }

  /** Processes that live shorter than the patience, after one died with its mark in the record: when the mark is an hour old, they go on. */
  async function shortProcesses(life: number): Promise<void> {
    for (let tries = 0; store.held()?.sending === undefined && tries < 5_000; tries += 1) await time.runUntil(time.now() + 20)
    for (const source of parts.living()) source.context.die()
    const began = time.now()
    let served = 0
    while (time.now() - began < 70 * 60_000) {
      const [source] = parts.startContext() as readonly [Source]
      source.context.enter(() => void ask(source).then(() => (served = time.now())))
      await time.runUntil(time.now() + life)
      source.context.die()
      await time.runUntil(time.now() + 4 * 60_000)
    }
    if (served - began < 60 * 60_000) rules.broken('I9', 'no short process is served, an hour after the death')
  }

  return async (quietFrom) => {
    store.downUntil = quietFrom
    if (world.shortInTheEnd !== undefined) return shortProcesses(world.shortInTheEnd)
    for (const { context } of parts.living()) {
      context.cutUntil = quietFrom
      context.goOn()
    }
    if (parts.living().length === 0) parts.startContext()
    await everyoneIsServed()
    // And once more when every token that they may still have had is dead.
    await time.runUntil(time.now() + parts.lifetime + 5 * deadline)
    await everyoneIsServed()
    await time.runUntil(time.now() + 5 * deadline)
  }
}
