// Tokens bound to a key (RFC 9449), sealed.
import { get, update } from 'idb-keyval'
import { DPoP, generateKeyPair, isDPoPNonceError, protectedResourceRequest } from 'oauth4webapi'
import { pageOf } from './page.mjs'
import * as protocol from './protocol.mjs'
import { keep, kept } from './sealing.mjs'

let known
const proofs = () =>
  (known ??= (async () => {
    const made = (await get('dpop')) ?? (await generateKeyPair('ES256'))
    await update('dpop', (now) => now ?? made)
    return DPoP({ client_id: 'app' }, await get('dpop'))
  })())

/** Once more with the nonce that the server asks for. */
async function proven(run) {
  const options = { DPoP: await proofs() }
  try {
    return await run(options)
  } catch (error) {
    if (!isDPoPNonceError(error)) throw error
    return run(options)
  }
}

export const { signIn, resume, api } = pageOf({
  authorizationRequest: protocol.authorizationRequest,
  redeem: (address, pending) => proven((options) => protocol.redeem(address, pending, options)),
  renew: (tokens) => proven((options) => protocol.renew(tokens, options)),
  keep,
  kept,
  send: (url, init, { access_token }) =>
    proven((options) =>
      protectedResourceRequest(access_token, init?.method ?? 'GET', new URL(url), new Headers(init?.headers), init?.body, options),
    ),
})
