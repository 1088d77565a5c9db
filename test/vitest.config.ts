import { readFileSync, readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { tally } from './set-up/tally.js'

// What is waited for may take as long as a busy machine needs: only what never comes fails.
const expect = { poll: { timeout: 20_000 } }

const ofTheirOwnTime = ['soak', 'left-pages', 'trouble-*'].map((name) => `test/chromium/${name}.test.ts`)

const elsewhere = ['chromium', 'package', 'fleet', 'browsers', 'runtimes', 'hostile/peers'].map((folder) => `test/${folder}/**`)

/** What a page loads keeps the browser's own functions as they were then, so these files replace what is global before they load it. */
const ofPages = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path}`)
  .filter((path) => path.endsWith('.test.ts') && /\/src\/(?:browser|worker)\//.test(readFileSync(path, 'utf8')))

const inNode = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 30_000,
  expect,
  maxWorkers: 2,
  sequence: { groupOrder: 0 },
} as const

// Run from the top: vitest run --config test/vitest.config.ts --root .
export default defineConfig({
  test: {
    // A fuzz run is long: it shows each property as it ends.
    reporters: [process.env['FUZZ_RUNS'] === undefined ? 'default' : 'verbose', tally],
    projects: [
      {
        // Files share what they load: loading it took longer than most of them take.
        test: { name: 'node', ...inNode, include: ['test/**/*.test.ts'], exclude: [...elsewhere, ...ofPages], isolate: false },
      },
      {
        test: { name: 'page code in node', ...inNode, include: ofPages, exclude: elsewhere },
      },
      {
        // What is published: these read dist/, which the set-up builds when it is missing or older than src/.
        test: {
          name: 'package',
          environment: 'node',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/set-up/built.mjs'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Run in Node, driving a real Chromium.
        test: {
          name: 'chromium',
          environment: 'node',
          include: ['test/chromium/**/*.test.ts'],
          exclude: ofTheirOwnTime,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Those whose tokens and pauses are of real time: one file at a time, so that no page waits for another's processor.
        test: {
          name: 'chromium, in its own time',
          environment: 'node',
          include: ofTheirOwnTime,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // The short form of `npm run test:browsers`, of its Chromium part alone.
        test: {
          name: 'browsers',
          environment: 'node',
          env: { BROWSERS: 'chromium' },
          include: ['test/browsers/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          // They wait more than they work.
          maxConcurrency: 15,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
