// React SPA, router made at module load, returnTo. (createRoot, useSyncExternalStore and the router by shape.)
import { browserSession, oauthFetch } from 'valetkey/browser'
declare function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, snapshot: () => T, serverSnapshot?: () => T): T
declare const router: { navigate(to: string, options: { replace: boolean }): Promise<void> }

export const session = browserSession({
  issuer: 'https://auth.example.com',
  clientId: 'notes-web',
  redirectUri: '/callback',
  scope: ['openid', 'notes:read'],
  navigate: (to) => void router.navigate(to.pathname + to.search + to.hash, { replace: true }),
})
export const api = oauthFetch(session, { resources: ['https://api.example.com/'] })
void session.resume()

export function useSession() {
  return useSyncExternalStore(session.subscribe, session.snapshot, session.snapshot)
}
export function Header() {
  const now = useSession()
  if (now.status === 'unknown') return '…'
  return now.status === 'signed_in'
    ? `Hello ${String(now.idTokenClaims?.['name'] ?? '')}`
    : () => session.signIn({ returnTo: '/notes?page=2' })
}
