import { clientCredentials, clientSecretBasic, oauthFetch } from 'valetkey/node'
const source = clientCredentials({
  issuer: 'https://auth.example.com',
  clientId: 'nightly',
  clientAuthentication: clientSecretBasic(process.env['CLIENT_SECRET']!),
  scope: ['reports:write'],
})
const api = oauthFetch(source, { resources: ['https://api.example.com/'] })
await api('https://api.example.com/reports', { method: 'POST', body: 'report' })
