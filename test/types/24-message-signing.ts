// A server that wants requests pushed and signed, and a client that wants responses signed.
import { type UserSessionSettings, privateKeyJwt, signedRequests, signedResponses, userSession } from 'valetkey'
declare const pem: string
const options: UserSessionSettings = {
  clientId: 'tool',
  clientAuthentication: privateKeyJwt(pem),
  redirectUri: 'com.example.tool:/callback',
  pushedAuthorizationRequests: true,
  signedRequests: signedRequests(() => pem, { keyId: '2026-11' }),
  signedResponses: signedResponses(),
}
const session = userSession({ issuer: 'https://bank.example', ...options })
await session.signIn({ authorizationDetails: [{ type: 'payment', amount: { currency: 'EUR', value: '1.00' } }] })
