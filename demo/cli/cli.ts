// A command-line tool: its user signs in once, and it shows what the API has for them. `--device` signs in on another device, `--sign-out` signs out.
import { OAuthError, deviceAuthorization, fileStore, loopback, oauthFetch, terminalPrompt, userSession } from '../../src/node/index.js'

const { ISSUER = '', CLIENT_ID = '', SCOPE = '', API = '', FOLDER = '', STORE_KEY } = process.env
const session = userSession({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  scope: SCOPE.split(' '),
  store: await fileStore(FOLDER, STORE_KEY === undefined ? {} : { encryptionKey: STORE_KEY }),
  userAgent: process.argv.includes('--device') ? deviceAuthorization(terminalPrompt) : loopback(),
})
const api = oauthFetch(session, { resources: [API] })

async function show(): Promise<void> {
  if (await session.resume()) console.log('You are still signed in.')
  else {
    console.log('You are not signed in yet.')
    await session.signIn()
    console.log('You are signed in.')
  }
  console.log(`Granted: ${session.snapshot().grantedScope.join(' ')}`)
  const response = await api(API)
  console.log(`GET ${API} was answered with ${response.status}: ${await response.text()}`)
}

async function signOut(): Promise<void> {
  const { refreshToken } = await session.signOut()
  console.log(`You are signed out. The refresh token: ${refreshToken}.`)
}

try {
  await (process.argv.includes('--sign-out') ? signOut() : show())
} catch (error) {
  if (!(error instanceof OAuthError)) throw error
  console.error(`${error.message} (${error.code})`)
  process.exitCode = 1
}
