import { accessToken, oauthFetch } from 'valetkey'

export const api = oauthFetch({ token: async () => accessToken('from elsewhere') }, { resources: ['https://api.example.com/'] })
