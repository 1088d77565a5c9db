import type { Client } from '../core/client.js'
import { formatScope } from '../core/scope.js'
import { bare } from '../core/secret.js'
import type { TokenTarget } from '../core/tokens.js'

/** What a token is asked for: what the call says, else what the client says. */
export function targetParameters(
  client: Client,
  wanted: TokenTarget,
): { readonly scope: string | undefined; readonly resource: string | readonly string[]; readonly audience: string | undefined } {
  // Own members only: what a polluted `Object.prototype` says is not wanted.
  const target = bare({ ...wanted })
  return bare({
    scope: formatScope(target.scope ?? client.scope),
    resource: target.resource ?? client.resource,
    audience: target.audience ?? client.audience,
  })
}
