import { defineConfig } from 'vitest/config'
import { tally } from './set-up/tally.js'

// What is waited for may take as long as a busy machine needs: only what never comes fails.
const expect = { poll: { timeout: 20_000 } }

const ofTheirOwnTime = ['soak', 'left-pages', 'trouble-*'].map((name) => `test/chromium/${name}.test.ts`)

// Run from the top: vitest run --config test/vitest.config.ts --root .
export default defineConfig({
  test: {
    // A fuzz run is long: it shows each property as it ends.
    reporters: [process.env['FUZZ_RUNS'] === undefined ? 'default' : 'verbose', tally],
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/chromium/**',
            'test/package/**',
            'test/fleet/**',
            'test/browsers/**',
            'test/runtimes/**',
            'test/hostile/peers/**',
          ],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          expect,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
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
