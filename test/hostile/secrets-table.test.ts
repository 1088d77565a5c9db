import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { OAuthEvent } from '../../src/index.js'
import { accessToken, memoryStore, oauthFetch, sealed, userSession } from '../../src/index.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { expectNothingFound, renderings } from '../support/sweep.js'
import { stages } from './stages.js'

// Every public object that carries a secret, printed in every way: of a session whose tokens are bound, after nonces, a renewal and a refusal.

const stage = stages()

async function used(dpop: boolean) {
  const here = stage({ nonce: (endpoint) => `${endpoint}-nonce` })
  const bearer = stage()
  const { place, browse } = dpop ? here : bearer
  const { received, server } = dpop ? here : bearer
  const events: OAuthEvent[] = []
  const store = sealed(memoryStore(), { encryptionKey: Buffer.alloc(32, 7).toString('base64') })
  const session = userSession({
    issuer: place.issuer,
    clientId: place.clientId,
    scope: ['openid', 'notes:read'],
    dpop,
    store,
    clock: manualClock(Date.now()),
    redirectUri: place.redirectUri,
    userAgent: { authorize: async (request) => browse(await request(place.redirectUri)) },
    observe: (event) => events.push(event),
  })
  await session.signIn()
  const first = await session.token()
  const api = oauthFetch(session, { resources: [place.resource] })
  expect((await api(`${place.resource}notes`)).status).toBe(200)
  const later = await session.token({ rejected: first })
  const thrown: unknown = await api('https://elsewhere.example/').catch((error: unknown) => error)
  const ofTheProgram = accessToken(later.reveal())
  const proofs = received.map(({ headers }) => String(headers['dpop'] ?? '')).filter((proof) => proof !== '')
  const secrets = [...server.secrets, ...proofs].filter((text) => text !== '')
  const shown = { session, snapshot: session.snapshot(), first, later, ofTheProgram, api, store, events, thrown }
  return { secrets, proofs, shown, nonces: dpop ? ['token-nonce', 'resource-nonce'] : [] }
}

test.for([{ dpop: false }, { dpop: true }])(
  'attack 27 29 35 no public object shows a token, a proof or a nonce, however it is printed, with dpop: $dpop',
  async ({ dpop }) => {
    const { secrets, proofs, nonces, shown } = await used(dpop)
    expect(proofs.length > 0).toBe(dpop)
    for (const [name, thing] of Object.entries(shown)) {
      expectNothingFound([...secrets, ...nonces], {
        [name]: thing,
        // What has no prototype becomes no text at all.
        'as text': [format('%s %j %o %O', thing, thing, thing, thing), renderings([thing])],
        'at any depth': inspect({ deep: [new Map([[thing, thing]])] }, { depth: Infinity, showHidden: true, getters: true }),
        'as an error’s cause': new Error('of a program', { cause: thing }),
      })
    }
  },
)
