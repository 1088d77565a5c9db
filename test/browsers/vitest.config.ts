import { defineConfig } from 'vitest/config'
import { tally } from '../set-up/tally.js'

// Run from the top: npm run test:browsers, or vitest run --config test/browsers/vitest.config.ts --root . test/browsers/outage.test.ts -t Firefox
export default defineConfig({
  test: {
    // These are long: each test shows as it ends.
    reporters: ['verbose', tally],
    environment: 'node',
    include: ['test/browsers/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // One browser at a time.
    fileParallelism: false,
    // They wait more than they work.
    maxConcurrency: 15,
  },
})
