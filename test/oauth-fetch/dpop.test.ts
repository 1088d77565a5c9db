import { describe, expect, test } from 'vitest'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { clientSecretPost } from '../../src/protocol/client-secret.js'
import { clientCredentials } from '../../src/sources/client-credentials.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata } from '../support/client.js'
import { inTurn, proofsTo, tokens } from '../support/dpop.js'
import { type FaultServer, type Route, faultServer, json, text } from '../support/fault-server.js'
import { seen } from '../support/marker.js'

// Calls with bound tokens against APIs that are scripted.

const refused = (challenge: string | undefined, headers: Readonly<Record<string, string>> = {}): Route =>
  text('', { ...(challenge === undefined ? {} : { 'www-authenticate': challenge }), ...headers }, 401)
const wantsNonce = (nonce: string, challenge = 'DPoP error="use_dpop_nonce"'): Route => refused(challenge, { 'dpop-nonce': nonce })
const invalidToken = refused('DPoP error="invalid_token"')
const fine: Route = json({})

async function calling(route: Route) {
  const server = await faultServer({ '/token': tokens({ refresh_token: undefined }), '/notes': route })
  const api = await faultServer({ '/notes': route })
  const source = clientCredentials({
    authorizationServer: metadata(server.origin),
    clientId: 'job',
    clientAuthentication: clientSecretPost('a-secret'),
    dpop: true,
    clock: manualClock(Date.now()),
  })
  const call = oauthFetch(source, { resources: [`${api.origin}/`, `${server.origin}/`] })
  return { server, api, source, call, notes: (init?: RequestInit) => call(`${api.origin}/notes?page=2`, init) }
}

const noncesAt = async (api: FaultServer) => (await proofsTo(api, '/notes')).map(({ claims }) => claims['nonce'])

test('P3 P4 every request has the token under its own scheme, and a proof of its own, the repeated one too', async () => {
  const { api, notes } = await calling(inTurn(fine, wantsNonce('n1'), invalidToken, fine))
  await notes()
  await notes({ method: 'POST', body: 'a note' })
  const proofs = await proofsTo(api, '/notes')
  expect(proofs).toHaveLength(4)
  expect(new Set(proofs.map(({ claims }) => claims.jti)).size).toBe(4)
  expect(new Set(proofs.map(({ key }) => key)).size).toBe(1)
  // The last two carry a later token, and each proof is for its own.
  expect(new Set(proofs.map(({ claims }) => claims['ath'])).size).toBe(2)
  expect(api.to('/notes').map(({ headers, body }) => [headers.authorization?.split(' ')[0], body])).toEqual([
    ['DPoP', ''],
    ['DPoP', 'a note'],
    ['DPoP', 'a note'],
    ['DPoP', 'a note'],
  ])
})

describe('the nonce of an API', () => {
  test.each([
    'DPoP error="use_dpop_nonce"',
    'dPoP error="use_dpop_nonce"',
    'dpop ERROR=use_dpop_nonce',
    'Bearer, DPOP realm="a", error="use_dpop_nonce"',
  ])('P5 P9 is met by one more request, however the challenge is written: %s', async (challenge) => {
    const { api, server, notes } = await calling(inTurn(wantsNonce('n1', challenge), fine))
    expect((await notes()).status).toBe(200)
    expect(await noncesAt(api)).toEqual([undefined, 'n1'])
    expect(server.to('/token')).toHaveLength(1)
  })

  test('P5 that is new with every answer is followed once, and the answer comes back (attack 66)', async () => {
    let count = 0
    const { api, notes } = await calling((request, response) => wantsNonce(`n${(count += 1)}`)(request, response))
    expect((await notes()).status).toBe(401)
    expect(await noncesAt(api)).toEqual([undefined, 'n1'])
  })

  test('P5 an API that finds fault with nonce and token in turns is asked four times at most (attack 69)', async () => {
    let count = 0
    const { api, server, notes } = await calling((request, response) => {
      count += 1
      return (count % 2 === 0 ? invalidToken : wantsNonce(`n${count}`))(request, response)
    })
    expect((await notes()).status).toBe(401)
    expect(api.to('/notes')).toHaveLength(4)
    expect(server.to('/token')).toHaveLength(2)
  })

  test('P6 is the newest of any answer', async () => {
    const { api, notes } = await calling(inTurn(json({}, 200, { 'dpop-nonce': 'n1' }), json({}, 404, { 'dpop-nonce': 'n2' }), fine))
    for (let call = 0; call < 3; call += 1) await notes()
    expect(await noncesAt(api)).toEqual([undefined, 'n1', 'n2'])
  })

  test('P7 goes to the origin that gave it and to no other', async () => {
    const { api, server, notes, call } = await calling(json({}, 200, { 'dpop-nonce': 'n1' }))
    await notes()
    await call(`${server.origin}/notes`)
    await notes()
    expect(await noncesAt(server)).toEqual([undefined])
    expect(await noncesAt(api)).toEqual([undefined, 'n1'])
  })

  test.each([
    ['a megabyte is more than a header may have', 'n'.repeat(8_000)],
    ['white space', 'a b'],
    ['half a quote', 'a"'],
  ])('P8 that is none is not repeated: %s', async (_, nonce) => {
    const { api, notes } = await calling(json({}, 200, { 'dpop-nonce': nonce }))
    await notes()
    await notes()
    expect(await noncesAt(api)).toEqual([undefined, undefined])
  })

  test('P15 that cannot be read rejects with which header is missing, and repeats nothing', async () => {
    const { api, notes } = await calling(refused('DPoP error="use_dpop_nonce"'))
    await expect(notes()).rejects.toMatchObject({ code: 'dpop_nonce_unreadable', message: /Access-Control-Expose-Headers: DPoP-Nonce/ })
    expect(api.to('/notes')).toHaveLength(1)
  })

  test('P5 is tried where the challenge is hidden from the page and the nonce is not', async () => {
    const { api, server, notes } = await calling(inTurn(refused(undefined, { 'dpop-nonce': 'n1' }), fine))
    expect((await notes()).status).toBe(200)
    expect(await noncesAt(api)).toEqual([undefined, 'n1'])
    expect(server.to('/token')).toHaveLength(1)
  })

  test('F10 a body that cannot be sent again is not: the 401 comes back, and the next call has the nonce', async () => {
    const { api, notes } = await calling(inTurn(wantsNonce('n1'), fine))
    const body = new Blob(['once']).stream()
    expect((await notes({ method: 'POST', body, duplex: 'half' } as RequestInit)).status).toBe(401)
    await notes()
    expect(await noncesAt(api)).toEqual([undefined, 'n1'])
  })

  test('P5 a call that was given up is not repeated', async () => {
    const leave = new AbortController()
    const { api, notes } = await calling((request, response) => {
      leave.abort(new Error('given up'))
      return wantsNonce('n1')(request, response)
    })
    await expect(notes({ signal: leave.signal })).rejects.toThrow('given up')
    expect(api.to('/notes')).toHaveLength(1)
  })
})

test('P16 an API whose clock is another is told by its own Date, once', async () => {
  const date = new Date(Date.now() - 600_000).toUTCString()
  const { api, notes } = await calling(inTurn(refused('DPoP error="invalid_dpop_proof"', { date }), fine))
  expect((await notes()).status).toBe(200)
  const [first, second] = await proofsTo(api, '/notes')
  expect((first?.claims.iat ?? 0) - (second?.claims.iat ?? 0)).toBeGreaterThan(590)
})

test('P16 an answer that a cache kept does not turn the clock: its Date is that of long ago', async () => {
  const { api, notes } = await calling(json({}, 200, { date: new Date(Date.now() - 86_400_000).toUTCString() }))
  await notes()
  await notes()
  const [first, second] = await proofsTo(api, '/notes')
  expect(second?.claims.iat).toBe(first?.claims.iat)
})

test('F7 a redirect to another resource has a proof of that address, and the nonce of the first stays behind', async () => {
  const { api, server, call } = await calling(json({}, 200, { 'dpop-nonce': 'n1' }))
  api.on('/moved', text('', { location: `${server.origin}/notes`, 'dpop-nonce': 'of-the-api' }, 307))
  expect((await call(`${api.origin}/moved`)).status).toBe(200)
  const [proof] = await proofsTo(server, '/notes')
  expect(proof?.claims).toMatchObject({ htu: `${server.origin}/notes` })
  expect(proof?.claims['nonce']).toBeUndefined()
})

test('neither proof nor nonce is in an error', async () => {
  const { api, notes } = await calling(inTurn(wantsNonce('nonce-looked-for'), refused('DPoP error="use_dpop_nonce"')))
  const error = await notes().catch((thrown: unknown) => thrown)
  const proofs = api.to('/notes').map(({ headers }) => String(headers['dpop']))
  expect(proofs).toHaveLength(2)
  for (const secret of [...proofs, 'nonce-looked-for']) expect(seen(error)).not.toContain(secret)
})
