// The API and the token endpoint of `dpop.mjs`, in a process of their own: what they cost is not the client's.
import { createServer } from 'node:http'

export const token = 'a'.repeat(700)

if (process.send !== undefined) {
  const json = { 'content-type': 'application/json' }
  const issued = (type) => JSON.stringify({ access_token: token, token_type: type, expires_in: 86_400 })
  const [bound, bearer] = [issued('DPoP'), issued('Bearer')]
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      if (request.url === '/notes') return response.writeHead(200, json).end('{"notes":[]}')
      return response.writeHead(200, json).end(request.headers.dpop === undefined ? bearer : bound)
    })
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
  process.on('disconnect', () => process.exit())
}
