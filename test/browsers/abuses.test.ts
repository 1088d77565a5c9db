import { expect, test } from 'vitest'
import { abuses } from './abuses.js'
import { inEachEngine } from './engines.js'
import { worldFor } from './world.js'

// The abuses of the callback, in each engine.

inEachEngine((browser) => {
  test.for(abuses)('C2 C17 $name', async ({ run }, context) => {
    expect(abuses.length).toBeGreaterThanOrEqual(12)
    await run(await worldFor(context, browser()))
  })
})
