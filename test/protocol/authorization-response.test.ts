import { describe, expect, test } from 'vitest'
import type { PendingRequest } from '../../src/core/pending-request.js'
import { authorizationCode } from '../../src/protocol/authorization-response.js'
import { metadataOf } from '../../src/protocol/authorization-server.js'
import { finishAuthorization } from '../../src/grants/authorization-code.js'
import { metadata, testClient } from '../support/client.js'
import { faultServer } from '../support/fault-server.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { code, failure, responseTo, started } from '../support/sign-in.js'

const origin = 'https://as.example'

type Change = Readonly<Record<string, string | undefined>>

/** What the response says, read by a client of a server that says it sends `iss`, or does not. */
async function read(change: Change | ((pending: PendingRequest) => URL), server: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const client = testClient({ authorizationServer: metadata(origin, server), fetch: () => expect.unreachable('fetched') })
  const pending = await started(client)
  const response = typeof change === 'function' ? change(pending) : responseTo(pending, change)
  return (await authorizationCode(client, await metadataOf(client), pending, response)).reveal()
}

async function refused(change: Parameters<typeof read>[0], server: Parameters<typeof read>[1] = {}): Promise<Record<string, unknown>> {
  const error = await failure(read(change, server))
  expectNoMarker(error)
  return error
}

const invalid = { code: 'authorization_response_invalid' }
const sendsIss = { authorization_response_iss_parameter_supported: true }

describe('state', () => {
  test.for([
    ['missing', undefined],
    ['empty', ''],
    ['another', `guess-${marker}`],
  ] as const)('C1 a state that is %s is refused', async ([, state]) => {
    expect(await refused({ state })).toMatchObject(invalid)
  })

  test('C1 the state of another request of the same client is refused, and nothing is sent', async () => {
    const server = await faultServer()
    const client = testClient({ authorizationServer: metadata(server.origin) })
    const [one, other] = [await started(client), await started(client)]
    expect(await failure(finishAuthorization(client, one, responseTo(other)))).toMatchObject(invalid)
    expect(server.received).toEqual([])
  })

  test('A8 swapping the states of two requests makes both responses invalid', async () => {
    const client = testClient({ authorizationServer: metadata(origin), fetch: () => expect.unreachable('fetched') })
    const [one, other] = [await started(client), await started(client)]
    for (const [pending, response] of [
      [one, responseTo(other)],
      [other, responseTo(one)],
    ] as const) {
      expect(await failure(finishAuthorization(client, pending, response))).toMatchObject(invalid)
    }
  })

  test('D14 a response is not redeemed by a client of another issuer, or by another client', async () => {
    const server = await faultServer()
    const pending = await started(testClient({ authorizationServer: metadata('https://other.example') }))
    expect(
      await failure(finishAuthorization(testClient({ authorizationServer: metadata(server.origin) }), pending, responseTo(pending))),
    ).toMatchObject(invalid)
    const mine = await started(testClient({ authorizationServer: metadata(server.origin) }))
    const another = testClient({ authorizationServer: metadata(server.origin), clientId: 'another' })
    expect(await failure(finishAuthorization(another, mine, responseTo(mine)))).toMatchObject(invalid)
    expect(server.received).toEqual([])
  })
})

test.for(['state', 'code', 'iss', 'error', 'error_description', 'response'])('C3 a response with two %s is refused', async (name) => {
  expect(
    await refused((pending) => {
      const response = responseTo(pending, { iss: origin })
      const value = response.searchParams.get(name) ?? 'x'
      response.searchParams.delete(name)
      response.searchParams.append(name, value)
      response.searchParams.append(name, value)
      return response
    }),
  ).toMatchObject(invalid)
})

describe('iss', () => {
  test.for([
    ['C4 another', 'https://evil.example'],
    ['C4 a slash more', `${origin}/`],
    ['C4 the default port', `${origin}:443`],
    ['C4 other case', 'https://AS.example'],
    ['C6 unadvertised, and another', 'https://evil.example'],
  ])('%s is refused', async ([row, iss]) => {
    expect(await refused({ iss: iss as string }, row?.startsWith('C6') ? {} : sendsIss)).toMatchObject(invalid)
  })

  test('C4 the one of the server is decoded and accepted', async () => {
    expect(await read({ iss: origin }, sendsIss)).toBe(code)
  })

  test.for([undefined, ''])('C5 an absent iss (%j) is refused where the server says that it sends it', async (iss) => {
    expect(await refused({ iss }, sendsIss)).toMatchObject(invalid)
  })

  test('C6 an iss that was not advertised is accepted when it is right', async () => {
    expect(await read({ iss: origin })).toBe(code)
  })

  test.for([
    ['another issuer', { iss: 'https://evil.example' }],
    ['no issuer', {}],
    ['another state', { iss: origin, state: 'x' }],
  ] as const)('C7 an error response with %s is refused as any other, and what it says is not repeated', async ([, change]) => {
    const error = await refused({ code: undefined, error: 'access_denied', error_description: marker, ...change }, sendsIss)
    expect(error).toMatchObject(invalid)
    expect(error).not.toHaveProperty('serverError')
  })
})

test.for<{ advertised: boolean; iss?: string; taken: boolean }>([
  { advertised: true, iss: origin, taken: true },
  { advertised: true, taken: false },
  { advertised: false, iss: origin, taken: true },
  { advertised: false, taken: true },
  { advertised: true, iss: `${origin}/`, taken: false },
  { advertised: false, iss: `${origin}/`, taken: false },
])('M7 iss is compared as it is written, advertised or not, and of errors too: $advertised, $iss', async ({ advertised, iss, taken }) => {
  const server = advertised ? sendsIss : {}
  for (const change of [{ iss }, { iss, code: undefined, error: 'access_denied' }]) {
    const outcome = await read(change, server).catch((error: { code: string }) => error.code)
    expect(outcome).toBe(!taken ? 'authorization_response_invalid' : 'error' in change ? 'access_denied' : code)
  }
})

test('C9 parameters that nobody knows are ignored, even twice', async () => {
  expect(
    await read((pending) => {
      const response = responseTo(pending, { foo: 'bar', session_state: 'x' })
      response.searchParams.append('foo', 'again')
      return response
    }),
  ).toBe(code)
})

test('C10 a code of 8 KB works, one of 1 MB is refused', async () => {
  expect(await read({ code: 'c'.repeat(8_192) })).toHaveLength(8_192)
  expect(await refused({ code: 'c'.repeat(1_000_000) })).toMatchObject(invalid)
})

test.for([undefined, '', 'a\r\nb', 'tök'])('C10 the code %j is refused', async (value) => {
  expect(await refused({ code: value })).toMatchObject(invalid)
})

test.for(['access_token', 'id_token', 'token'])('C11 a response that carries %s in its query is refused', async (name) => {
  expect(await refused({ [name]: marker })).toMatchObject(invalid)
})

test('C11 what is in the fragment is ignored', async () => {
  expect(await read((pending) => Object.assign(responseTo(pending), { hash: `access_token=${marker}&state=x` }))).toBe(code)
})

describe('errors', () => {
  test.for([
    ['access_denied', 'access_denied', 'access_denied'],
    ['login_required', 'interaction_required', 'login_required'],
    ['consent_required', 'interaction_required', 'consent_required'],
    ['interaction_required', 'interaction_required', 'interaction_required'],
    ['account_selection_required', 'interaction_required', 'account_selection_required'],
    ['invalid_scope', 'authorization_failed', 'invalid_scope'],
    ['server_error', 'authorization_failed', 'server_error'],
    ['temporarily_unavailable', 'authorization_failed', 'temporarily_unavailable'],
    [`made_up_${marker}`, 'authorization_failed', undefined],
    [`\u001b[31m${marker}\n`, 'authorization_failed', undefined],
    ['__proto__', 'authorization_failed', undefined],
  ])('T26 error=%j is %s, and only a registered error is repeated', async ([error, expected, serverError]) => {
    const thrown = await refused({
      code: undefined,
      error,
      error_description: `<img onerror=${marker}>`,
      error_uri: `javascript:${marker}`,
    })
    expect(thrown['code']).toBe(expected)
    expect(thrown['serverError']).toBe(serverError)
  })

  test('C7 an error with a code beside it is an error', async () => {
    expect(await refused({ error: 'access_denied' })).toMatchObject({ code: 'access_denied' })
  })

  test('A3 a server that does not understand S256 is not asked again with plain', async () => {
    const server = await faultServer()
    const client = testClient({ authorizationServer: metadata(server.origin) })
    const pending = await started(client)
    const response = responseTo(pending, {
      code: undefined,
      error: 'invalid_request',
      error_description: 'transform algorithm not supported',
    })
    expect(await failure(finishAuthorization(client, pending, response))).toMatchObject({
      code: 'authorization_failed',
      serverError: 'invalid_request',
    })
    expect(server.received).toEqual([])
  })
})
