// One path of `call.mjs`, in a process of its own: prints its time as a multiple of the bare stub, and what it allocates.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { jobOf } from './floors/job.mjs'
import { median } from './call.mjs'

const url = 'https://api.example.com/notes/1'
const text = 'x'.repeat(900)
const answer = new Response('ok')
const stub = async () => answer
const peer = async (name) => import(pathToFileURL(createRequire(new URL('./peers/package.json', import.meta.url)).resolve(name)).href)

const issuer = 'https://auth.example.com'
const metadata = {
  issuer,
  token_endpoint: `${issuer}/token`,
  authorization_endpoint: `${issuer}/authorize`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
}
const json = (body) => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
/** The authorization server. */
const server = async (input) =>
  String(input?.url ?? input).includes('/.well-known/')
    ? json(metadata)
    : json({ access_token: text, token_type: 'Bearer', expires_in: 3600 })
const both = async (input) => (String(input?.url ?? input).startsWith(issuer) ? server(input) : answer)

const floor = () => jobOf({ issuer, clientId: 'job', secret: 's', resource: 'https://api.example.com/', fetch: both })
/** With the token that the job got: the API's fetch is the stub itself, not one that looks first. */
const stubbed = async (make) => make(`Bearer ${text}`)

async function job() {
  const { clientCredentials, clientSecretBasic, oauthFetch } = await import('valetkey')
  const source = clientCredentials({ issuer, clientId: 'job', clientAuthentication: clientSecretBasic('s'), fetch: server })
  return oauthFetch(source, { resources: ['https://api.example.com/'], fetch: stub })
}

/** A user's session that is stored already. */
export async function sessionIn(store, account) {
  const { userSession } = await import('valetkey')
  const key = ['valetkey', 'session', issuer, 'site', account].map(encodeURIComponent).join(':')
  const token = { text, type: 'Bearer', asked: {}, granted: ['notes'], generation: 1, issuedAt: Date.now(), lifetime: 3_600_000 }
  const record = {
    issuer,
    clientId: 'site',
    session: `s${account}`,
    generation: 1,
    grantedScope: ['notes'],
    refreshToken: 'r',
    accessTokens: [token],
  }
  await store.replace(key, undefined, { version: `v${account}`, value: JSON.stringify(record) })
  return userSession({ issuer, clientId: 'site', store, account, fetch: server })
}

async function user(store) {
  const { oauthFetch } = await import('valetkey')
  return oauthFetch(await sessionIn(store, 'u'), { resources: ['https://api.example.com/'], fetch: stub })
}

/** As a store that is elsewhere is: asked, and answering later. */
async function elsewhere() {
  const { memoryStore } = await import('valetkey')
  const memory = memoryStore()
  return { get: (key) => memory.get(key), replace: (key, seen, next) => memory.replace(key, seen, next) }
}

const plain = { headers: { accept: 'application/json' } }
const headers = new Headers(plain.headers)

const subjects = {
  bare: async () => () => stub(url),
  'floor-plain': async () => {
    const api = await floorOver((init, authorization) => ({ ...init, headers: { ...init?.headers, authorization } }))
    return () => api(url, plain)
  },
  'floor-headers': async () => {
    const api = await floorOver((init, authorization) => {
      const together = new Headers(init?.headers)
      together.set('authorization', authorization)
      return { ...init, headers: together }
    })
    const init = { headers }
    return () => api(url, init)
  },
  'floor-request': async () => {
    const api = await floorOver((init, authorization, request) => {
      const next = new Request(request, init)
      next.headers.set('authorization', authorization)
      return next
    })
    return () => api(new Request(url, plain))
  },
  valetkey: async () => {
    const api = await job()
    return () => api(url)
  },
  'valetkey-plain': async () => {
    const api = await job()
    return () => api(url, plain)
  },
  'valetkey-headers': async () => {
    const api = await job()
    const init = { headers }
    return () => api(url, init)
  },
  'valetkey-request': async () => {
    const api = await job()
    return () => api(new Request(url, plain))
  },
  'valetkey-session': async () => {
    const { memoryStore } = await import('valetkey')
    const api = await user(memoryStore())
    return () => api(url)
  },
  'valetkey-elsewhere': async () => {
    const api = await user(await elsewhere())
    return () => api(url)
  },
  'valetkey-own': async () => {
    const { accessToken, oauthFetch } = await import('valetkey')
    const token = accessToken(text)
    const api = oauthFetch({ token: async () => token }, { resources: ['https://api.example.com/'], fetch: stub })
    return () => api(url)
  },
  oauth4webapi: async () => {
    const { customFetch, protectedResourceRequest } = await import('oauth4webapi')
    const options = { [customFetch]: stub }
    return () => protectedResourceRequest(text, 'GET', new URL(url), new Headers(plain.headers), undefined, options)
  },
  'openid-client': async () => {
    const { Configuration, customFetch, fetchProtectedResource } = await peer('openid-client')
    const configuration = new Configuration(metadata, 'job', 's')
    configuration[customFetch] = stub
    return () => fetchProtectedResource(configuration, text, new URL(url), 'GET', undefined, new Headers(plain.headers))
  },
  'oidc-client-ts': async () => {
    const { InMemoryWebStorage, User, UserManager, WebStorageStateStore } = await peer('oidc-client-ts')
    const store = () => new WebStorageStateStore({ store: new InMemoryWebStorage() })
    const manager = new UserManager({
      authority: issuer,
      client_id: 'app',
      redirect_uri: 'https://app.example.com/',
      automaticSilentRenew: false,
      userStore: store(),
      stateStore: store(),
    })
    await manager.storeUser(
      new User({ access_token: text, token_type: 'Bearer', scope: 'notes', profile: { sub: 'u' }, expires_at: Date.now() / 1000 + 3600 }),
    )
    return async () => {
      const { access_token } = await manager.getUser()
      return stub(url, { headers: { ...plain.headers, authorization: `Bearer ${access_token}` } })
    }
  },
  badgateway: async () => {
    globalThis.fetch = both
    const { OAuth2Client, OAuth2Fetch } = await peer('@badgateway/oauth2-client')
    const client = new OAuth2Client({ server: issuer, clientId: 'job', clientSecret: 's', tokenEndpoint: '/token' })
    const api = new OAuth2Fetch({ client, getNewToken: () => client.clientCredentials(), scheduleRefresh: false })
    return () => api.fetch(url, plain)
  },
  'msal-node': async () => {
    const { ConfidentialClientApplication } = await peer('@azure/msal-node')
    const networkClient = {
      sendGetRequestAsync: async () => ({ status: 200, headers: {}, body: metadata }),
      sendPostRequestAsync: async () => ({
        status: 200,
        headers: {},
        body: { access_token: text, token_type: 'Bearer', expires_in: 36_000 },
      }),
    }
    const auth = {
      clientId: 'job',
      clientSecret: 's',
      authority: `${issuer}/`,
      protocolMode: 'OIDC',
      knownAuthorities: ['auth.example.com'],
    }
    const application = new ConfidentialClientApplication({ auth, system: { networkClient, protocolMode: 'OIDC' } })
    return async () => {
      const { accessToken } = await application.acquireTokenByClientCredential({ scopes: ['notes'] })
      return stub(url, { headers: { ...plain.headers, authorization: `Bearer ${accessToken}` } })
    }
  },
}

/** The floor: a valid token in memory, its resource and its life checked, one retry after a 401. */
async function floorOver(dressed) {
  const authorization = await stubbed((header) => header)
  const held = { authorization, over: Date.now() + 3_000_000 }
  return async function api(input, init) {
    const address = typeof input === 'string' ? input : input.url
    if (!address.startsWith('https://api.example.com/')) throw new Error('not listed')
    if (Date.now() >= held.over) throw new Error('a renewal')
    const made = dressed(init, held.authorization, input)
    const response = await (made instanceof Request ? stub(made) : stub(input, made))
    return response.status === 401 ? floor()(input, init) : response
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const run = await subjects[process.argv[2]]()
  /** The processor's time, which other processes do not take. */
  const times = async (call, count) => {
    const began = process.cpuUsage()
    for (let index = 0; index < count; index += 1) await call()
    const { user, system } = process.cpuUsage(began)
    return user + system
  }
  const bare = await subjects.bare()
  await times(run, 3_000)
  await times(bare, 20_000)
  const ratios = []
  for (let block = 0; block < 10; block += 1) {
    const least = await times(bare, 10_000)
    ratios.push((await times(run, 10_000)) / least)
  }
  const bytes = []
  for (let index = 0; index < 3; index += 1) {
    globalThis.gc()
    const before = process.memoryUsage().heapUsed
    await times(run, 5_000)
    bytes.push((process.memoryUsage().heapUsed - before) / 5_000)
  }
  console.log(JSON.stringify({ ratio: median(ratios), allocated: median(bytes) }))
  process.exit(0)
}
