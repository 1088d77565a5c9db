import { afterEach, describe, expect, test, vi } from 'vitest'
import { githubActionsToken } from '../../src/node/github-actions-token.js'
import { type Route, faultServer, flood, hangUp, json, status, text } from '../support/fault-server.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure } from '../support/sign-in.js'

const requestToken = `runner-${marker}`
const path = '/token'

afterEach(() => vi.unstubAllEnvs())

function job(url: string | undefined, token: string | undefined = requestToken): void {
  vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', url)
  vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', token)
}

function ask(audience = 'https://sts.example'): Promise<string> {
  return (githubActionsToken({ audience }) as () => Promise<string>)()
}

async function runner(route: Route) {
  const server = await faultServer({ [path]: route })
  job(`${server.origin}${path}?api-version=2.0`)
  return server
}

describe('in a job', () => {
  test('it asks the runner with its token, for the audience, and keeps what the address says', async () => {
    const server = await runner(json({ count: 1, value: 'eyJ.one.sig' }))
    expect(await ask('https://sts.example/a b')).toBe('eyJ.one.sig')
    const [request] = server.received
    expect(request).toMatchObject({ method: 'GET', body: '' })
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ 'api-version': '2.0', audience: 'https://sts.example/a b' })
    expect(request?.headers.authorization).toBe(`Bearer ${requestToken}`)
  })

  test('it is asked for anew each time, and the environment is read at the call', async () => {
    let turn = 0
    const server = await faultServer({ [path]: (request, response) => json({ value: `eyJ.${(turn += 1)}.sig` })(request, response) })
    const assertion = githubActionsToken({ audience: 'x' }) as () => Promise<string>
    expect(await failure(assertion())).toMatchObject({ code: 'invalid_configuration' })
    job(`${server.origin}${path}`)
    expect([await assertion(), await assertion()]).toEqual(['eyJ.1.sig', 'eyJ.2.sig'])
  })

  test.for<readonly [string, Route, string]>([
    ['401', status(401), 'client_refused'],
    ['403 with words', text(marker, {}, 403), 'client_refused'],
    ['429', status(429), 'server_unavailable'],
    ['503', status(503), 'server_unavailable'],
    ['a redirect', status(302, { location: 'https://evil.example/' }), 'server_unavailable'],
    ['no JSON', text(marker), 'token_response_invalid'],
    ['JSON that is not called so', text(JSON.stringify({ value: marker }), { 'content-type': 'text/html' }), 'token_response_invalid'],
    ['JSON without value', json({ token: marker }), 'token_response_invalid'],
    ['a value that is no text', json({ value: { marker } }), 'token_response_invalid'],
    ['more than any token', flood(3 * 1024 * 1024), 'token_response_invalid'],
    ['a connection that breaks', hangUp, 'network'],
  ])('%s is a typed error with nothing secret in it', async ([, route, code]) => {
    await runner(route)
    const error = await failure(ask())
    expect(error).toMatchObject({ name: 'OAuthError', code })
    expectNoMarker(error)
  })
})

describe('elsewhere', () => {
  test.for([
    ['no address', undefined, requestToken],
    ['no token', 'https://runner.example/', ''],
  ] as const)('%s: the error says which permission the job needs', async ([, url, token]) => {
    job(url, token)
    const error = await failure(ask())
    expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('id-token: write') as string })
    expectNoMarker(error)
  })

  test.for(['http://runner.example/', 'file:///etc/passwd', 'runner', 'https://user@runner.example/'])(
    'an address that is not https (%s) gets no token',
    async (url) => {
      job(url)
      const fetch = vi.spyOn(globalThis, 'fetch')
      expect(await failure(ask())).toMatchObject({ code: 'invalid_configuration' })
      expect(fetch).not.toHaveBeenCalled()
      fetch.mockRestore()
    },
  )

  test.for([{}, { audience: '' }, { audience: 7 }, { audience: 'x', scope: 'y' }, undefined])(
    'options %j are refused at once',
    (options) => {
      expect(() => githubActionsToken(options as never)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
    },
  )
})
