import { createHash, randomBytes } from 'node:crypto'
import type { Kind } from './client-under-test.js'

type Fetch = typeof fetch
type Said = Record<string, string | undefined>

/**
 * A client as it is written in an afternoon: its requests are right, and it checks nothing that comes back. It is the control of the
 * scenarios: one that it passes is empty.
 */
export const naive: Kind = {
  name: 'a naive client',
  async start({ place, browse, fetch }, { scope = ['openid', 'notes:read'], signedResponses = false }) {
    let tokens: Said = {}
    let server: Said | undefined
    const printed: string[] = []

    const metadata = async (): Promise<Said> => (server ??= await said(fetch, `${place.issuer}/.well-known/openid-configuration`))
    const redeem = async (form: Said, headers: Record<string, string> = {}) => {
      const { token_endpoint = '' } = await metadata()
      const body = new URLSearchParams(Object.entries(form).filter((pair): pair is [string, string] => pair[1] !== undefined)).toString()
      const answer = await said(fetch, token_endpoint, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...headers },
      })
      printed.push(JSON.stringify(answer))
      tokens = Object.assign({ refresh_token: tokens['refresh_token'] }, answer)
    }
    const renew = () => redeem({ grant_type: 'refresh_token', refresh_token: tokens['refresh_token'], client_id: place.clientId })

    return {
      async signIn() {
        const { authorization_endpoint = '', jwks_uri } = await metadata()
        const verifier = randomBytes(32).toString('base64url')
        const request = new URL(authorization_endpoint)
        for (const [name, value] of Object.entries({
          response_type: 'code',
          client_id: place.clientId,
          redirect_uri: place.redirectUri,
          scope: scope.join(' '),
          state: randomBytes(16).toString('base64url'),
          nonce: randomBytes(16).toString('base64url'),
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
          ...(signedResponses ? { response_mode: 'jwt' } : {}),
        }))
          request.searchParams.set(name, value)
        const response = await browse(request)
        const answered = Object.fromEntries([...response.searchParams, ...new URLSearchParams(response.hash.slice(1))])
        const [, payload] = (answered['response'] ?? '').split('.')
        if (payload !== undefined) Object.assign(answered, JSON.parse(Buffer.from(payload, 'base64url').toString()))
        if (jwks_uri !== undefined) await said(fetch, jwks_uri)
        await redeem({
          grant_type: 'authorization_code',
          code: answered['code'],
          redirect_uri: place.redirectUri,
          client_id: place.clientId,
          code_verifier: verifier,
        })
        if (answered['access_token'] !== undefined) tokens['access_token'] = answered['access_token']
      },
      async call(url, init) {
        const once = () => again(() => fetch(url, { ...init, headers: { authorization: `Bearer ${printable(tokens['access_token'])}` } }))
        let response = await once()
        for (let retries = 0; response.status === 401 && retries < 4; retries += 1) {
          const wanted = /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1]
          if (wanted !== undefined) await said(fetch, wanted)
          await renew()
          response = await once()
        }
        return response.status
      },
      renew,
      clientCredentials: () =>
        redeem(
          { grant_type: 'client_credentials' },
          { authorization: `Basic ${Buffer.from(`${place.clientId}:${place.clientSecret}`).toString('base64')}` },
        ),
      evidence: async () => ({ kept: tokens['access_token'] === undefined ? 'nothing' : 'tokens', pendingTimers: 0, shown: { printed } }),
    }
  },
}

function printable(token: string | undefined): string {
  return String(token).replaceAll(/[^\x20-\x7E]/g, '')
}

/** Whatever was said, as JSON or as a form; and a request that fails is made again. */
async function said(fetch: Fetch, url: string, init?: RequestInit): Promise<Said> {
  const text = await again(async () => {
    const response = await fetch(url, init)
    return response.text().catch(() => '')
  })
  try {
    return Object.assign({}, JSON.parse(text)) as Said
  } catch {
    return Object.fromEntries(new URLSearchParams(text))
  }
}

async function again<T>(run: () => Promise<T>): Promise<T> {
  return run().catch(run).catch(run)
}
