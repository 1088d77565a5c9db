import type { Clock } from '../../../src/core/ports.js'
import type { Random, Timeline } from './timeline.js'

/** How likely each is at one await of a port. */
export interface Strikes {
  readonly death?: number
  /** SIGSTOP, a frozen tab: both clocks go on. */
  readonly stop?: number
  /** The machine sleeps: the monotonic clock stands still. */
  readonly sleep?: number
}

/** A tab or a process: its own clock, and a way to everything outside which may never answer it. */
export interface Context {
  readonly name: string
  readonly clock: Clock
  isAlive(): boolean
  /** When it last stood still, in true time. */
  stoodStillAt(): number
  /** When it last could not reach the store, in true time. */
  cutAt: number
  /** For how long it was up and running between then and now, blinks included. */
  awakeSince(time: number): number
  /** When a read of the store last failed it: then it serves from memory. */
  blindAt: number
  /** Until when it is cut from the store. */
  cutUntil: number
  /** Runs something in here: now, or when it goes on; never when it is dead. */
  enter(run: () => void, danger?: number): void
  /** Calls the outside: the effect happens there whatever becomes of the caller, and its outcome comes back here. */
  call<T>(there: number, back: number, effect: () => T, danger?: number): Promise<T>
  die(): void
  stop(milliseconds: number, standing: boolean): void
  /** Ends every standstill. */
  goOn(): void
  onDeath(act: () => void): void
}

export interface ContextParts {
  readonly name: string
  readonly time: Timeline
  readonly random: Random
  /** How far its wall clock is ahead. */
  readonly skew: number
  readonly strikes: () => Strikes
  readonly trace: Trace | undefined
}

/** Told what happens, when somebody wants to read it. */
export type Trace = (who: string, what: string) => void

/** A standstill that nobody notices who looks every half second. */
const blink = 1_040

/** The wall clock of the world at the start. */
export const epoch = 1_800_000_000_000

export function newContext(parts: ContextParts): Context {
  const { name, time, random, trace } = parts
  const deathbed: (() => void)[] = []
  const heldBack: (() => void)[] = []
  const timers = new Set<() => void>()
  let alive = true
  let stoppedUntil = -1
  let stoodStillAt = -1
  const standstills: { readonly from: number; until: number; readonly asleep: boolean }[] = []
  const started = random.between(-1e6, 0)

  /** It stands still while the machine sleeps. */
  function monotonic(): number {
    const now = time.now()
    return standstills.reduce(
      (count, { from, until, asleep }) => count - (asleep ? Math.max(0, Math.min(until, now) - from) : 0),
      now - started,
    )
  }

  function enter(run: () => void, danger = 1): void {
    if (!alive) return
    strike(danger)
    if (!alive) return
    if (time.now() < stoppedUntil) {
      heldBack.push(run)
      return
    }
    time.stir()
    run()
  }

  /** What came while it stood still comes now, in its order; each may be the next blow. */
  function wake(): void {
    if (time.now() < stoppedUntil) return
    for (const run of heldBack.splice(0)) enter(run)
    for (const look of timers) look()
  }

  function strike(danger: number): void {
    const { death = 0, stop: stops = 0, sleep = 0 } = parts.strikes()
    if (death + stops + sleep === 0) return
    const struck = random.weighted({ death: death * danger, stop: stops * danger, sleep: sleep * danger }, 'spared')
    if (struck === 'death') die()
    else if (struck !== 'spared') stop(random.pick([random.between(200, 4_000), random.between(4_000, 40_000)]), struck === 'sleep')
  }

  function die(): void {
    if (!alive) return
    alive = false
    trace?.(name, 'dies')
    for (const act of deathbed) act()
  }

  function stop(milliseconds: number, standing: boolean): void {
    const until = time.now() + milliseconds
    if (until <= stoppedUntil) return
    trace?.(name, `${standing ? 'sleeps' : 'stands still'} for ${Math.round(milliseconds)}`)
    standstills.push({ from: Math.max(time.now(), stoppedUntil), until, asleep: standing })
    stoppedUntil = until
    stoodStillAt = until
    time.at(until, wake)
  }

  function goOn(): void {
    const now = time.now()
    stoppedUntil = Math.min(stoppedUntil, now)
    stoodStillAt = Math.min(stoodStillAt, now)
    for (const standstill of standstills) standstill.until = Math.max(standstill.from, Math.min(standstill.until, now))
    wake()
  }

  function awakeSince(since: number): number {
    const still = standstills.map(({ from, until }) => Math.max(0, Math.min(until, time.now()) - Math.max(from, since) - blink))
    return time.now() - since - still.reduce((sum, each) => sum + each, 0)
  }

  function call<T>(there: number, back: number, effect: () => T, danger = 1): Promise<T> {
    return new Promise((resolve, reject) => {
      time.at(time.now() + there, () => {
        let settle: () => void
        try {
          const value = effect()
          settle = () => resolve(value)
        } catch (error) {
          settle = () => reject(error as Error)
        }
        time.at(time.now() + back, () => enter(settle, danger))
      })
    })
  }

  function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false
      const end = (): void => {
        over = true
        timers.delete(look)
        signal?.removeEventListener('abort', abort)
      }
      const abort = (): void => {
        end()
        reject(signal?.reason as Error)
      }
      if (signal?.aborted === true) return reject(signal.reason as Error)
      signal?.addEventListener('abort', abort)
      const due = monotonic() + milliseconds
      const look = (): void => {
        if (over) return
        const left = due - monotonic()
        if (left > 0.001) return time.at(time.now() + left, look)
        enter(() => {
          if (over) return
          // It may have stood still on its way here.
          if (due - monotonic() > 0.001) return look()
          end()
          resolve()
        })
      }
      timers.add(look)
      time.at(time.now() + milliseconds, look)
    })
  }

  return {
    name,
    clock: { now: () => epoch + time.now() + parts.skew, monotonic, wait },
    isAlive: () => alive,
    stoodStillAt: () => stoodStillAt,
    awakeSince,
    cutAt: -1,
    blindAt: -1,
    cutUntil: -1,
    enter,
    call,
    die,
    stop,
    goOn,
    onDeath: (act) => void deathbed.push(act),
  }
}
