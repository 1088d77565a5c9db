// Popup: opened from a click, and each way in which it may end.
import { OAuthError, browserSession, popup } from 'valetkey/browser'
const session = browserSession({ issuer: 'https://auth.example.com', clientId: 'web', redirectUri: '/popup.html', userAgent: popup() })
document.querySelector('button')!.addEventListener('click', async () => {
  try {
    await session.signIn()
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'popup_blocked') alert('Allow the popup')
    else if (error instanceof OAuthError && error.code === 'cancelled') return
    else throw error
  }
})
