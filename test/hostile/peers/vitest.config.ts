import { defineConfig } from 'vitest/config'
import { tally } from '../../set-up/tally.js'

// Run from the top: npm run test:peers, which installs the others first.
export default defineConfig({
  test: {
    reporters: ['verbose', tally],
    environment: 'node',
    include: ['test/hostile/peers/peers.test.ts'],
    testTimeout: 30_000,
  },
})
