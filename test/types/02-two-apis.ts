// Vanilla SPA, two APIs with different scope and resource.
import { browserSession, oauthFetch } from 'valetkey/browser'
const session = browserSession({
  issuer: 'https://auth.example.com',
  clientId: 'web',
  redirectUri: '/callback',
  scope: ['notes:read', 'mail:send'],
  resource: ['https://notes.example/', 'https://mail.example/'],
})
const api = oauthFetch(session, {
  resources: {
    'https://notes.example/': { scope: ['notes:read'], resource: 'https://notes.example/' },
    'https://mail.example/v1/': { scope: ['mail:send'], resource: 'https://mail.example/' },
  },
})
if (!(await session.resume())) await session.signIn()
await api('https://notes.example/today')
await api('https://mail.example/v1/send', { method: 'POST', body: 'hello' })
