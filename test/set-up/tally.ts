import type { Reporter } from 'vitest/node'

/** Ends a run with one plain line that any CI can read, counted over all projects. A run in which nothing ran has failed. */
export const tally: Reporter = {
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length
    // A file that could not be loaded and an error outside any test are failures too, though no test is marked with them.
    const broken = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0).length
    const failed = count('failed') + broken + errors.length
    const passed = count('passed')
    if (failed > 0 || passed === 0) process.exitCode = 1
    console.log(`${passed} passed, ${failed} failed, ${count('skipped') + count('pending')} skipped`)
  },
}
