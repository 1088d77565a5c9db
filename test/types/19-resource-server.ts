// The other side of a token: an API checks what a request carries.
import { clientSecretBasic } from 'valetkey'
import { resourceServer } from 'valetkey/resource-server'
const api = resourceServer({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com/',
  introspection: { clientId: 'api', clientAuthentication: clientSecretBasic('…') },
})
export async function handle(request: Request): Promise<Response> {
  const token = await api.verifyAccessToken(request, { scope: ['notes:read'] })
  return token.ok ? Response.json({ hello: token.subject }) : token.response
}
