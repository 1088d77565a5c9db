import { expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import { Secret, bare } from '../../src/core/secret.js'
import { sweep } from './sweep.js'

const token = 'tok-5d0f8c3a9b7e4f21ab65c0d9e8f71234567890ab'
const found = [{ place: 'here', secret: 0 }]

test.each<[string, unknown]>([
  ['a text', `GET /?t=${token}`],
  ['a text, percent-encoded', encodeURIComponent(`${token}/`)],
  ['base64', Buffer.from(token).toString('base64')],
  ['hexadecimal', Buffer.from(token).toString('hex')],
  ['bytes', new Uint8Array(Buffer.from(token))],
  ['an ArrayBuffer, nested', { value: { sealed: new Uint8Array(Buffer.from(token)).buffer } }],
  ['cut short at its beginning', `…${token.slice(-20)}`],
  ['the message of an error', new Error(`bad ${token}`)],
  ['the cause of a cause', new Error('a', { cause: new Error('b', { cause: { body: { token } } }) })],
  ['a member of an error that is not enumerable', Object.defineProperty(new Error('a'), 'body', { value: token })],
  ['a Map', new Map([['token', { text: token }]])],
  ['the key of a Map', new Map([[token, 1]])],
  ['a list of events', [{ type: 'renewal_finished', detail: { token } }]],
  ['headers', new Headers({ authorization: `Bearer ${token}` })],
  ['an address', new URL(`https://app.example/?code=${token}`)],
])('the sweep finds a token that was planted: %s', (_, thing) => {
  expect(sweep([token], { here: thing })).toEqual(found)
})

test('the sweep finds nothing where a token is a Secret, and says which of several it found', () => {
  expect(
    sweep([token], { error: new OAuthError('network', 'No answer.'), secret: Secret.of(token), record: bare({ token: Secret.of(token) }) }),
  ).toEqual([])
  expect(sweep(['other', token], { log: [`code ${token}`], page: 'clean' })).toEqual([{ place: 'log', secret: 1 }])
})
