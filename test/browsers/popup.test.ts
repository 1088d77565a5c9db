import { expect, test } from 'vitest'
import { until } from './drivers/waiting.js'
import { inEachEngine } from './engines.js'
import { stageFor } from './stage.js'

// A sign-in in a window of its own, in each engine; its many policies, its ends without an answer and its attacks are tested in Chromium alone.

const policies = [
  ['sends no Cross-Origin-Opener-Policy', undefined],
  ['cuts the window off by Cross-Origin-Opener-Policy: same-origin', 'same-origin'],
] as const

inEachEngine((browser) => {
  test.for(policies)(
    'attack 15 a sign-in in a window at a server that %s ends in the page that began it, and the window closes',
    async ([, policy], context) => {
      const stage = await stageFor(context, browser())
      context.onTestFinished(() => browser().closeTabs())
      stage.server.openerPolicy = policy
      const tab = await stage.open('/notes?page=2', 'window')
      const windows = await browser().countTabs()
      expect(await tab.evaluate('app.signInInWindow()')).toBe('signed_in')
      await until(async () => (await browser().countTabs()) === windows, 10_000, 'the window has closed')
      expect(await tab.address()).toBe(`${stage.origin}/notes?page=2`)
      expect(await tab.evaluate('app.call()')).toBe(200)
      expect(stage.codes).toHaveLength(1)
      expect(stage.proxies.server.log.filter(({ grantType }) => grantType !== undefined)).toHaveLength(1)
      expect(JSON.stringify(stage.reports.overheard)).toContain('"broadcast":"valetkey popup ')
      expect(stage.reports.overheard).toContainEqual({ hasOpener: policy === undefined })
    },
  )
})
