// Two routes in any server; then a job for that user.
import { clientSecretBasic, oauthFetch, serverSignIn, userSession } from 'valetkey'
import type { Store } from 'valetkey'
declare const store: Store
declare const browserState: (request: Request) => { set(name: string, value: string): void } // the server's own session: an account in a bare cookie could be changed by hand
declare const cookies: { get(name: string): string | undefined; set(name: string, value: string, options: object): void }
const client = {
  issuer: 'https://auth.example.com',
  clientId: 'site',
  clientAuthentication: clientSecretBasic(() => process.env['CLIENT_SECRET']!),
  store,
}
const signIn = serverSignIn({ ...client, redirectUri: 'https://site.example/callback', scope: ['openid', 'calendar'] })
export async function GET_signIn() {
  const { location, binding } = await signIn.start({ returnTo: '/calendar' })
  cookies.set('sign-in', binding, { httpOnly: true, secure: true, sameSite: 'lax', maxAge: 600 })
  return Response.redirect(location, 302)
}
export async function GET_callback(request: Request) {
  const { account, returnTo } = await signIn.finish(request.url, { binding: cookies.get('sign-in') ?? '' })
  browserState(request).set('account', account)
  return Response.redirect(new URL(returnTo ?? '/', request.url), 302)
}
export const calendarOf = (account: string) => oauthFetch(userSession({ ...client, account }), { resources: ['https://calendar.example/'] })
