import { inspect } from 'node:util'
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import { OAuthError, memoryStore, oauthFetch } from '../../src/index.js'
import { marker } from '../support/marker.js'
import { expectNothingFound, sweep } from '../support/sweep.js'
import { sessionAt, stages } from './stages.js'

// Secrets where a program, a log or a crash could show them.

const stage = stages()

test('attack 27 the error of the library shows what was sent to it, and that of valetkey does not', async () => {
  const body = { access_token: `access-${marker}`, token_type: 'Bearer', id_token: `not-a-jwt-${marker}` }
  const issuer = 'https://auth.example'
  const theirs = await oauth
    .processAuthorizationCodeResponse({ issuer }, { client_id: 'app' }, Response.json(body), { requireIdToken: true })
    .catch((error: unknown) => error)
  expect(sweep([marker], { theirs })).not.toEqual([])
  for (const member of ['id_token', 'token_type', 'access_token', 'scope', 'expires_in', 'refresh_token']) {
    const here = stage({ token: (said) => ({ ...said, [member]: [`evil-${marker}`], also: marker }) })
    const thrown = await sessionAt(here)
      .signIn()
      .catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(OAuthError)
    expectNothingFound([marker, ...here.server.secrets], { thrown })
  }
})

test('attack 27 nor does it show what a fetch, a store or a user agent threw', async () => {
  const broken = () => Promise.reject(Object.assign(new Error(`failed: ${marker}`), { cause: { token: marker } }))
  const memory = memoryStore()
  for (const more of [
    { fetch: broken },
    { store: { get: broken, replace: broken } },
    { store: { get: memory.get, replace: broken } },
    { fetch: async () => new Response(marker, { status: 500, statusText: marker }) },
    { fetch: async () => Response.json({ error: marker, error_description: marker }, { status: 400 }) },
  ]) {
    const thrown = await sessionAt(stage(), more)
      .signIn()
      .catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(OAuthError)
    expectNothingFound([marker], { thrown })
  }
})

test('attack 29 35 nothing that a session says, shows or hands out has a secret in it, from the sign-in to the sign-out', async () => {
  const here = stage()
  const events: unknown[] = []
  const session = sessionAt(here, { observe: (event) => events.push(event) })
  await session.signIn()
  const token = await session.token()
  const api = oauthFetch(session, { resources: [here.place.resource] })
  await api(`${here.place.resource}notes`)
  await session.token({ rejected: token })
  const shown = { session, token, snapshot: session.snapshot(), api, page: { session, token } }
  const cloned = structuredClone(session.snapshot())
  const { subject = session.snapshot().idTokenClaims?.sub } = {}
  await session.signOut()
  expect(subject).toBe('ann')
  expect(events.length).toBeGreaterThan(5)
  expectNothingFound([...here.server.secrets], {
    events,
    cloned,
    ...shown,
    serialised: JSON.stringify(shown),
    printed: inspect(shown, { depth: 9 }),
  })
  // What has functions in it can be put into no page's state.
  expect(() => structuredClone(session)).toThrow(DOMException)
  expect(() => structuredClone(token)).toThrow(DOMException)
  expect([String(token), JSON.stringify({ token }), inspect({ token })].join()).not.toContain(marker)
})

test('attack 30 a token goes into no address, and to no EventSource and no WebSocket', async () => {
  const here = stage()
  const session = sessionAt(here)
  await session.signIn()
  const api = oauthFetch(session, { resources: [here.place.resource] })
  for (const scheme of ['ws', 'wss'])
    await expect(api(here.place.resource.replace('http', scheme))).rejects.toMatchObject({ code: 'resource_not_listed' })
  expect(() => oauthFetch(session, { resources: ['wss://api.example/'] })).toThrow(OAuthError)
  await api(`${here.place.resource}events`, { headers: { accept: 'text/event-stream' } })
  const called = here.received.filter(({ endpoint }) => endpoint === 'resource')
  expect(called.map(({ url }) => url.search)).toEqual([''])
})

test('attack 34 the report of a crash has no secret in it, nor have the arguments and the environment', async () => {
  const here = stage()
  const session = sessionAt(here)
  await session.signIn()
  expectNothingFound([...here.server.secrets], {
    report: process.report?.getReport(),
    argv: process.argv,
    execArgv: process.execArgv,
    env: { ...process.env },
    title: process.title,
  })
  await session.signOut()
})

test('attack 26 32 33 every request says for itself: no cookies, no referrer, no cache, no redirect', async () => {
  const here = stage()
  const seen: [string, RequestInit | undefined][] = []
  const session = sessionAt(here, {
    fetch: (input, init) => {
      seen.push([String(input).replace(here.place.issuer, ''), init])
      return fetch(input, init)
    },
  })
  await session.signIn()
  await session.token({ rejected: await session.token() })
  await session.signOut()
  expect(seen.map(([path]) => path).filter((path) => !path.includes('well-known'))).toEqual(['/token', '/token', '/revoke', '/revoke'])
  for (const [path, init] of seen)
    expect({ path, ...init }).toMatchObject({
      path,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
      redirect: 'manual',
    })
})
