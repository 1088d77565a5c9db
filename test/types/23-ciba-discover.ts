import { backchannelAuthentication, clientSecretBasic, discoverResource, userSession } from 'valetkey/node'
import { terminalPrompt, deviceAuthorization } from 'valetkey/node'
const found = await discoverResource('https://api.example.com/notes')
export const bank = userSession({
  issuer: found.authorizationServers[0]!,
  clientId: 'bank',
  clientAuthentication: clientSecretBasic('…'),
  userAgent: backchannelAuthentication({ bindingMessage: 'W4' }),
})
await bank.signIn({ loginHint: 'ann' })
export const tv = deviceAuthorization(terminalPrompt)
