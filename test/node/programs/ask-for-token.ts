import { OAuthError, clientCredentials, clientSecretBasic } from '../../../src/index.js'

// Asks an issuer for a token, and says what came of it.

const source = clientCredentials({ issuer: process.argv[2] ?? '', clientId: 'job', clientAuthentication: clientSecretBasic('secret') })
await source.token().then(
  () => process.stdout.write('a token\n'),
  (error: unknown) => process.stdout.write(`${error instanceof OAuthError ? error.code : String(error)}\n`),
)
