import { ConfidentialClientApplication } from '@azure/msal-node'

const application = new ConfidentialClientApplication({
  auth: {
    clientId: 'job',
    authority: 'https://auth.example.com/',
    clientSecret: process.env.SECRET,
    knownAuthorities: ['auth.example.com'],
  },
})
export async function api(url, init) {
  const { accessToken } = await application.acquireTokenByClientCredential({ scopes: ['https://api.example.com/.default'] })
  return fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${accessToken}` } })
}
