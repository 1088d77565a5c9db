// Bearer tokens in IndexedDB; the protocol is loaded when a request of it is due.
import { get, set } from 'idb-keyval'
import { bearer, pageOf } from './page.mjs'

const protocol =
  (name) =>
  async (...parameters) =>
    (await import('./protocol.mjs'))[name](...parameters)

export const { signIn, resume, api } = pageOf({
  authorizationRequest: protocol('authorizationRequest'),
  redeem: protocol('redeem'),
  renew: protocol('renew'),
  keep: (tokens) => set('tokens', tokens),
  kept: () => get('tokens'),
  send: bearer,
})
