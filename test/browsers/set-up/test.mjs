// @ts-check
// `npm run test:browsers`: pages in Chromium, Firefox and WebKit. BROWSERS=short for the short form of each.
import { longRun } from '../../set-up/long-run.mjs'
import { readyEngines, short } from './engines.mjs'

await longRun({
  ready: readyEngines,
  heading: `The tests in three browser engines${short ? ', in their short form' : ' (BROWSERS=short is the short form)'}`,
  config: 'test/browsers/vitest.config.ts',
})
