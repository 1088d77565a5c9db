import { clientCredentials, clientSecretBasic, oauthFetch } from 'valetkey'

const source = clientCredentials({
  issuer: 'https://auth.example.com',
  clientId: 'job',
  clientAuthentication: clientSecretBasic(process.env.SECRET),
})
export const api = oauthFetch(source, { resources: ['https://api.example.com/'] })
