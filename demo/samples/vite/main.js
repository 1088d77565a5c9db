// A page that signs its user in, shows who it is, and calls an API.
import { OAuthError, browserSession, oauthFetch } from 'valetkey/browser'

// What is yours: the authorization server, the client that is registered there, and the API.
const session = browserSession({
  issuer: 'https://auth.example.com',
  clientId: 'notes-web',
  redirectUri: '/', // any address at which this page is served
  scope: ['openid', 'offline_access', 'notes:read'],
})
const api = oauthFetch(session, { resources: ['https://api.example.com/'] })

const element = (id) => document.querySelector(`#${id}`)

function render() {
  const { status, idTokenClaims } = session.snapshot()
  element('status').textContent = status === 'signed_in' ? `Signed in as ${idTokenClaims?.sub}.` : 'Signed out.'
  element('sign-in').hidden = status === 'signed_in'
  element('sign-out').hidden = status !== 'signed_in'
  element('load').disabled = status !== 'signed_in'
}

/** Runs what a user asked for, and says what came of it. */
async function run(work) {
  element('message').textContent = ''
  try {
    await work()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    element('message').textContent = error.message // a sentence: what happened, and what to do next
  }
}

const onClick = (id, work) => element(id).addEventListener('click', () => void run(work))

onClick('sign-in', () => session.signIn())
onClick('sign-out', () => session.signOut())
onClick('load', async () => {
  const response = await api('https://api.example.com/notes')
  element('notes').textContent = response.ok ? await response.text() : `The API answered ${response.status}.`
})

session.subscribe(render)
await run(async () => void (await session.resume()))
render()
