import { assertionFile, clientAssertion, clientCredentials, githubActionsToken, jwtBearer, tokenExchange } from 'valetkey/node'
const projected = assertionFile('/var/run/secrets/tokens/oauth')
export const pod = clientCredentials({
  issuer: 'https://login.example.com',
  clientId: 'pod',
  clientAuthentication: clientAssertion(projected),
  scope: ['api://x/.default'],
})
export const bearer = jwtBearer({ issuer: 'https://login.example.com', clientId: 'pod', assertion: projected })
export const actions = tokenExchange({
  issuer: 'https://sts.example.com',
  clientId: 'ci',
  subjectToken: githubActionsToken({ audience: 'https://sts.example.com' }),
  subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
})
