// One row of `renewal.mjs`, in a process of its own.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { jobOf } from './floors/job.mjs'

const [, , what, subject, issuer, lifetime] = process.argv
const peer = async (name) => import(pathToFileURL(createRequire(new URL('./peers/package.json', import.meta.url)).resolve(name)).href)
const url = `${issuer}/api`
const client = { clientId: 'job', secret: 'a secret' }
const counts = async () => (await fetch(`${issuer}/counts`)).json()
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function valetkey(more = {}) {
  const { clientCredentials, clientSecretBasic, oauthFetch } = await import('valetkey')
  const source = clientCredentials({ issuer, clientId: client.clientId, clientAuthentication: clientSecretBasic(client.secret), ...more })
  return oauthFetch(source, { resources: [`${issuer}/`] })
}

const attached = (token) => (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } })

const subjects = {
  bare: async () => () => fetch(`${url}?open`),
  floor: async () => jobOf({ issuer, ...client, resource: `${issuer}/`, insecure: true }),
  'floor-late': async () => jobOf({ issuer, ...client, resource: `${issuer}/`, insecure: true, share: 0.9 }),
  valetkey,
  'valetkey-metadata': async () => valetkey({ issuer: undefined, authorizationServer: { issuer, token_endpoint: `${issuer}/token` } }),
  'valetkey-shared': async () => {
    const { memoryStore } = await import('valetkey')
    const memory = memoryStore()
    const store = { get: (key) => memory.get(key), replace: (key, seen, next) => memory.replace(key, seen, next) }
    const each = [await valetkey({ store }), await valetkey({ store })]
    let index = 0
    return (...call) => each[(index += 1) % 2](...call)
  },
  badgateway: async () => {
    const { OAuth2Client, OAuth2Fetch } = await peer('@badgateway/oauth2-client')
    const oauth2 = new OAuth2Client({ server: issuer, clientId: 'job', clientSecret: client.secret, tokenEndpoint: '/token' })
    const wrapper = new OAuth2Fetch({ client: oauth2, getNewToken: () => oauth2.clientCredentials(), scheduleRefresh: false })
    return (input, init) => wrapper.fetch(input, init)
  },
  'openid-client': async () => {
    const { ClientSecretBasic, allowInsecureRequests, clientCredentialsGrant, discovery } = await peer('openid-client')
    const configuration = await discovery(new URL(issuer), 'job', undefined, ClientSecretBasic(client.secret), {
      execute: [allowInsecureRequests],
    })
    let held
    return async (input, init) => {
      if (held === undefined || held.over <= Date.now()) {
        const tokens = await clientCredentialsGrant(configuration)
        held = { token: tokens.access_token, over: Date.now() + tokens.expires_in * 1000 }
      }
      return attached(held.token)(input, init)
    }
  },
  'simple-oauth2': async () => {
    const { ClientCredentials } = (await peer('simple-oauth2')).default ?? (await peer('simple-oauth2'))
    const oauth2 = new ClientCredentials({ client: { id: 'job', secret: client.secret }, auth: { tokenHost: issuer, tokenPath: '/token' } })
    let token
    return async (input, init) => {
      if (token === undefined || token.expired()) token = await oauth2.getToken({})
      return attached(token.token.access_token)(input, init)
    }
  },
  'msal-node': async () => {
    const { ConfidentialClientApplication } = await peer('@azure/msal-node')
    const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
    // It takes no server that is not https; its requests go to this one all the same.
    const networkClient = {
      sendGetRequestAsync: async () => ({ status: 200, headers: {}, body: { ...metadata, issuer: 'https://auth.example.com/' } }),
      sendPostRequestAsync: async () => {
        const authorization = `Basic ${btoa(`job:${encodeURIComponent(client.secret).replaceAll('%20', '+')}`)}`
        const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
        const response = await fetch(`${issuer}/token`, { method: 'POST', headers, body: 'grant_type=client_credentials' })
        return { status: response.status, headers: {}, body: await response.json() }
      },
    }
    const auth = { clientId: 'job', clientSecret: 's', authority: 'https://auth.example.com/', knownAuthorities: ['auth.example.com'] }
    const application = new ConfidentialClientApplication({ auth, system: { networkClient, protocolMode: 'OIDC' } })
    return async (input, init) =>
      attached((await application.acquireTokenByClientCredential({ scopes: ['notes'] })).accessToken)(input, init)
  },
}

const call = async (api) => {
  const response = await api(url)
  await response.text()
  return response.status
}

const runs = {
  /** On a token that has just expired. */
  async storm(api, failing = '') {
    await call(api)
    await wait(Number(lifetime) * 1_000 + 600)
    await fetch(`${issuer}/reset?${failing}`)
    const all = await Promise.allSettled(Array.from({ length: 1_000 }, () => call(api)))
    const { token } = await counts()
    await fetch(`${issuer}/reset`)
    const errors = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    const failed = all.filter((one) => one.status === 'rejected' || one.value !== 200).length
    return { requests: token, failed, kinds: new Set(errors.map(({ code, message }) => `${code} ${message}`)).size }
  },
  'storm-failing': (api) => runs.storm(api, 'failing'),

  async load(api) {
    const bare = () => fetch(`${url}?open`)
    await call(api)
    await call(bare)
    await fetch(`${issuer}/reset`)
    const began = performance.now()
    let refused = 0
    const block = async (one, count) => {
      const took = []
      let left = count
      const lane = async () => {
        while ((left -= 1) >= 0) {
          const start = performance.now()
          const status = await call(one)
          took.push(performance.now() - start)
          if (status === 401) refused += 1
        }
      }
      await Promise.all(Array.from({ length: 16 }, lane))
      return took
    }
    const [mine, least] = [[], []]
    for (let index = 0; index < 20; index += 1) {
      least.push(...(await block(bare, 500)))
      mine.push(...(await block(api, 500)))
    }
    const lifetimes = (performance.now() - began) / 1_000
    const at = (took, share) => took.toSorted((one, other) => one - other)[Math.floor(took.length * share)]
    return {
      requests: (await counts()).token,
      lifetimes,
      refused,
      p50: at(mine, 0.5) / at(least, 0.5),
      p99: at(mine, 0.99) / at(least, 0.99),
    }
  },

  async cold(api) {
    await fetch(`${issuer}/reset`)
    await call(api)
    return counts()
  },
}

const api = await subjects[subject]()
console.log(JSON.stringify(await runs[what](api)))
process.exit(0)
