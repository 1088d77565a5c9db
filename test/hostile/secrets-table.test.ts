import 'fake-indexeddb/auto'
import { expect, test } from 'vitest'
import { browserSession, indexedDBStore, popup, redirect, webLocks } from '../../src/browser/index.js'
import type { AccessToken, OAuthEvent, Session } from '../../src/index.js'
import { accessToken, deviceAuthorization, memoryStore, oauthFetch, sealed, serverSignIn, userSession } from '../../src/index.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { expectNothingPrinted } from '../support/printed.js'
import type { Stage } from './fault-authorization-server.js'
import { stages } from './stages.js'

// Every public object of a user's session that carries a secret, printed in every way: with bound tokens and without, after nonces, a renewal and a
// refusal. Those of other tokens: secrets-of-sources.test.ts; in a real page: test/chromium/secrets.test.ts.

const stage = stages()

/** What a way to sign in is made of. */
interface Given {
  readonly here: Stage
  readonly options: ReturnType<typeof optionsOf>
}

/** How a user signs in; resolves with the session, what else there is to be printed, and what else is a secret. */
type Way = (given: Given) => Promise<{
  readonly session: Session
  readonly shown: Readonly<Record<string, unknown>>
  readonly secrets?: readonly string[]
}>

const encryptionKey = Buffer.alloc(32, 7).toString('base64')

function optionsOf({ place }: Stage, dpop: boolean, events: OAuthEvent[]) {
  return {
    issuer: place.issuer,
    clientId: place.clientId,
    scope: ['openid', 'notes:read'],
    redirectUri: place.redirectUri,
    dpop,
    clock: manualClock(Date.now()),
    observe: (event: OAuthEvent) => void events.push(event),
    // A function of its own, so that no metadata is shared with another test.
    fetch: (...call: Parameters<typeof fetch>) => fetch(...call),
  }
}

const ways: Readonly<Record<string, Way>> = {
  'of a user': async ({ here, options }) => {
    const store = sealed(memoryStore(), { encryptionKey })
    const userAgent = {
      authorize: async (request: (redirectUri: string) => Promise<URL>) => here.browse(await request(options.redirectUri)),
    }
    const session = userSession({ ...options, store, userAgent })
    await session.signIn()
    return { session, shown: { store, userAgent }, secrets: [encryptionKey] }
  },
  'of a page': async ({ here, options }) => {
    const store = indexedDBStore({ database: here.place.issuer })
    const userAgent = {
      authorize: async (request: (redirectUri: string) => Promise<URL>) => here.browse(await request(options.redirectUri)),
    }
    const { clock: _, ...ofPage } = options
    const session = browserSession({ ...ofPage, store, userAgent })
    await session.signIn()
    return { session, shown: { store, userAgent, popup: popup(), redirect: redirect(), lock: webLocks() } }
  },
  'of a server': async ({ here, options }) => {
    const store = sealed(memoryStore(), { encryptionKey })
    const signIn = serverSignIn({ ...options, store })
    const { location, binding } = await signIn.start({ returnTo: '/notes' })
    const response = await here.browse(location)
    const wrong: unknown = await signIn.finish(response, { binding: 'of another' }).catch((error: unknown) => error)
    const finished = await signIn.finish(response, { binding })
    const again: unknown = await signIn.finish(response, { binding }).catch((error: unknown) => error)
    const job = userSession({ ...options, store, account: finished.account })
    await job.resume()
    return { session: finished.session, shown: { signIn, store, finished, wrong, again, job, location }, secrets: [binding, encryptionKey] }
  },
  'that began on another device': async ({ here, options }) => {
    const deviceCode = here.place.secret('device-code')
    const prompts: unknown[] = []
    const userAgent = deviceAuthorization((prompt) => prompts.push(prompt))
    const verification = { user_code: 'BCDF-GHJK', verification_uri: 'https://as.example/device', expires_in: 600 }
    const withDevice: typeof fetch = async (input, init) =>
      String(input).endsWith('/device') ? Response.json({ device_code: deviceCode, ...verification }) : fetch(input, init)
    const session = userSession({ ...options, scope: ['notes:read'], fetch: withDevice, userAgent })
    const signedIn = session.signIn()
    await expect.poll(() => prompts.length).toBe(1)
    // A second at a time: a clock that runs far ahead makes no proof that a server takes.
    const aSecond = () => options.clock.advance(1_000).then(() => session.snapshot().status)
    await expect.poll(aSecond, { timeout: 10_000 }).toBe('signed_in')
    await signedIn
    return { session, shown: { userAgent, prompts } }
  },
}

/** Calls, is refused, renews, and fails: what there is to be printed then. */
async function used({ here, options }: Given, session: Session): Promise<Readonly<Record<string, unknown>>> {
  const { resource } = here.place
  const api = oauthFetch(session, { resources: [resource] })
  const first: AccessToken = await session.token()
  expect((await api(`${resource}notes`)).status).toBe(200)
  const thrown: unknown = await api('https://elsewhere.example/').catch((error: unknown) => error)
  const refused: unknown = await session.token({ scope: ['admin'] }).catch((error: unknown) => error)
  const later: unknown = await session.token({ rejected: first }).catch((error: unknown) => error)
  const ofTheProgram = accessToken(first.reveal())
  return { session, snapshot: session.snapshot(), first, later, ofTheProgram, api, thrown, refused, clock: options.clock }
}

test.for(Object.keys(ways).flatMap((way) => [false, true].map((dpop) => ({ way, dpop }))))(
  'attack 27 29 35 no public object of a session $way shows a token, a code, a proof, a nonce or a key, however it is printed, with dpop: $dpop',
  async ({ way, dpop }) => {
    const here = stage({
      ...(dpop ? { nonce: (endpoint: string) => `nonce-of-the-${endpoint}-endpoint` } : {}),
      discovery: (document, { issuer }) => ({ ...document, device_authorization_endpoint: `${issuer}/device` }),
    })
    const events: OAuthEvent[] = []
    const given = { here, options: optionsOf(here, dpop, events) }
    const made = await ways[way]?.(given)
    if (made === undefined) throw new Error(`There is no session ${way}.`)
    const shown = { ...(await used(given, made.session)), ...made.shown, events }
    const proofs = here.received.map(({ headers }) => String(headers['dpop'] ?? '')).filter((proof) => proof !== '')
    expect(proofs.length > 0).toBe(dpop)
    expect(events.length).toBeGreaterThan(3)
    const nonces = dpop ? ['nonce-of-the-token-endpoint', 'nonce-of-the-resource-endpoint'] : []
    const secrets = [...here.server.secrets, ...proofs, ...nonces, ...(made.secrets ?? [])].filter((text) => text !== '')
    expect(secrets.length).toBeGreaterThan(2)
    expectNothingPrinted(secrets, shown)
  },
)

test('what a program prints of a thing that has a secret is found in each of these ways', () => {
  const planted = 'planted-where-everybody-sees-it'
  for (const thing of [planted, { deep: { token: planted } }, new Error(planted), new Map([['token', planted]]), { toJSON: () => planted }])
    expect(() => expectNothingPrinted([planted], { thing })).toThrow()
  expect(() => expectNothingPrinted([], { key: { kty: 'EC', d: 'x'.repeat(43) } })).toThrow()
})
