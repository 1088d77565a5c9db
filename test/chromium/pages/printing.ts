import {
  OAuthError,
  type AccessToken,
  accessToken,
  indexedDBStore,
  memoryStore,
  oauthFetch,
  popup,
  redirect,
  sealed,
  webLocks,
} from '../../../src/browser/index.js'
import { app } from './app.js'

/** Every object of the library that this page has, for whoever prints them. A session that is signed in has tokens. */
export interface Printing {
  things(): Promise<Readonly<Record<string, unknown>>>
}

const encryptionKey = btoa('7'.repeat(32))

const printing: Printing = {
  async things() {
    const { session, events } = app
    const first: AccessToken = await session.token()
    const later = await session.token({ rejected: first })
    const thrown: unknown = await session.token({ scope: ['admin'] }).catch((error: unknown) => error)
    if (!(thrown instanceof OAuthError)) throw new Error('What should have failed has not.')
    const stores = { database: indexedDBStore(), sealed: sealed(memoryStore(), { encryptionKey }) }
    const api = oauthFetch(session, { resources: ['https://api.example/'] })
    const ofTheProgram = accessToken(later.reveal())
    return { session, events, first, later, ofTheProgram, thrown, api, ...stores, popup: popup(), redirect: redirect(), lock: webLocks() }
  },
}
Object.assign(globalThis, { printing })
