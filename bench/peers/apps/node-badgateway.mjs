import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'

const client = new OAuth2Client({
  server: 'https://auth.example.com/',
  clientId: 'job',
  clientSecret: process.env.SECRET,
  discoveryEndpoint: '/.well-known/openid-configuration',
})
const fetcher = new OAuth2Fetch({ client, getNewToken: () => client.clientCredentials() })
export const api = (url, init) => fetcher.fetch(url, init)
