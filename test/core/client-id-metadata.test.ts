import { expect, test } from 'vitest'
import { clientIdMetadata } from '../../src/core/client-id-metadata.js'

const url = 'https://notes.example/client.json'
const redirects = { redirect_uris: ['https://notes.example/callback'] }

test('M2 a document says its own URL, and what a public client of the code grant says', () => {
  expect(JSON.parse(JSON.stringify(clientIdMetadata(url, { ...redirects, client_name: 'Notes' })))).toEqual({
    client_id: url,
    client_name: 'Notes',
    redirect_uris: ['https://notes.example/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  })
})

test('M2 what is given stands: other grants, a key of its own', () => {
  const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://notes.example/keys' }
  const given = { ...redirects, ...keys, client_id: url, grant_types: ['authorization_code'] }
  expect(clientIdMetadata(url, given)).toMatchObject(given)
})

test.for([
  'http://notes.example/client.json',
  'https://notes.example',
  'https://notes.example/',
  'https://notes.example/client.json#a',
  'https://notes.example/client.json?a=b',
  'https://ann@notes.example/client.json',
  'https://ann:secret@notes.example/client.json',
  'https://notes.example/./client.json',
  'https://notes.example/a/../client.json',
  'https://notes.example/a/%2e%2E/client.json',
  'https://notes.example/..',
  'notes.example/client.json',
  'urn:client',
  '',
])('M1 %s is no client id URL', (clientId) => {
  expect(() => clientIdMetadata(clientId, redirects)).toThrow(
    expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('`clientId`') }),
  )
})

test.for<{ name: string; metadata: unknown }>([
  { name: 'metadata', metadata: undefined },
  { name: 'metadata', metadata: [redirects] },
  { name: 'metadata.client_id', metadata: { ...redirects, client_id: 'https://NOTES.example/client.json' } },
  { name: 'metadata.client_secret', metadata: { ...redirects, client_secret: 'secret' } },
  { name: 'metadata.client_secret_expires_at', metadata: { ...redirects, client_secret_expires_at: 0 } },
  { name: 'metadata.token_endpoint_auth_method', metadata: { ...redirects, token_endpoint_auth_method: 'client_secret_post' } },
  { name: 'metadata.jwks_uri', metadata: { ...redirects, token_endpoint_auth_method: 'private_key_jwt' } },
  { name: 'metadata.redirect_uris', metadata: {} },
  { name: 'metadata.redirect_uris', metadata: { redirect_uris: [] } },
  { name: 'metadata.redirect_uris', metadata: { redirect_uris: ['/callback'] } },
  { name: 'metadata.redirect_uris', metadata: { redirect_uris: ['https://notes.example/callback#a'] } },
])('M2 a document that cannot be is refused by the name of what is wrong: $name', ({ name, metadata }) => {
  expect(() => clientIdMetadata(url, metadata as never)).toThrow(
    expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(`\`${name}\``) }),
  )
})
