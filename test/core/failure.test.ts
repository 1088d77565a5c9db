import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OAuthErrorCode } from '../../src/core/errors.js'
import { type Failure, whatFailureMeans } from '../../src/core/failure.js'

const means = (failure: Failure, { previous = 0, draw = 0, doubtful = false } = {}) => whatFailureMeans(failure, previous, draw, doubtful)

describe('what a failed renewal means', () => {
  test.for([
    ['R8 invalid_grant', { code: 'sign_in_required', serverError: 'invalid_grant' }, false, 'invalid_grant'],
    ['R7 invalid_grant after an answer was lost', { code: 'sign_in_required', serverError: 'invalid_grant' }, true, 'ambiguous_rotation'],
    [
      'R8 invalid_grant with Retry-After',
      { code: 'sign_in_required', serverError: 'invalid_grant', retryAfter: 5_000 },
      false,
      'invalid_grant',
    ],
    ['R16 another user', { code: 'different_user' }, false, 'user_changed'],
    ['R16 another user, whatever was lost before', { code: 'different_user' }, true, 'user_changed'],
  ] as const)('%s ends the session', ([, failure, doubtful, reason]) => {
    expect(means(failure, { doubtful })).toEqual({ kind: 'end', reason })
  })

  test('R8 nothing else ever ends it', () => {
    const codes: OAuthErrorCode[] = [
      'network', 'timed_out', 'server_unavailable', 'request_refused', 'client_refused', 'token_response_invalid', 'discovery_failed',
      'issuer_mismatch', 'scope_refused', 'resource_refused', 'id_token_invalid', 'not_supported',
    ] // prettier-ignore
    const failure = fc.record(
      {
        code: fc.constantFrom(...codes),
        serverError: fc.constantFrom(
          undefined,
          'invalid_client',
          'invalid_request',
          'unauthorized_client',
          'server_error',
          'INVALID_GRANT',
          'invalid_grant ',
        ),
        retryAfter: fc.option(fc.integer(), { nil: undefined }),
      },
      { requiredKeys: ['code'] },
    )
    fc.assert(
      fc.property(failure, fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.boolean(), (one, previous, draw, doubtful) => {
        expect(whatFailureMeans(one, previous, draw, doubtful).kind).not.toBe('end')
      }),
    )
  })

  test.for(['scope_refused', 'resource_refused'] as const)('R8 %s is told to the one who asked, and keeps nobody else waiting', (code) => {
    expect(means({ code, serverError: 'invalid_scope', retryAfter: 5_000 })).toEqual({ kind: 'tell' })
  })
})

describe('how long all wait after a failure', () => {
  test.for([
    ['the first time', 'network', 0, 0, 1_000],
    ['the first time, by the draw', 'network', 0, 0.5, 1_250],
    ['the second time', 'server_unavailable', 1_000, 0, 2_000],
    ['at most five minutes', 'server_unavailable', 290_000, 0.9, 300_000],
    ['after a refusal that nobody can read', 'request_refused', 0, 0, 30_000],
    ['after the second of these', 'request_refused', 30_000, 0, 60_000],
  ] as const)('R9 %s', ([, code, previous, draw, milliseconds]) => {
    expect(means({ code }, { previous, draw })).toEqual({ kind: 'wait', milliseconds })
  })

  test('R9 those who failed together do not come back together, and no wait is shorter than the one before', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (previous, draw) => {
        const meaning = means({ code: 'network' }, { previous, draw })
        if (meaning.kind !== 'wait') throw new Error(meaning.kind)
        expect(meaning.milliseconds).toBeGreaterThanOrEqual(previous)
        expect(meaning.milliseconds).toBeLessThanOrEqual(300_000)
      }),
    )
    expect(means({ code: 'network' }, { draw: 0 })).not.toEqual(means({ code: 'network' }, { draw: 0.9 }))
  })

  test.for([
    ['is honoured', 5_000, 5_000],
    ['also where it is shorter than the own wait', 1, 1],
    ['is capped at an hour', 1e12, 3_600_000],
    ['of nothing is passed over', 0, 1_000],
    ['below nothing is passed over', -5_000, 1_000],
  ] as const)('R9 Retry-After %s', ([, retryAfter, milliseconds]) => {
    expect(means({ code: 'server_unavailable', retryAfter })).toEqual({ kind: 'wait', milliseconds })
  })
})
