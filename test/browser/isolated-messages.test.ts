import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callMessage, failureMessage, isAbort, readCall, readCallReply, responseMessage } from '../../src/browser/isolated-call-messages.js'
import { type Ask, type Said, plain, readAsk, readSaid, readSignOutResult } from '../../src/browser/isolated-messages.js'
import { OAuthError } from '../../src/core/errors.js'

const origin = 'https://app.example'
const seen = { address: `${origin}/callback?code=c&state=s`, isFramed: false, isAttended: true }
const read = (message: unknown) => readAsk(message, origin)
const error = new OAuthError('scope_not_granted', 'Ask for less.', { missingScope: ['a'], retryAt: 7 })

test.each<[string, Ask]>([
  ['resume', { kind: 'resume', id: 1, seen }],
  ['resume with a response', { kind: 'resume', id: 1, seen, response: `${origin}/callback?code=c` }],
  ['sign-in', { kind: 'sign_in', id: 2, seen, options: { scope: ['a'], prompt: 'none' } }],
  ['sign-out', { kind: 'sign_out', id: 3, seen, options: {} }],
  ['abort', { kind: 'abort', id: 4 }],
  ['wake', { kind: 'wake', seen }],
  ['obeyed', { kind: 'obeyed', id: 5 }],
  ['obeyed, not', { kind: 'obeyed', id: 5, error }],
])('a question is read as it was asked: %s', (_, ask) => {
  expect(read(structuredClone(plain(ask)))).toEqual(ask)
})

test.each<[string, Said]>([
  ['hello', { kind: 'hello', lock: 'isolated 1' }],
  ['hello without a lock', { kind: 'hello' }],
  ['hello of one who cannot serve', { kind: 'hello', error }],
  [
    'snapshot',
    {
      kind: 'snapshot',
      snapshot: { status: 'signed_in', grantedScope: ['a'], idTokenClaims: { iss: 'i', sub: 's' }, sessionExpiresAt: 9 },
    },
  ],
  ['snapshot of an end', { kind: 'snapshot', snapshot: { status: 'signed_out', grantedScope: [], ended: 'expired' } }],
  ['done', { kind: 'done', id: 1, value: true }],
  ['done, not', { kind: 'done', id: 1, error }],
  ['an order', { kind: 'leave', id: 2, url: 'https://as.example/authorize?state=s' }],
])('an answer is read as it was said: %s', (_, said) => {
  expect(readSaid(structuredClone(plain(said)))).toEqual(said)
})

test('an error is an OAuthError again, with its facts', () => {
  const said = readSaid(structuredClone(plain({ kind: 'done', id: 1, error })))
  expect(said).toMatchObject({ error: { code: 'scope_not_granted', missingScope: ['a'], retryAt: 7 } })
  expect((said as { error?: unknown }).error).toBeInstanceOf(OAuthError)
})

const ask = { valetkey: 'sign_in', id: 1, seen, options: {} }
test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a text', 'sign_in'],
  ['a list', [ask]],
  ['of another kind', { ...ask, valetkey: 'token' }],
  ['without an id', { ...ask, id: undefined }],
  ['with an id that is no number', { ...ask, id: '1' }],
  ['without a page', { ...ask, seen: undefined }],
  ['of a page of another origin', { ...ask, seen: { ...seen, address: 'https://evil.example/callback' } }],
  ['of a page that is a blob of the origin', { ...ask, seen: { ...seen, address: `blob:${origin}/1` } }],
  ['of a page without an address', { ...ask, seen: { ...seen, address: 'callback' } }],
  ['of a page that does not say whether it is framed', { ...ask, seen: { ...seen, isFramed: undefined } }],
  ['with options that are a list', { ...ask, options: [] }],
  ['with a response that is no text', { ...ask, valetkey: 'resume', response: {} }],
])('a message that is %s asks for nothing', (_, message) => {
  expect(read(message)).toBeUndefined()
})

test.each<[string, unknown]>([
  ['of another kind', { valetkey: 'token', id: 1 }],
  ['a snapshot of no known status', { valetkey: 'snapshot', snapshot: { status: 'admin', grantedScope: [] } }],
  ['a snapshot without scope', { valetkey: 'snapshot', snapshot: { status: 'signed_in' } }],
  ['a snapshot that ended in an unknown way', { valetkey: 'snapshot', snapshot: { status: 'signed_out', grantedScope: [], ended: 'so' } }],
  ['an order to run something', { valetkey: 'navigate', id: 1, url: 'javascript:alert(1)' }],
  ['an order to nowhere', { valetkey: 'leave', id: 1, url: 'somewhere' }],
  ['an error without a code', { valetkey: 'done', id: 1, error: { message: 'so' } }],
])('a message that is %s says nothing', (_, message) => {
  expect(readSaid(message)).toBeUndefined()
})

test('a sign-out is read member by member', () => {
  const result = { refreshToken: 'revoked', accessTokens: 'absent', authorizationServer: 'not_asked' }
  expect(readSignOutResult({ ...result, more: 1 })).toEqual(result)
  for (const name of Object.keys(result)) expect(() => readSignOutResult({ ...result, [name]: 'so' })).toThrow()
})

describe('a call', () => {
  const call = {
    url: 'https://api.example/notes',
    method: 'POST',
    headers: [['content-type', 'text/plain']] as const,
    body: new ArrayBuffer(2),
    how: { mode: 'cors', credentials: 'omit', redirect: 'manual', keepalive: true } as const,
  }
  const response = {
    status: 201,
    statusText: 'Created',
    headers: [['x-answer', 'echo']] as const,
    url: call.url,
    redirected: true,
    type: 'cors',
    hasBody: true,
  } as const

  test('and its answer are read as they were sent', () => {
    expect(readCall(structuredClone(callMessage(call)))).toEqual(call)
    expect(readCallReply(structuredClone(responseMessage(response)))).toEqual({ kind: 'response', response })
    expect(readCallReply(structuredClone(failureMessage(error)))).toMatchObject({ kind: 'failed', error: { code: 'scope_not_granted' } })
    expect(isAbort({ valetkey: 'abort' })).toBe(true)
  })

  test('takes nothing of a fetch but what is named', () => {
    const how = { ...call.how, signal: {}, duplex: 'half', headers: [['authorization', 'x']], body: 'text', method: 'GET', window: null }
    expect(readCall({ valetkey: 'call', ...call, how })?.how).toEqual(call.how)
  })

  test('a failure that is no OAuthError says nothing but that it failed', () => {
    expect(JSON.stringify(failureMessage(new TypeError('header "Bearer secret" is wrong')))).not.toContain('secret')
    expect(readCallReply(failureMessage(new TypeError('so')))).toEqual({ kind: 'failed', error: undefined })
  })

  test.each<[string, unknown]>([
    ['of another kind', { ...call, valetkey: 'calls' }],
    ['without a URL', { ...call, valetkey: 'call', url: undefined }],
    ['with headers that are no list', { ...call, valetkey: 'call', headers: { a: 'b' } }],
    ['with a header of three', { ...call, valetkey: 'call', headers: [['a', 'b', 'c']] }],
    ['with a body that is no bytes', { ...call, valetkey: 'call', body: 'text' }],
    ['with a mode that is no text', { ...call, valetkey: 'call', how: { mode: 1 } }],
  ])('that is %s is none', (_, message) => {
    expect(readCall(message)).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['without a status', { ...response, valetkey: 'response', status: '201' }],
    ['of an unknown type', { ...response, valetkey: 'response', type: 'so' }],
  ])('an answer %s is none', (_, message) => {
    expect(readCallReply(message)).toBeUndefined()
  })
})

test('attack 45 what a polluted Object.prototype says is no part of a message', () => {
  const polluted = Object.prototype as unknown as Record<string, unknown>
  const words = {
    valetkey: 'sign_in',
    id: 1,
    seen,
    options: { scope: ['evil'] },
    response: `${origin}/callback`,
    lock: 'so',
    body: new ArrayBuffer(1),
  }
  const results: unknown[] = []
  Object.assign(polluted, words)
  try {
    results.push(
      read({}),
      readSaid({}),
      readCall({}),
      read({ valetkey: 'resume', id: 1, seen: { ...seen } }),
      readSaid({ valetkey: 'hello' }),
    )
  } finally {
    for (const name of Object.keys(words)) delete polluted[name]
  }
  expect(results).toEqual([undefined, undefined, undefined, { kind: 'resume', id: 1, seen }, { kind: 'hello' }])
})

test('whatever is said, nothing throws', () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom('resume', 'hello', 'snapshot', 'call', 'response', 'failed'), (thing, valetkey) => {
      for (const message of [thing, { valetkey, id: 1, seen: thing, options: thing, snapshot: thing, headers: thing, error: thing }]) {
        read(message)
        readSaid(message)
        readCall(message)
        readCallReply(message)
        isAbort(message)
      }
    }),
  )
})
