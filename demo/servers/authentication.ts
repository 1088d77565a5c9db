import type { KoaContextWithOIDC, UnknownObject, interactionPolicy as InteractionPolicy } from 'oidc-provider'

/** How users sign in here (`acr`): with a name, or once more with something that they have. */
export const usualSignIn = 'urn:demo:name'
export const strongSignIn = 'urn:demo:name-and-key'

/** Which of them a request is to be answered with: the first of its `acr_values` that is known here. */
export function signInFor(acrValues: unknown): string {
  const wanted = typeof acrValues === 'string' ? acrValues.split(' ') : []
  return wanted.find((one) => one === usualSignIn || one === strongSignIn) ?? usualSignIn
}

/** What an access token says of its user's sign-in, for APIs that want it strong or recent (RFC 9470 section 6). */
export function authenticationClaims(ctx: KoaContextWithOIDC): UnknownObject | undefined {
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities
  const grant = RefreshToken ?? AuthorizationCode
  if (grant === undefined) return undefined
  return {
    ...(grant.acr === undefined ? {} : { acr: grant.acr }),
    ...(grant.authTime === undefined ? {} : { auth_time: grant.authTime }),
  }
}

/** A request for another sign-in than the user's last asks for it, as one for a more recent one does. */
export function askStronger(policy: InteractionPolicy.DefaultPolicy): InteractionPolicy.DefaultPolicy {
  const recent = policy.get('login')?.checks.get('max_age')
  if (recent === undefined) return policy
  const { check } = recent
  recent.check = async (ctx) => {
    if (await check(ctx)) return true
    const { params, session, result } = ctx.oidc
    const wanted = params?.['acr_values']
    return typeof wanted === 'string' && result?.login === undefined && !wanted.split(' ').includes(session?.acr ?? '')
  }
  return policy
}
