import { defineConfig } from 'vitest/config'
import { tally } from '../set-up/tally.js'

// Run from the top: npm run test:runtimes.
export default defineConfig({
  test: {
    reporters: ['verbose', tally],
    environment: 'node',
    include: ['test/runtimes/*.test.ts'],
    globalSetup: ['test/set-up/built.mjs'],
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
})
