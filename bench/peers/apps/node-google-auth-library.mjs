import { OAuth2Client } from 'google-auth-library'

const client = new OAuth2Client({ clientId: 'job', clientSecret: process.env.SECRET })
client.setCredentials({ refresh_token: process.env.REFRESH_TOKEN })
export const api = (url, init) => client.fetch(url, init)
