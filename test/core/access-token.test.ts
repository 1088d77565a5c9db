import { expect, test } from 'vitest'
import { accessToken } from '../../src/core/access-token.js'

test('what a program says of its own token is what the token says', async () => {
  const token = accessToken('from-a-file\n', { scope: ['notes:read'], resource: 'https://api.example/', expiresAt: 5_000 })
  expect(token).toMatchObject({ tokenType: 'Bearer', scope: ['notes:read'], resource: 'https://api.example/', expiresAt: 5_000 })
  expect(token.reveal()).toBe('from-a-file')
  expect(await token.headersFor('GET', 'https://api.example/')).toEqual({ authorization: 'Bearer from-a-file' })
})

test.for<{ name: string; text?: unknown; facts?: object }>([
  { name: 'text', text: undefined },
  { name: 'text', text: '' },
  { name: 'text', text: ' \n' },
  { name: 'text', text: 7 },
  { name: 'scope', text: 'a', facts: { scope: 'notes:read mail:read' } },
  { name: 'scope', text: 'a', facts: { scope: ['a b'] } },
  { name: 'resource', text: 'a', facts: { resource: 7 } },
  { name: 'expiresAt', text: 'a', facts: { expiresAt: '2026-11-24' } },
  { name: 'expiresAt', text: 'a', facts: { expiresAt: Number.NaN } },
  { name: 'expires', text: 'a', facts: { expires: 5_000 } },
])('a token that is none, or a fact that is none, is invalid_configuration: $name $text $facts', ({ name, text, facts }) => {
  expect(() => accessToken(text as string, facts)).toThrow(
    expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(`\`${name}\``) }),
  )
})
