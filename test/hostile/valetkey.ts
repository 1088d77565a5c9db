import { decodeTokenRecord } from '../../src/core/codec.js'
import type { Clock, Store } from '../../src/core/ports.js'
import { clientCredentials, clientSecretBasic, memoryStore, oauthFetch, sealed, signedResponses, userSession } from '../../src/index.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import type { Kind } from './client-under-test.js'

/** The client that all this is about: a session in Node, whose user agent is the stage's, and whose store is sealed. */
export const valetkey: Kind = {
  name: 'valetkey',
  async start({ place, browse, fetch }, { scope = ['openid', 'notes:read'], clockIsWrongBy = 0, ...setting }) {
    const clock = counted(manualClock(Date.now() + clockIsWrongBy))
    const events: unknown[] = []
    const below = recorded(memoryStore())
    const store = sealed(below.store, { encryptionKey: Buffer.alloc(32, 7).toString('base64') })
    const options = {
      issuer: place.issuer,
      clientId: place.clientId,
      store,
      clock,
      // A function of its own, so that no metadata is shared with another scenario.
      fetch: (...call: Parameters<typeof fetch>) => fetch(...call),
      observe: (event: unknown) => void events.push(event),
    }
    const session = userSession({
      ...options,
      scope,
      dpop: setting.dpop,
      pushedAuthorizationRequests: setting.pushed,
      signedResponses: setting.signedResponses === true ? signedResponses() : undefined,
      redirectUri: place.redirectUri,
      userAgent: { authorize: async (request) => browse(await request(place.redirectUri)) },
    })
    const job = clientCredentials({ ...options, clientAuthentication: clientSecretBasic(place.clientSecret) })
    const api = oauthFetch(session, { resources: [place.resource] })

    async function kept(): Promise<string> {
      // Key and nonces outlive every session.
      const ofSessions = [...below.keys].filter((key) => !key.startsWith('valetkey:dpop:'))
      const records = await Promise.all(ofSessions.map(async (key) => (await store.get(key))?.value))
      const said = records.map((text) => {
        if (text === undefined) return 'nothing'
        const record = decodeTokenRecord(text)
        if (record === undefined) return 'a pending request'
        return record.ended === undefined ? (record.accessTokens.length > 0 ? 'tokens' : 'no tokens') : `ended: ${record.ended.reason}`
      })
      return [...new Set(said)].filter((one) => one !== 'nothing').join(', ') || 'nothing'
    }

    return {
      signIn: () => session.signIn(),
      call: async (url, init) => (await api(url, init)).status,
      renew: async () => void (await session.token({ rejected: await session.token() })),
      clientCredentials: async () => void (await job.token()),
      pass: (milliseconds) => clock.advance(milliseconds),
      evidence: async () => ({
        kept: await kept(),
        pendingTimers: clock.pending(),
        shown: { events, session, snapshot: session.snapshot(), job, api, store: below.written, keys: [...below.keys] },
      }),
    }
  },
}

function counted<C extends Clock>(clock: C): C & { pending(): number } {
  let pending = 0
  return {
    ...clock,
    pending: () => pending,
    wait: async (milliseconds, signal) => {
      pending += 1
      try {
        await clock.wait(milliseconds, signal)
      } finally {
        pending -= 1
      }
    },
  }
}

/** A store, and every text that was ever written to it. */
function recorded(store: Store): { readonly store: Store; readonly keys: Set<string>; readonly written: string[] } {
  const keys = new Set<string>()
  const written: string[] = []
  return {
    keys,
    written,
    store: {
      get: store.get,
      replace: (key, seen, next) => {
        keys.add(key)
        if (next !== undefined) written.push(next.value)
        return store.replace(key, seen, next)
      },
    },
  }
}
