// Sign in, callback, keep, renew, attach, with no library: endpoints are configured, nothing is validated.
const at = (path) => `https://auth.example.com/${path}`
const me = { client_id: 'app', redirect_uri: 'https://app.example.com/callback' }
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=/g, '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

function open(mode, run) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('app', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('kv')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('kv', mode)
      const request = run(transaction.objectStore('kv'))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

async function ask(parameters) {
  const response = await fetch(at('token'), { method: 'POST', body: new URLSearchParams({ ...me, ...parameters }) })
  if (!response.ok) throw new Error(`The token endpoint answered ${response.status}`)
  const { access_token, refresh_token = parameters.refresh_token, expires_in = 60 } = await response.json()
  const tokens = { access_token, refresh_token, expires: Date.now() + expires_in * 1000 }
  await open('readwrite', (kv) => kv.put(tokens, 'tokens'))
  return tokens
}

export async function signIn() {
  const [state, verifier] = [random(), random()]
  sessionStorage.setItem('pending', JSON.stringify({ state, verifier }))
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
  const parameters = { ...me, response_type: 'code', scope: 'notes', state, code_challenge: challenge, code_challenge_method: 'S256' }
  location.assign(`${at('authorize')}?${new URLSearchParams(parameters)}`)
}

export async function resume() {
  const response = new URLSearchParams(location.search)
  if (!response.has('code')) return (await open('readonly', (kv) => kv.get('tokens'))) !== undefined
  const { state, verifier } = JSON.parse(sessionStorage.getItem('pending') ?? '{}')
  if (state === undefined || response.get('state') !== state) throw new Error('state')
  sessionStorage.removeItem('pending')
  history.replaceState(null, '', '/')
  await ask({ grant_type: 'authorization_code', code: response.get('code'), code_verifier: verifier })
  return true
}

async function token() {
  const living = await open('readonly', (kv) => kv.get('tokens'))
  if (living?.expires - 30_000 > Date.now()) return living.access_token
  return navigator.locks.request('tokens', async () => {
    const now = await open('readonly', (kv) => kv.get('tokens'))
    if (now?.expires - 30_000 > Date.now()) return now.access_token
    return (await ask({ grant_type: 'refresh_token', refresh_token: now.refresh_token })).access_token
  })
}

export async function api(url, init) {
  if (!String(url).startsWith('https://api.example.com/')) throw new Error('not listed')
  return fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${await token()}` } })
}
