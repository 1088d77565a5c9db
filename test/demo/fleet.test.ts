import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { screenOn } from '../../demo/fleet/screen.js'
import { type Message, counted, nothingYet, sum, table } from '../../demo/fleet/tally.js'
import { start } from './started.js'

// With a real Redis it is in test/fleet/demo.test.ts.

test('where no Redis is installed, that is said plainly, with what to do, and the exit code is 1', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'valetkey-empty-'))
  onTestFinished(() => rm(empty, { recursive: true }))
  const fleet = start('fleet', [], { PATH: empty })
  expect(await fleet.exited).toBe(1)
  expect(fleet.output()).toBe(
    'The workers share their token through Redis, and there is no redis-server (or valkey-server) on the PATH.\n' +
      'Install one and start again: apt-get install redis-server, or brew install redis.\n',
  )
})

test.for([['--seconds', '0'], ['--seconds', 'ten'], ['--seconds'], ['nonsense'], ['--nonsense']])(
  '%s gives the usage and exit code 2',
  async (flags) => {
    const fleet = start('fleet', flags)
    expect(await fleet.exited).toBe(2)
    expect(fleet.output()).toContain('Usage: npm run demo:fleet')
  },
)

test('a worker goes on through a terminal’s Ctrl-C, and ends with the process that started it, whatever else it waits for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'valetkey-worker-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const outfile = join(folder, 'worker.mjs')
  const contents = `import { tell } from './parent.js'; setInterval(() => {}, 1_000); tell({ type: 'called', status: 200 })`
  const resolveDir = fileURLToPath(new URL('../../demo/fleet/', import.meta.url))
  await build({ stdin: { contents, resolveDir }, outfile, bundle: true, platform: 'node', format: 'esm' })
  const worker = fork(outfile)
  onTestFinished(() => void worker.kill('SIGKILL'))
  await once(worker, 'message')
  worker.kill('SIGINT')
  worker.disconnect()
  expect(await once(worker, 'exit')).toEqual([0, null])
})

const about = { at: 0, issuer: 'https://as.example', clientId: 'fleet' }
const of = (...messages: readonly Message[]) => messages.reduce(counted, nothingYet)
const called: Message = { type: 'called', status: 200 }

test('a worker’s messages are counted, and a 401 that the program saw was not mended', () => {
  const one = of(
    { ...about, type: 'renewal_started' },
    { ...about, type: 'renewal_finished', tookMilliseconds: 12 },
    called,
    { ...about, type: 'token_rejected', origin: 'https://api.example' },
    called,
    { ...about, type: 'token_rejected', origin: 'https://api.example' },
    { type: 'called', status: 401 },
  )
  expect(one).toEqual({ calls: 3, renewals: 1, refused: 2, failed: 1 })
  expect(sum([one, of(called), nothingYet])).toEqual({ ...one, calls: 4 })
  expect(table([one, of(called)])).toEqual([
    'worker     calls   renewals   401 mended   401 seen',
    '1              3          1            1          1',
    '2              1          0            0          0',
    'all            4          1            1          1',
  ])
})

/** A terminal as far as the screen uses one. */
function terminal(isTTY: boolean) {
  const texts: string[] = []
  const output = { isTTY, columns: 20, write: (text: string) => texts.push(text) } as unknown as NodeJS.WriteStream
  return { screen: screenOn(output), written: () => texts.join('') }
}

test('on a terminal what is shown is written over, cut to its width, and what is said stays above it', () => {
  const { screen, written } = terminal(true)
  screen.show(['one', 'a line that is longer than the terminal'])
  screen.say('said')
  screen.show([])
  const [shown, clear] = ['one\na line that is long\n', '\u001B[2A\u001B[0J']
  expect(written()).toBe(shown + clear + 'said\n' + shown + clear)
})

test('elsewhere there are only lines that stay', () => {
  const { screen, written } = terminal(false)
  screen.show(['one'])
  screen.say('said')
  expect(written()).toBe('said\n')
})
