// A sign-in on another device, shown in a terminal.
import { clientSecretBasic, deviceAuthorization, terminalPrompt, userSession } from 'valetkey/node'
export const tv = userSession({
  issuer: 'https://auth.example.com',
  clientId: 'tv',
  clientAuthentication: clientSecretBasic('…'),
  userAgent: deviceAuthorization(terminalPrompt),
})
await tv.signIn({ scope: ['films:watch'] })
