import { readFile } from 'node:fs/promises'
import { clientCredentials, privateKeyJwt } from 'valetkey/node'
export const source = clientCredentials({
  issuer: 'https://auth.example.com',
  clientId: 'nightly',
  clientAuthentication: privateKeyJwt(() => readFile('/run/secrets/key.pem', 'utf8'), { keyId: '2026-11' }),
})
