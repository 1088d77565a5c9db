import { randomBytes } from 'node:crypto'
import { startApi } from '../servers/api.js'
import { startAuthorizationServer } from '../servers/authorization-server.js'
import { type StageParts, runProgram } from '../stage.js'

/** An authorization server that knows the job, and the API that it calls; then what these two have seen. */
export async function run(parts: StageParts): Promise<number> {
  const clientSecret = randomBytes(24).toString('base64url')
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'nightly', clientSecret, grants: ['client_credentials'] }],
  })
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
  try {
    console.log(`The job of demo/job/job.ts, a client of the authorization server ${server.issuer}, calls the API ${api.origin}.`)
    const code = await runProgram(parts, { ISSUER: server.issuer, API: api.origin, CLIENT_SECRET: clientSecret })
    for (const { grantType, scope, status } of server.log.filter(({ path }) => path === '/token'))
      console.log(`The authorization server saw a token request: ${grantType}, scope ${scope}, answered with ${status}.`)
    for (const { method, path, status, token } of api.log)
      console.log(`The API saw ${method} ${path} with ${token === undefined ? 'no token' : 'that token'}, answered with ${status}.`)
    return code
  } finally {
    await Promise.all([server.close(), api.close()])
  }
}
