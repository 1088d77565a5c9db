import { defineConfig } from 'vitest/config'
import { tally } from '../set-up/tally.js'

// Run from the top: npm run test:fleet, or vitest run --config test/fleet/vitest.config.ts --root . test/fleet/contract.test.ts
export default defineConfig({
  test: {
    // These are long: each test shows as it ends.
    reporters: ['verbose', tally],
    environment: 'node',
    include: ['test/fleet/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // One file at a time: the processes of a fleet need the machine for themselves.
    fileParallelism: false,
  },
})
