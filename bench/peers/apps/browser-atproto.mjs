import { BrowserOAuthClient } from '@atproto/oauth-client-browser'

const client = new BrowserOAuthClient({ clientMetadata: undefined, handleResolver: 'https://auth.example.com' })
let session

export const signIn = () => client.signIn('user.example.com')
export async function resume() {
  session = (await client.init())?.session
  return session !== undefined
}
export const api = (url, init) => session.fetchHandler(url, init)
