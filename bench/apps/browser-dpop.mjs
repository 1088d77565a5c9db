import { browserSession, oauthFetch } from 'valetkey/browser'

const session = browserSession({
  issuer: 'https://auth.example.com',
  clientId: 'app',
  redirectUri: '/callback',
  scope: ['notes'],
  dpop: true,
})
export const { signIn, resume } = session
export const api = oauthFetch(session, { resources: ['https://api.example.com/'] })
