import type { UserAgent } from '../core/ports.js'
import { check, equal, rejection, soon } from './contract.js'
import type { ContractRule } from './contract.js'

/**
 * What every user agent must do before it sends a user anywhere, one rule each; no rule sends one. (What it does afterwards needs a user.)
 *
 * @example
 * for (const rule of userAgentContract(async () => redirect())) test(rule.name, rule.run)
 */
export function userAgentContract(make: () => Promise<UserAgent>): readonly ContractRule[] {
  return rules.map(({ name, holds }) => ({ name, run: async () => soon(holds((await make()).authorize), name) }))
}

interface Rule {
  readonly name: string
  readonly holds: (authorize: UserAgent['authorize']) => Promise<void>
}

const redirectUri = 'http://127.0.0.1/callback'

const rules: readonly Rule[] = [
  {
    name: 'the request is asked for once, with an absolute redirect URI without a fragment, and its failure is passed on',
    async holds(authorize) {
      const failure = new Error('of the request')
      const asked: string[] = []
      const request = async (uri: string): Promise<URL> => {
        asked.push(uri)
        throw failure
      }
      equal(await rejection(authorize(request, { redirectUri }), 'authorize'), failure, 'reason')
      equal(asked.length, 1, 'how often it was asked for')
      check(URL.canParse(asked[0] ?? '') && !asked[0]?.includes('#'), `not an absolute URI without a fragment: ${asked[0]}`)
    },
  },
  {
    name: 'a signal that is already aborted rejects with its reason, before the request is asked for',
    async holds(authorize) {
      let asked = false
      const reason = new Error('gave up')
      const request = async (): Promise<URL> => {
        asked = true
        throw new Error('asked for')
      }
      equal(await rejection(authorize(request, { redirectUri, signal: AbortSignal.abort(reason) }), 'authorize'), reason, 'reason')
      equal(asked, false, 'whether it was asked for')
    },
  },
  {
    name: 'a signal that is aborted while the request is made rejects with its reason',
    async holds(authorize) {
      const [controller, reason] = [new AbortController(), new Error('gave up')]
      const request = (): Promise<URL> => {
        controller.abort(reason)
        return new Promise(() => {})
      }
      equal(await rejection(authorize(request, { redirectUri, signal: controller.signal }), 'authorize'), reason, 'reason')
    },
  },
  {
    name: 'an address that is not http or https is not gone to',
    async holds(authorize) {
      for (const address of ['javascript:globalThis.wentThere=true', 'data:text/html,there', 'file:///etc/hosts']) {
        await rejection(
          authorize(async () => new URL(address), { redirectUri }),
          address,
        )
      }
      equal(Object.hasOwn(globalThis, 'wentThere'), false, 'whether the script ran')
    },
  },
]
