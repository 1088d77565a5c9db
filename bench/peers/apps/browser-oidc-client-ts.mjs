import { UserManager } from 'oidc-client-ts'

const manager = new UserManager({
  authority: 'https://auth.example.com',
  client_id: 'app',
  redirect_uri: 'https://app.example.com/callback',
  scope: 'notes',
  automaticSilentRenew: true,
})

export const signIn = () => manager.signinRedirect()
export async function resume() {
  if (!new URL(location.href).searchParams.has('state')) return (await manager.getUser()) !== null
  await manager.signinCallback()
  return true
}
export async function api(url, init) {
  let user = await manager.getUser()
  if (user?.expired) user = await manager.signinSilent()
  return fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${user.access_token}` } })
}
