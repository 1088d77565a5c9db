import { spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { watch } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileStore } from '../../src/node/file-store.js'
import { bundle } from './programs/bundle.js'

// Real processes on one file: what they count together, and what is left when they are killed.

const encryptionKey = randomBytes(32).toString('base64')
let folder = ''
let count = ''
let dying = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-store-'))
  count = await bundle('count', folder)
  dying = await bundle('count', folder, { 'node:fs/promises': 'dying-fs' })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Counter {
  /** The last count of each key that it said was stored. */
  readonly said: Map<string, number>
  readonly lines: () => number
  readonly kill: () => void
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

/** `whenever` is called after each line that it writes. */
function counter(program: string, parameters: readonly string[], environment: Record<string, string> = {}, whenever = () => {}): Counter {
  const child = spawn(process.execPath, [program, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { STORE_KEY: encryptionKey, ...environment },
  })
  const said = new Map<string, number>()
  let [rest, lines] = ['', 0]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) {
      const space = line.lastIndexOf(' ')
      said.set(line.slice(0, space), Number(line.slice(space)))
      lines += 1
      whenever()
    }
  })
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return { said, lines: () => lines, kill: () => void child.kill('SIGKILL'), ended }
}

/** What a key has, read and then counted up once by the next writer that comes. */
async function next(place: string, key: string): Promise<number> {
  const store = await fileStore(place, { encryptionKey })
  const held = await store.get(key)
  expect(held?.value).not.toBe('')
  const now = Number(held?.value ?? 0)
  expect(await store.replace(key, held?.version, { version: randomBytes(16).toString('hex'), value: String(now + 1) })).toBe(true)
  return now
}

/** The mark, the file it names, and nothing else. */
async function isTidy(place: string): Promise<void> {
  const names = (await readdir(join(place, 'records'))).toSorted()
  expect(names).toHaveLength(2)
  expect(names.find((name) => name.endsWith('.json'))).toBe(`${names.find((name) => name.startsWith('current'))?.split('-')[2]}.json`)
}

test(
  'attack 88 sixteen processes that count up by compare-and-set lose no count, from before the store was there',
  { timeout: 120_000 },
  async () => {
    const place = join(folder, 'together')
    const counters = Array.from({ length: 16 }, (_, index) => counter(count, [place, '10', 'all', `own ${index}`]))
    const ends = await Promise.all(counters.map(({ ended }) => ended))
    // Each ends by itself when it has done its work: the store keeps nothing alive.
    expect(ends).toEqual(counters.map(() => ({ code: 0, signal: null })))
    expect(await next(place, 'all')).toBe(160)
    for (let index = 0; index < 16; index += 1) expect(await next(place, `own ${index}`)).toBe(10)
    await isTidy(place)
    expect(await readdir(place)).toEqual(['records'])
  },
)

/** How a process that is killed before its `step`th call of the file system, or in the middle of it where that writes, leaves the place. */
async function killedAt(step: number, place: string, halfway: boolean): Promise<{ readonly killed: boolean; readonly said: number }> {
  const { ended, said } = counter(dying, [place, '1', 'all'], { DIE_AT: String(step), ...(halfway ? { DIE_HALFWAY: '1' } : {}) })
  const { signal } = await ended
  return { killed: signal === 'SIGKILL', said: said.get('all') ?? 0 }
}

test.for([
  { name: 'before the step', halfway: false },
  { name: 'halfway where the step writes a file', halfway: true },
])(
  'attack 88 SIGKILL at each step of making a store, $name, leaves none or a whole one, and the next writer goes on',
  { timeout: 120_000 },
  async ({ halfway }) => {
    let step = 0
    for (let more = true; more;) {
      const place = join(folder, `made ${String(halfway)} ${(step += 1)}`)
      const { killed, said } = await killedAt(step, place, halfway)
      const now = await next(place, 'all')
      expect([said, 1]).toContain(now)
      await isTidy(place)
      expect(await readdir(place)).toEqual(['records'])
      more = killed
    }
    expect(step).toBeGreaterThan(30)
  },
)

test.for([
  { name: 'before the step', halfway: false },
  { name: 'halfway where the step writes a file', halfway: true },
])(
  'attack 88 SIGKILL at each step of a write, $name, leaves the old records or the new ones, and the next writer goes on',
  { timeout: 120_000 },
  async ({ halfway }) => {
    const place = join(folder, `written ${String(halfway)}`)
    let before = (await next(place, 'all')) + 1
    let step = 0
    for (let more = true; more;) {
      const { killed, said } = await killedAt((step += 1), place, halfway)
      const now = await next(place, 'all')
      expect(said === 0 ? [before, before + 1] : [before + 1]).toContain(now)
      expect(said).toBe(said === 0 ? 0 : before + 1)
      await isTidy(place)
      before = now + 1
      more = killed
    }
    expect(step).toBeGreaterThan(20)
  },
)

test(
  'attack 88 two hundred processes are killed amid their writes: no count that was said is lost, none is counted that was not made',
  {
    timeout: 180_000,
  },
  async () => {
    const place = join(folder, 'amid')
    await fileStore(place, { encryptionKey })
    const together = 8
    let [kills, all] = [0, 0]
    for (let wave = 0; kills < 200; wave += 1) {
      const counters = Array.from({ length: together }, (_, index) => {
        // After some counts, and then at some later change in the folder, whoever made it: so the kill falls between any two steps.
        const [lines, changes] = [randomInt(1, 3), randomInt(0, 40)]
        const mine: Counter = counter(count, [place, '0', `own ${wave} ${index}`, 'all'], {}, () => {
          if (mine.lines() === lines) killAfter(changes, place, mine.kill)
        })
        return mine
      })
      for (const { ended } of counters) expect((await ended).signal).toBe('SIGKILL')
      let counted = 0
      for (const [index, { said }] of counters.entries()) {
        const key = `own ${wave} ${index}`
        const now = await next(place, key)
        expect([said.get(key) ?? 0, (said.get(key) ?? 0) + 1]).toContain(now)
        counted += now
      }
      // Each counts `all` once after each of its own: what lies between is what it was killed in.
      const now = await next(place, 'all')
      expect(now - all).toBeLessThanOrEqual(counted)
      expect(now - all).toBeGreaterThanOrEqual(counted - together)
      all = now + 1
      kills += together
      await isTidy(place)
    }
  },
)

/** Runs it at the so-manieth change in the folder; at once where that is none, or where nothing can change any more. */
function killAfter(changes: number, place: string, kill: () => void): void {
  if (changes === 0) return kill()
  let seen = 0
  const watcher = watch(join(place, 'records'), () => {
    if ((seen += 1) < changes) return
    watcher.close()
    kill()
  })
}
