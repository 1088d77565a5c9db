// Bearer tokens in IndexedDB, sealed.
import { bearer, pageOf } from './page.mjs'
import * as protocol from './protocol.mjs'
import { keep, kept } from './sealing.mjs'

export const { signIn, resume, api } = pageOf({ ...protocol, keep, kept, send: bearer })
