// Counts, which do not vary: how often a session's record is sealed, opened, read and written.
import { memoryStore, oauthFetch, sealed, userSession } from 'valetkey'

const issuer = 'https://auth.example.com'
const json = (body) => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })

/** @returns {Promise<readonly { what: string, opened: number, sealed: number, read: number, written: number, reach: string }[]>} */
export async function seals() {
  const count = { opened: 0, sealed: 0, read: 0, written: 0 }
  const memory = memoryStore()
  const counting = {
    get: (key) => ((count.read += 1), memory.get(key)),
    replace: (key, seen, next) => ((count.written += 1), memory.replace(key, seen, next)),
  }
  const { subtle } = crypto
  const [encrypt, decrypt] = [subtle.encrypt, subtle.decrypt]
  subtle.encrypt = (...how) => ((count.sealed += 1), encrypt.apply(subtle, how))
  subtle.decrypt = (...how) => ((count.opened += 1), decrypt.apply(subtle, how))
  let issued = 0
  const server = async () =>
    json({ access_token: `t${(issued += 1)}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `r${issued}` })
  const session = () =>
    userSession({
      authorizationServer: { issuer, token_endpoint: `${issuer}/token` },
      clientId: 'site',
      account: 'u',
      store: sealed(counting, { encryptionKey: btoa('k'.repeat(32)) }),
      fetch: server,
    })
  const key = ['valetkey', 'session', issuer, 'site', 'u'].map(encodeURIComponent).join(':')
  const token = { text: 't', type: 'Bearer', asked: {}, granted: ['a'], generation: 1, issuedAt: Date.now(), lifetime: 3_600_000 }
  const record = { issuer, clientId: 'site', session: 's', generation: 1, grantedScope: ['a'], refreshToken: 'r', accessTokens: [token] }
  await sealed(memory, { encryptionKey: btoa('k'.repeat(32)) }).replace(key, undefined, { version: 'v', value: JSON.stringify(record) })
  const rows = []
  const during = async (what, reach, run) => {
    for (const name in count) count[name] = 0
    await run()
    rows.push({ what, ...count, reach })
  }
  try {
    let here
    await during('a page load: `resume()` and the first call', '1 opened', async () => {
      here = session()
      await here.resume()
      await here.token()
    })
    const api = oauthFetch(here, { resources: ['https://api.example.com/'], fetch: async () => new Response() })
    await during('100 calls, one after the other', '0 opened, 0 sealed', async () => {
      for (let index = 0; index < 100; index += 1) await api('https://api.example.com/x')
    })
    await during('a renewal', '2 sealed (mark and commit)', async () => void (await here.token({ rejected: await here.token() })))
    await during('the call after it', '', async () => void (await api('https://api.example.com/x')))
    return rows
  } finally {
    Object.assign(subtle, { encrypt, decrypt })
  }
}
