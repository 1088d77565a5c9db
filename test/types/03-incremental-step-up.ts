// Incremental scope, and step-up after a refusal.
import { OAuthError, browserSession, challengeOf, oauthFetch } from 'valetkey/browser'
const session = browserSession({ issuer: 'https://auth.example.com', clientId: 'web', redirectUri: '/callback', scope: ['notes:read'] })
const api = oauthFetch(session, { resources: ['https://api.example.com/'] })
export async function share() {
  if (session.missingScope(['notes:share']).length > 0) await session.signIn({ scope: ['notes:share'] })
}
export async function pay(body: string): Promise<Response> {
  const response = await api('https://api.example.com/pay', { method: 'POST', body })
  const challenge = challengeOf(response)
  if (!challenge) return response
  try {
    await session.signIn({ ...challenge, returnTo: '/pay' })
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'access_denied') return response
    throw error
  }
  return api('https://api.example.com/pay', { method: 'POST', body })
}
