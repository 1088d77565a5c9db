// Bearer tokens in IndexedDB, in clear.
import { get, set } from 'idb-keyval'
import { bearer, pageOf } from './page.mjs'
import * as protocol from './protocol.mjs'

export const { signIn, resume, api } = pageOf({
  ...protocol,
  keep: (tokens) => set('tokens', tokens),
  kept: () => get('tokens'),
  send: bearer,
})
