import { afterAll, beforeAll, describe } from 'vitest'
import { type Browser, type EngineName, startBrowser } from './driver.js'
import { engineNames } from './set-up/engines.mjs'

export { short } from './set-up/engines.mjs'

/** The same tests in each engine that is to be driven, in one browser of it. */
export function inEachEngine(tests: (browser: () => Browser, engine: EngineName) => void): void {
  describe.for(engineNames)('in %s', (engine) => {
    let browser: Awaited<ReturnType<typeof startBrowser>> | undefined
    beforeAll(async () => {
      browser = await startBrowser(engine)
    })
    afterAll(() => browser?.close())
    tests(() => {
      if (browser === undefined) throw new Error(`${engine} has not been started.`)
      return browser
    }, engine)
  })
}
