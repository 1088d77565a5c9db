import { challengesIn } from './challenge.js'

/**
 * What a 401 finds wrong with the proof that came with a DPoP token (RFC 9449 section 7.1, section 9); `hidden` where its challenge cannot be
 * read, which across origins in a page is the rule.
 */
export function proofRefusal(response: Response): 'use_dpop_nonce' | 'invalid_dpop_proof' | 'hidden' | undefined {
  if (response.status !== 401) return undefined
  const challenges = challengesIn(response.headers.get('www-authenticate'))
  if (challenges.length === 0) return 'hidden'
  const errors = challenges.filter(({ scheme }) => scheme === 'dpop').map(({ parameters }) => parameters.get('error'))
  return (['use_dpop_nonce', 'invalid_dpop_proof'] as const).find((error) => errors.includes(error))
}
