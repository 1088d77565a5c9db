import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { OAuthError, clientCredentials, memoryStore, oauthFetch, privateKeyJwt, sealed, userSession } from '../../src/index.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { bundle } from '../node/programs/bundle.js'
import { selfSigned } from '../support/certificate.js'
import { keyPair } from '../support/keys.js'
import { sessionAt, stages, tokenRequests } from './stages.js'

// Attacks that are about what was granted, by whom, and who is asked for it.

const stage = stages()

test('attack 62 a wider grant than was asked for is said, and a narrower one is not passed off as the wider', async () => {
  const wider = sessionAt(stage({ token: (said) => ({ ...said, scope: 'openid notes:read admin' }) }))
  await wider.signIn()
  expect(wider.snapshot().grantedScope).toEqual(['openid', 'notes:read', 'admin'])
  const events: { readonly type: string }[] = []
  const narrower = sessionAt(stage({ token: (said) => ({ ...said, scope: 'openid' }) }), { observe: (event) => events.push(event) })
  await narrower.signIn()
  expect(narrower.missingScope(['notes:read'])).toEqual(['notes:read'])
  expect(events).toContainEqual(expect.objectContaining({ type: 'scope_narrowed', missingScope: ['notes:read'] }))
  await expect(narrower.token({ scope: ['notes:read'] })).rejects.toMatchObject({ code: 'scope_not_granted', missingScope: ['notes:read'] })
})

test('attack 63 ten processes on one store, refused at the same time, use the refresh token once: the server revokes nothing', async () => {
  const here = stage()
  const store = sealed(memoryStore(), { encryptionKey: Buffer.alloc(32, 1).toString('base64') })
  const processes = Array.from({ length: 10 }, () => sessionAt(here, { store }))
  await processes[0]?.signIn()
  for (let round = 0; round < 3; round += 1) {
    const held = await Promise.all(processes.map((session) => session.token()))
    await Promise.all(processes.map((session, index) => session.token({ rejected: held[index] as (typeof held)[number] })))
  }
  expect(tokenRequests(here)).toEqual(['authorization_code', 'refresh_token', 'refresh_token', 'refresh_token'])
  expect(here.server.reuses).toBe(0)
})

test.each([302, 307, 308])(
  'attack 24 a %i of the revocation endpoint takes no token along, and the sign-out is done all the same',
  async (status) => {
    const here = stage({
      transport: ({ endpoint }, { elsewhere }) => (endpoint === 'revoke' ? { status, redirect: `${elsewhere}/revoke` } : undefined),
    })
    const session = sessionAt(here)
    await session.signIn()
    expect(await session.signOut()).toMatchObject({ refreshToken: 'failed', accessTokens: 'failed' })
    expect(session.snapshot()).toMatchObject({ status: 'signed_out' })
    expect(here.received.filter(({ endpoint }) => endpoint === 'elsewhere')).toEqual([])
  },
)

test('attack 55 a revocation endpoint that never answers holds nobody up for longer than the deadline', async () => {
  const here = stage({ transport: ({ endpoint }) => (endpoint === 'revoke' ? { silent: true } : undefined) })
  const clock = manualClock(Date.now())
  const session = sessionAt(here, { clock })
  await session.signIn()
  const signingOut = session.signOut()
  await here.held
  expect(session.snapshot()).toMatchObject({ status: 'signed_out' })
  // One deadline for the refresh token, one for the rest.
  await clock.advance(11_000)
  await clock.advance(11_000)
  expect(await signingOut).toMatchObject({ refreshToken: 'failed', accessTokens: 'failed' })
})

test('attack 76 endpoints at another origin are allowed, as the specification has it: the document of the issuer decides, and its issuer is checked', async () => {
  const here = stage({ discovery: (document, { elsewhere }) => ({ ...document, token_endpoint: `${elsewhere}/token` }) })
  await sessionAt(here, { scope: ['notes:read'] }).signIn()
  expect(here.received.map(({ endpoint }) => endpoint)).toEqual(['metadata', 'authorize', 'elsewhere'])
})

test("attack 78 an assertion is for the issuer, even where its metadata name another server's token endpoint", async () => {
  const here = stage({ discovery: (document, { elsewhere }) => ({ ...document, token_endpoint: `${elsewhere}/token` }) })
  const { privateKey } = await keyPair('ES256')
  const { issuer } = here.place
  const source = clientCredentials({
    issuer,
    clientId: 'job',
    clientAuthentication: privateKeyJwt(privateKey),
    fetch: (...call) => fetch(...call),
  })
  await source.token()
  const [sent] = here.received.filter(({ endpoint }) => endpoint === 'elsewhere')
  const [, claims = ''] = (sent?.form.get('client_assertion') ?? '').split('.')
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: 'job', sub: 'job', aud: issuer })
})

test('attack 86 where the environment turns certificates off, the process says so loudly, and where it does not a stranger’s is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hostile-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const server = createServer(selfSigned, (request, response) => {
    const issuer = `https://${request.headers.host}`
    const body = request.url === '/token' ? { access_token: 'a', token_type: 'Bearer' } : { issuer, token_endpoint: `${issuer}/token` }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const program = await bundle('ask-for-token', folder)
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = (env: NodeJS.ProcessEnv) => promisify(execFile)(process.execPath, [program, issuer], { env: { ...process.env, ...env } })
  expect((await ask({ NODE_TLS_REJECT_UNAUTHORIZED: undefined })).stdout).toBe('network\n')
  const { stdout, stderr } = await ask({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })
  expect(stdout).toBe('a token\n')
  expect(stderr).toMatch(/Warning: Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections .* insecure/)
})

test.each([
  'http://auth.example',
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'http://0.0.0.0',
  'http://[::ffff:127.0.0.1]',
  'http://10.0.0.1',
  'http://169.254.169.254',
  'ftp://127.0.0.1',
  'https://auth.example?x=1',
  'https://auth.example#x',
  'https://ann@auth.example',
])('attack 90 the issuer %s is refused at construction', (issuer) => {
  expect(() => userSession({ issuer, clientId: 'app' })).toThrow(OAuthError)
})

test.each(['allowInsecureRequests', 'insecure', 'allowHttp', 'skipIssuerCheck', 'rejectUnauthorized', 'pkce', 'usePkce', 'disableState'])(
  'attack 90 there is no switch %s',
  (name) => {
    const options = { issuer: 'https://auth.example', clientId: 'app', [name]: true }
    expect(() => userSession(options)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }))
    expect(() =>
      oauthFetch({ token: () => Promise.reject(new Error('none')) }, { resources: ['https://api.example/'], [name]: true } as never),
    ).toThrow(OAuthError)
  },
)
