import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'

describe('an OAuthError', () => {
  test('is an Error with a code and a sentence', () => {
    const error = new OAuthError('network', 'No answer. Try again.')
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.code, error.message, String(error)]).toEqual([
      'OAuthError',
      'network',
      'No answer. Try again.',
      'OAuthError: No answer. Try again.',
    ])
    expect(error.stack).toContain('errors.test')
  })

  test('has what is known, and no empty places for what is not', () => {
    const error = new OAuthError('scope_not_granted', '…', { missingScope: ['a'], status: 403, retryAt: undefined })
    expect({ ...error }).toEqual({ name: 'OAuthError', code: 'scope_not_granted', status: 403, missingScope: ['a'] })
    for (const name of ['serverError', 'retryAt', 'cause']) expect(name in error).toBe(false)
    expect(new OAuthError('client_refused', '…', { serverError: 'invalid_client', retryAt: 0 })).toMatchObject({
      serverError: 'invalid_client',
      retryAt: 0,
    })
  })

  test('takes nothing from a polluted Object.prototype', () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    polluted['serverError'] = 'evil'
    try {
      expect(Object.hasOwn(new OAuthError('network', '…'), 'serverError')).toBe(false)
    } finally {
      delete polluted['serverError']
    }
  })

  test('can be told from others by its code in a switch', () => {
    const { code } = new OAuthError('sign_in_required', '…')
    const said = ((): string => {
      switch (code) {
        case 'sign_in_required':
          return 'Sign in'
        default:
          return code
      }
    })()
    expect(said).toBe('Sign in')
  })

  test('prints what it says, and nothing more', () => {
    expect(inspect(new OAuthError('timed_out', 'Too late.', { status: 504 }), { depth: 9, showHidden: true })).toMatch(
      /OAuthError: Too late\.[^]*status: 504/,
    )
    expect(JSON.parse(JSON.stringify(new OAuthError('timed_out', 'Too late.')))).toEqual({ name: 'OAuthError', code: 'timed_out' })
  })
})
