import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readReply, readRequest, renewalConfig, renewalOptions, replyMessage, requestMessage } from '../../src/browser/renewal-messages.js'
import { readClient } from '../../src/core/client-options.js'
import { OAuthError } from '../../src/core/errors.js'
import type { OAuthFact } from '../../src/core/events.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { marker } from '../support/marker.js'
import { testClient } from '../support/client.js'

const wanted = { scope: ['a'], resource: 'https://api.example/', audience: 'b', minimumValidity: 1_000, after: Infinity }
const due = { session: 's', generation: 3 }
const request = { valetkey: 'renew', config: { issuer: 'https://as.example' }, wanted, due }

test('a request is read as it was sent, without prototypes', () => {
  const read = readRequest(structuredClone(requestMessage({ config: { issuer: 'https://as.example' }, wanted, due })))
  expect(read).toEqual({ config: { issuer: 'https://as.example' }, wanted, due })
  for (const part of [read?.config, read?.wanted]) expect(Object.getPrototypeOf(part)).toBeNull()
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a text', 'renew'],
  ['a list', [request]],
  ['another library’s', { type: 'renew', payload: {} }],
  ['of another kind', { ...request, valetkey: 'revoke' }],
  ['without options', { ...request, config: undefined }],
  ['with options that are a list', { ...request, config: ['https://as.example'] }],
  ['without what is wanted', { ...request, wanted: null }],
  ['with a scope that is no list', { ...request, wanted: { ...wanted, scope: 'a' } }],
  ['with a scope of numbers', { ...request, wanted: { ...wanted, scope: [1] } }],
  ['with a resource that is no text', { ...request, wanted: { ...wanted, resource: {} } }],
  ['with a validity without end', { ...request, wanted: { ...wanted, minimumValidity: Infinity } }],
  ['with a generation that is no number', { ...request, due: { session: 's', generation: '3' } }],
  ['without a session', { ...request, due: { generation: 3 } }],
])('a message that is %s is no request', (_, message) => {
  expect(readRequest(message)).toBeUndefined()
})

test('attack 45 what a polluted Object.prototype says is no part of a message', () => {
  const polluted = Object.prototype as unknown as Record<string, unknown>
  Object.assign(polluted, { valetkey: 'renew', config: {}, wanted, due, fact: { type: 'renewal_started' }, scope: ['evil'] })
  try {
    expect(readRequest({})).toBeUndefined()
    expect(readReply({})).toBeUndefined()
    const { scope: _, ...rest } = wanted
    expect(readRequest({ ...request, wanted: rest })?.wanted).not.toHaveProperty('scope')
  } finally {
    for (const name of ['valetkey', 'config', 'wanted', 'due', 'fact', 'scope']) delete polluted[name]
  }
})

test('an outcome is read as it was said: an error is an OAuthError again, with its facts and what it concerns', () => {
  const error = new OAuthError('scope_refused', 'Ask for less.', {
    serverError: 'invalid_scope',
    status: 400,
    retryAt: 7,
    missingScope: ['a'],
  })
  const reply = readReply(structuredClone(replyMessage({ kind: 'done', round: { error, concerns: wanted } })))
  expect(reply).toMatchObject({ kind: 'done', round: { concerns: wanted } })
  const read = reply?.kind === 'done' ? reply.round.error : undefined
  expect(read).toBeInstanceOf(OAuthError)
  expect({ ...read, message: read?.message }).toEqual({ ...error, message: error.message })
  expect(readReply(structuredClone(replyMessage({ kind: 'done', round: {} })))).toEqual({ kind: 'done', round: {} })
})

test.each<[OAuthFact, boolean]>([
  [{ type: 'discovered' }, true],
  [{ type: 'renewal_started' }, true],
  [{ type: 'renewal_adopted' }, true],
  [{ type: 'renewal_finished', tookMilliseconds: 5 }, true],
  [{ type: 'renewal_failed', code: 'network', retryAt: 5 }, true],
  [{ type: 'scope_narrowed', missingScope: ['a'] }, true],
  // The page looks at the store itself, and says what it finds.
  [{ type: 'session_ended', reason: 'invalid_grant' }, false],
  [{ type: 'store_failed', code: 'store_unavailable' }, false],
  [{ type: 'token_attached', origin: 'https://api.example' }, false],
])('the fact %j is told by the worker: %s', (fact, told) => {
  expect(readReply(structuredClone(replyMessage({ kind: 'fact', fact })))).toEqual(told ? { kind: 'fact', fact } : undefined)
})

test('whatever else is said is no reply, and nothing that is read throws', () => {
  for (const message of [
    null,
    7,
    [],
    { valetkey: 'gone' },
    { valetkey: 'fact' },
    { valetkey: 'done', error: 7 },
    { valetkey: 'done', error: {} },
  ])
    expect(readReply(message)).toBeUndefined()
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (anything) => {
      for (const valetkey of ['renew', 'fact', 'done', anything]) {
        readRequest({ ...request, valetkey, wanted: anything })
        readReply({ valetkey, fact: anything, error: anything, concerns: anything })
      }
      readRequest(anything)
      readReply(anything)
    }),
  )
})

test('the options of a client survive the copy, and make the same client again', () => {
  const options = {
    scope: ['a', 'b'],
    resource: ['https://api.example/'],
    audience: 'c',
    tokenParameters: { d: 'e' },
    deadlineSeconds: 2.5,
  }
  const server = {
    issuer: 'https://as.example',
    discoveryUrl: 'https://as.example/x',
    additionalMetadata: { revocation_endpoint: 'https://as.example/r' },
  }
  const byHand = { authorizationServer: { issuer: 'https://as.example', token_endpoint: 'https://as.example/t' } }
  for (const address of [server, byHand]) {
    const client = testClient({ ...address, ...options, serverQuirks: ['json_as_text'] })
    const config = structuredClone(renewalConfig(client, 'ann', 'mail'))
    const again = readClient(config, renewalOptions, { clock: manualClock() })
    for (const name of ['server', 'clientId', 'scope', 'resource', 'audience', 'tokenParameters', 'deadline', 'quirks'] as const)
      expect(again[name], name).toEqual(client[name])
    expect(config).toMatchObject({ account: 'ann', database: 'mail' })
    expect(JSON.stringify(config)).not.toContain(marker)
  }
})
