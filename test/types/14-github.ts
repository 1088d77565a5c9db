// No discovery, 200 with an error, scope with commas.
import { clientSecretPost, fileStore, loopback, userSession } from 'valetkey/node'
export const session = userSession({
  authorizationServer: {
    issuer: 'https://github.com',
    authorization_endpoint: 'https://github.com/login/oauth/authorize',
    token_endpoint: 'https://github.com/login/oauth/access_token',
  },
  clientId: 'Iv1.abc',
  clientAuthentication: clientSecretPost(process.env['GITHUB_SECRET']!),
  scope: ['repo', 'gist'],
  serverQuirks: ['error_with_status_200', 'comma_separated_scope'],
  userAgent: loopback(),
  store: await fileStore('gh'),
})
