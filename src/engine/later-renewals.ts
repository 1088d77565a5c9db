import { asOAuthError } from '../core/as-oauth-error.js'
import type { RenewalParts, Renewals } from './renewal.js'

export type RenewalsOf = (parts: RenewalParts) => Renewals

/** Renewals whose code is loaded when one is due. Where it cannot be had, who waits is told, nothing was sent, and the next call asks for it again. */
export function laterRenewals(load: () => RenewalsOf | Promise<RenewalsOf>): RenewalsOf {
  return (parts) => {
    let made: Renewals | undefined
    return {
      async renew(...asked) {
        try {
          made ??= (await load())(parts)
        } catch (error) {
          return { error: asOAuthError(error) }
        }
        return made.renew(...asked)
      },
      atRest: async () => made?.atRest(),
    }
  }
}
