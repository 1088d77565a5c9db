import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { OAuthEvent } from '../../src/core/events.js'
import type { Store } from '../../src/core/ports.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { clientSecretBasic, clientSecretPost } from '../../src/protocol/client-secret.js'
import { identityAssertion } from '../../src/sources/identity-assertion.js'
import { jwtBearer } from '../../src/sources/jwt-bearer.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata } from '../support/client.js'
import { confidentialServer, jobClient, jwtBearerGrant, tokenExchangeGrant } from '../support/confidential-server.js'
import { type Route, faultServer, json, text } from '../support/fault-server.js'
import { jwt } from '../support/id-token.js'
import { keyPair } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure } from '../support/sign-in.js'
import { expectNothingFound } from '../support/sweep.js'

// The user's identity, asserted to another application's authorization server
// (draft-ietf-oauth-identity-assertion-authz-grant): token exchange at the identity provider, then JWT bearer there.

const idJag = 'urn:ietf:params:oauth:token-type:id-jag'
const typ = 'oauth-id-jag+jwt'

async function signer() {
  const { privateKey, publicKey } = await keyPair('ES256')
  const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), alg: 'ES256' }
  const sign = (claims: Readonly<Record<string, unknown>>, type = 'JWT') =>
    new SignJWT({ iat: Math.floor(Date.now() / 1_000), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: type })
      .setExpirationTime('5m')
      .sign(privateKey)
  return { jwk, sign }
}

describe('against two of oidc-provider', () => {
  /** An identity provider, the authorization server of a chat that trusts it, and a wiki that is a client of both. */
  async function world(store: Store = memoryStore()) {
    const [sso, idpKey] = [await signer(), await signer()]
    const made: string[] = []
    const idp = await confidentialServer({
      clients: [
        jobClient('wiki', {
          client_secret: 'wiki-at-the-idp',
          token_endpoint_auth_method: 'client_secret_basic',
          grant_types: [tokenExchangeGrant],
        }),
      ],
      platform: { issuer: 'https://sso.example', keys: [sso.jwk] },
      exchanged: async ({ audience, scope, resource }) => {
        const claims = { iss: idp.issuer, aud: audience, sub: 'ann', client_id: 'wiki-at-chat', jti: randomUUID(), scope, resource }
        const assertion = await idpKey.sign(claims, typ)
        made.push(assertion)
        return { access_token: assertion, token_type: 'N_A', issued_token_type: idJag, expires_in: 300 }
      },
    })
    const chat = await confidentialServer({
      clients: [
        jobClient('wiki-at-chat', {
          client_secret: 'wiki-at-chat',
          token_endpoint_auth_method: 'client_secret_post',
          grant_types: [jwtBearerGrant],
        }),
      ],
      platform: { issuer: idp.issuer, keys: [idpKey.jwk], typ },
    })
    const events: OAuthEvent[] = []
    const observe = (event: OAuthEvent) => void events.push(event)
    const source = (user = 'ann') =>
      jwtBearer({
        issuer: chat.issuer,
        clientId: 'wiki-at-chat',
        clientAuthentication: clientSecretPost('wiki-at-chat'),
        scope: ['reports:read'],
        store,
        observe,
        assertion: identityAssertion({
          issuer: idp.issuer,
          clientId: 'wiki',
          clientAuthentication: clientSecretBasic('wiki-at-the-idp'),
          audience: chat.issuer,
          resource: 'https://api.chat.example/',
          scope: ['reports:read'],
          subjectToken: () => sso.sign({ iss: 'https://sso.example', aud: idp.issuer, sub: user }),
          observe,
        }),
      })
    return { idp, chat, made, events, source }
  }

  test('ID-JAG the identity provider asserts who the user is, and the other application’s server gives a token for that', async () => {
    const { idp, chat, source } = await world()
    const token = await source().token()
    expect(token.scope).toEqual(['reports:read'])
    expect(idp.to('/token').map(({ form }) => form)).toEqual([
      expect.objectContaining({
        grant_type: tokenExchangeGrant,
        requested_token_type: idJag,
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        audience: chat.issuer,
        resource: 'https://api.chat.example/',
        scope: 'reports:read',
      }),
    ])
    expect(chat.to('/token').map(({ form }) => form['grant_type'])).toEqual([jwtBearerGrant])
  })

  test('ID-JAG each token has an assertion of its own, because a server may take each only once', async () => {
    const { idp, chat, made, source } = await world()
    const one = source()
    const first = await one.token()
    const second = await one.token({ rejected: first })
    expect(second.reveal()).not.toBe(first.reveal())
    expect(chat.to('/token').map(({ form }) => form['assertion'])).toEqual(made)
    expect([idp.to('/token').length, chat.to('/token').length, new Set(made).size]).toEqual([2, 2, 2])
  })

  test('ID-JAG it is in no store, no event and no call of an API', async () => {
    const written: string[] = []
    const store = memoryStore()
    const recording: Store = {
      ...store,
      replace: (key, seen, next) => {
        written.push(key, JSON.stringify(next))
        return store.replace(key, seen, next)
      },
    }
    const { made, events, source } = await world(recording)
    const one = source()
    const calls: unknown[] = []
    const api = oauthFetch(one, {
      resources: ['https://api.chat.example/'],
      fetch: async (input, init) => {
        calls.push([input instanceof Request ? [...input.headers] : input, [...new Headers(init?.headers)]])
        return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })
      },
    })
    await api('https://api.chat.example/messages')
    expect(calls).toHaveLength(2)
    expect(made).toHaveLength(2)
    expect(written.length).toBeGreaterThan(0)
    expectNothingFound(made, { written, events, calls, source: one })
  })

  test('ID-JAG of one store each user has tokens of their own', async () => {
    const store = memoryStore()
    const { chat, source } = await world(store)
    const [ann, again, ben] = [await source('ann').token(), await source('ann').token(), await source('ben').token()]
    expect(again.reveal()).toBe(ann.reveal())
    expect(ben.reveal()).not.toBe(ann.reveal())
    expect(chat.to('/token')).toHaveLength(2)
  })
})

describe('an answer of the identity provider', () => {
  const audience = 'https://chat.example'
  const good = {
    access_token: jwt({ aud: audience, marker }, { alg: 'ES256', typ }),
    token_type: 'N_A',
    issued_token_type: idJag,
    expires_in: 300,
  }

  async function asked(route: Route) {
    const idp = await faultServer({ '/token': route })
    const chat = await faultServer({ '/token': json({ access_token: 'at', token_type: 'Bearer' }) })
    const source = jwtBearer({
      authorizationServer: metadata(chat.origin),
      clientId: 'wiki-at-chat',
      clock: manualClock(Date.now()),
      assertion: identityAssertion({
        authorizationServer: metadata(idp.origin),
        clientId: 'wiki',
        audience,
        subjectToken: 'a.b.c',
        clock: manualClock(Date.now()),
      }),
    })
    return { source, chat, idp }
  }

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['is right', {}],
    ['writes N_A small', { token_type: 'n_a' }],
    ['has one audience in a list', { access_token: jwt({ aud: [audience] }, { alg: 'ES256', typ }) }],
    [
      'writes its type as a whole media type',
      { access_token: jwt({ aud: audience }, { alg: 'ES256', typ: 'application/OAuth-ID-JAG+jwt' }) },
    ],
  ])('ID-JAG that %s is taken on', async ([, change]) => {
    const answer = { ...good, ...change }
    const { source, chat } = await asked(json(answer))
    await source.token()
    expect(chat.to('/token').map(({ form }) => form.get('assertion'))).toEqual([answer.access_token])
  })

  test.for<readonly [string, Route, RegExp]>([
    ['calls it a Bearer token', json({ ...good, token_type: 'Bearer' }), /N_A/],
    ['does not say its token_type', json({ ...good, token_type: undefined }), /N_A/],
    ['does not say what it issued', json({ ...good, issued_token_type: undefined }), /issued_token_type/],
    ['issued something else', json({ ...good, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }), /issued_token_type/],
    ['has a JWT of another type', json({ ...good, access_token: jwt({ aud: audience, marker }, { alg: 'ES256', typ: 'JWT' }) }), /typ/],
    ['has an access token', json({ ...good, access_token: jwt({ aud: audience, marker }, { alg: 'ES256', typ: 'at+jwt' }) }), /typ/],
    ['has a JWT of no type', json({ ...good, access_token: jwt({ aud: audience, marker }, { alg: 'ES256' }) }), /typ/],
    [
      'has one for another',
      json({ ...good, access_token: jwt({ aud: 'https://other.example', marker }, { alg: 'ES256', typ }) }),
      /audience/,
    ],
    [
      'has one for another too',
      json({ ...good, access_token: jwt({ aud: [audience, 'https://b.example'], marker }, { alg: 'ES256', typ }) }),
      /audience/,
    ],
    ['has one for nobody', json({ ...good, access_token: jwt({ marker }, { alg: 'ES256', typ }) }), /audience/],
    ['has no JWT', json({ ...good, access_token: marker }), /JWT/],
    ['has nothing', json({ ...good, access_token: undefined }), /JWT/],
    ['is no JSON by its content type', text(JSON.stringify(good)), /content type/],
    ['is a list', json([good]), /JSON object/],
  ])('ID-JAG X15 T13 that %s is token_response_invalid, and the other server hears nothing', async ([, route, message]) => {
    const { source, chat } = await asked(route)
    const error = await failure(source.token())
    expect(error).toMatchObject({ code: 'token_response_invalid', message: expect.stringMatching(message) as string })
    expectNoMarker(error)
    expect(chat.received).toEqual([])
  })

  test.for<readonly [string, Route, string]>([
    ['does not take the ID token', json({ error: 'invalid_grant', error_description: marker }, 400), 'request_refused'],
    ['does not know the client', json({ error: 'invalid_client' }, 401), 'client_refused'],
    ['does not know the audience', json({ error: 'invalid_target' }, 400), 'resource_refused'],
  ])('ID-JAG that %s has its code, and the other server hears nothing', async ([, route, code]) => {
    const { source, chat } = await asked(route)
    const error = await failure(source.token())
    expect(error).toMatchObject({ code })
    expectNoMarker(error)
    expect(chat.received).toEqual([])
  })
})

describe('the options', () => {
  const options = { issuer: 'https://idp.example', clientId: 'wiki', audience: 'https://chat.example', subjectToken: 'a.b.c' }

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['audience', { audience: undefined }],
    ['audience', { audience: 'chat' }],
    ['audience', { audience: 'http://chat.example' }],
    ['subjectToken', { subjectToken: undefined }],
    ['subjectToken', { subjectToken: '' }],
    ['subjectTokenType', { subjectTokenType: '' }],
    ['dpop', { dpop: true }],
    ['store', { store: memoryStore() }],
    ['requestedTokenType', { requestedTokenType: idJag }],
    ['issuer', { issuer: 'http://idp.example' }],
  ])('ID-JAG a wrong %s is refused by its name, before any request: %j', ([name, change]) => {
    expect(() => identityAssertion({ ...options, ...change } as never)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(name) as string }) as Error,
    )
  })

  test('ID-JAG a function that cannot read the subject token is client_refused, without what it threw', async () => {
    const subjectToken = () => Promise.reject(new Error(marker))
    const idp = await faultServer()
    const error = await failure(
      identityAssertion({ authorizationServer: metadata(idp.origin), clientId: 'wiki', audience: 'https://chat.example', subjectToken })(),
    )
    expect(error).toMatchObject({ name: 'OAuthError', code: 'client_refused' })
    expectNoMarker(error)
    expect(idp.received).toEqual([])
  })
})
