import { browserSession } from 'valetkey/browser'
import { clientCredentials, clientSecretPost, fileStore, loopback, userSession } from 'valetkey/node'
export const auth0 = browserSession({
  issuer: 'https://t.eu.auth0.com/',
  clientId: 'spa',
  redirectUri: '/callback',
  scope: ['openid', 'offline_access'],
  audience: 'https://api.example.com',
  authorizationParameters: { organization: 'org_1' },
})
export const auth0Job = clientCredentials({
  issuer: 'https://t.eu.auth0.com/',
  clientId: 'job',
  clientAuthentication: clientSecretPost('…'),
  audience: 'https://api.example.com',
})
export const entra = browserSession({
  issuer: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0',
  clientId: 'x',
  redirectUri: '/callback',
  scope: ['openid', 'offline_access', 'api://notes/Notes.Read'],
  serverQuirks: ['scope_named_differently'],
})
export const google = userSession({
  issuer: 'https://accounts.google.com',
  clientId: 'x.apps.googleusercontent.com',
  clientAuthentication: clientSecretPost('GOCSPX-…'),
  scope: ['https://www.googleapis.com/auth/drive.file'],
  authorizationParameters: { access_type: 'offline' },
  userAgent: loopback(),
  store: await fileStore('drive'),
})
await google.signIn({ prompt: 'consent' })
