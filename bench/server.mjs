// oidc-provider and an API on this machine, in a process of their own: tokens of so many seconds, and counts of what was asked.
// The server counts a token's life in whole seconds, so many a token of one second would be dead after half: the API counts from when it was issued.
import { createServer } from 'node:http'

// It says on the console what is not fit for production; here nothing is.
console.warn = console.info = () => {}
const { Provider } = await import('oidc-provider')
const seconds = Number(process.argv[2] ?? 1)
const counts = { discovery: 0, token: 0, api: 0, refused: 0 }
/** When each token was issued, in milliseconds since the epoch. */
const issuedAt = new Map()
let provider
let failing = false

const server = createServer((request, response) => void answer(request, response))

async function answer(request, response) {
  const path = new URL(request.url, 'http://localhost').pathname
  if (path === '/counts') return response.end(JSON.stringify(counts))
  if (path === '/reset') {
    failing = request.url.includes('failing')
    for (const name in counts) counts[name] = 0
    return response.end()
  }
  if (path === '/api') {
    counts.api += 1
    const [, text] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
    const open = request.url.includes('open')
    const known = open || Date.now() < (issuedAt.get(text) ?? -Infinity) + seconds * 1_000
    if (known) return response.end('{"ok":true}')
    counts.refused += 1
    return response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
  }
  if (path.startsWith('/.well-known/')) counts.discovery += 1
  if (path === '/token') counts.token += 1
  if (path === '/token' && failing) return response.writeHead(503).end()
  return provider.callback()(request, response)
}

server.keepAliveTimeout = 60_000
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
provider = new Provider(issuer, {
  clients: [{ client_id: 'job', client_secret: 'a secret', grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  ttl: { ClientCredentials: seconds },
  cookies: { keys: ['a key'] },
})
provider.on('grant.success', ({ body }) => issuedAt.set(body.access_token, Date.now()))
process.stdout.write(`${JSON.stringify({ issuer })}\n`)
process.on('disconnect', () => process.exit())
