// The user of one application in another of the same enterprise: their identity provider asserts who they are.
import { clientSecretBasic, identityAssertion, jwtBearer, oauthFetch } from 'valetkey/node'
declare function idTokenOf(user: string): Promise<string>
export const chatOf = (user: string) =>
  oauthFetch(
    jwtBearer({
      issuer: 'https://chat.example',
      clientId: 'wiki-at-chat',
      clientAuthentication: clientSecretBasic('…'),
      assertion: identityAssertion({
        issuer: 'https://acme.idp.example',
        clientId: 'wiki',
        clientAuthentication: clientSecretBasic('…'),
        audience: 'https://chat.example',
        scope: ['chat:read'],
        subjectToken: () => idTokenOf(user),
      }),
    }),
    { resources: ['https://api.chat.example/'] },
  )
