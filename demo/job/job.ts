// A backend job, in its own right: it shows who it is, calls an API, and ends when its work is done.
import { clientCredentials, clientSecretBasic, oauthFetch } from '../../src/index.js'

const { ISSUER = '', API = '' } = process.env
const source = clientCredentials({
  issuer: ISSUER,
  clientId: 'nightly',
  clientAuthentication: clientSecretBasic(() => process.env['CLIENT_SECRET'] ?? ''),
  scope: ['notes:write'],
})
const api = oauthFetch(source, { resources: [API] })

const response = await api(`${API}/notes`, { method: 'POST', body: 'The nightly report is ready' })
const { notes } = (await response.json()) as { readonly notes: readonly string[] }
console.log(`POST ${API}/notes was answered with ${response.status}; the last of ${notes.length} notes is now: ${notes.at(-1)}`)
