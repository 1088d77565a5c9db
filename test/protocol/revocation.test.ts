import { expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.js'
import { revoke } from '../../src/protocol/revocation.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type Route, faultServer, hangUp, json, silence, status, text } from '../support/fault-server.js'
import { marker } from '../support/marker.js'

const token = Secret.of(`rt-${marker}`)

async function revoked(route: Route) {
  const server = await faultServer({ '/revoke': route })
  const result = await revoke(testClient({ authorizationServer: metadata(server.origin) }), token, 'refresh_token')
  return { result, server }
}

test('X16 a POST of the token, its hint and the client; a 200 is revoked', async () => {
  const { result, server } = await revoked(status(200))
  expect(result).toBe('revoked')
  expect(server.received).toHaveLength(1)
  expect(server.received[0]).toMatchObject({ method: 'POST', path: '/revoke' })
  expect(Object.fromEntries(server.received[0]?.form ?? [])).toEqual({
    token: token.reveal(),
    token_type_hint: 'refresh_token',
    client_id: 'app',
  })
})

test('X16 the hint of an access token is its own', async () => {
  const server = await faultServer({ '/revoke': status(200) })
  await revoke(testClient({ authorizationServer: metadata(server.origin) }), token, 'access_token')
  expect(server.received[0]?.form.get('token_type_hint')).toBe('access_token')
})

test('X16 an http revocation endpoint gets nothing', async () => {
  const server = await faultServer()
  server.on('/.well-known/oauth-authorization-server', json(metadata(server.origin, { revocation_endpoint: 'http://as.example/revoke' })))
  expect(await revoke(testClient({ issuer: server.origin }), token, 'refresh_token')).toBe('failed')
})

test.for<readonly [string, Route, string]>([
  ['X16 200, whatever the body says', text('<html>', { 'content-type': 'text/html' }), 'revoked'],
  ['X17 503', status(503, { 'retry-after': '5' }), 'failed'],
  ['429', status(429), 'failed'],
  ['a redirect', status(302, { location: 'https://evil.example' }), 'failed'],
  ['invalid_client', json({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic' }), 'failed'],
  ['unsupported_token_type', json({ error: 'unsupported_token_type' }, 400), 'not_supported'],
  ['204', status(204), 'failed'],
  ['a broken connection', hangUp, 'failed'],
])('%s', async ([, route, expected]) => {
  expect((await revoked(route)).result).toBe(expected)
})

test('X17 a server that never answers is given up at the deadline', async () => {
  const clock = manualClock()
  const server = await faultServer({ '/revoke': silence })
  const result = revoke(testClient({ authorizationServer: metadata(server.origin) }, clock), token, 'refresh_token')
  await clock.advance(10_000)
  expect(await result).toBe('failed')
})

test('X18 a server whose metadata cannot be had is a failure, never a rejection', async () => {
  const server = await faultServer()
  expect(await revoke(testClient({ issuer: server.origin }), token, 'refresh_token')).toBe('failed')
})

test('X19 a server without a revocation endpoint is not_supported, and nothing is sent', async () => {
  const server = await faultServer()
  const client = testClient({ authorizationServer: { issuer: server.origin } })
  expect(await revoke(client, token, 'refresh_token')).toBe('not_supported')
  expect(server.received).toEqual([])
})
