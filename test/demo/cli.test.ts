import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startApi } from '../../demo/servers/api.js'
import { startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { expectNothingFound } from '../support/sweep.js'
import { Browser } from './plain-client.js'
import { type Started, start } from './started.js'

// The tool as a person runs it, and a robot in the place of their browser.

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'valetkey-cli-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const tool = (...flags: readonly string[]): Started => start('cli', ['--folder', folder, ...flags])

const post = (form: Readonly<Record<string, string>>): RequestInit => ({ method: 'POST', body: new URLSearchParams(form) })

/** Opens the address that the tool shows, signs in, consents, and follows the way back to the tool. */
async function signIn(run: Started, answer: Readonly<Record<string, string>> = { answer: 'allow', scope: 'notes:read' }): Promise<string> {
  const [, address = ''] = await run.said(/open this address in a browser on this machine:\s+(\S+)\s/)
  const browser = new Browser(new URL(address).origin)
  const signInPage = await browser.visit(address)
  const consentPage = await browser.visit(signInPage.address.href, post({ account: 'ada' }))
  expect(consentPage.response?.headers.get('content-security-policy')).toContain(
    `form-action 'self' ${new URL(new URL(address).searchParams.get('redirect_uri') ?? '').origin};`,
  )
  const back = await browser.visit(consentPage.address.href, post(answer))
  return (await fetch(back.address)).text()
}

/** Types the code that the tool shows into the page that it names, and signs in there. */
async function useCode(run: Started): Promise<void> {
  const [, address = ''] = await run.said(/open this address on any device:\s+(\S+)\s/)
  const [, code = ''] = await run.said(/enter this code:\s+(\S+)\s/)
  const browser = new Browser(new URL(address).origin)
  const { page } = await browser.visit(address)
  const [, xsrf = ''] = /name="xsrf" value="([^"]*)"/.exec(page) ?? []
  const signInPage = await browser.visit(address, post({ xsrf, user_code: code, confirm: 'yes' }))
  const consentPage = await browser.visit(signInPage.address.href, post({ account: 'grace' }))
  const done = await browser.visit(consentPage.address.href, post({ answer: 'allow', scope: 'notes:read' }))
  expect(done.page).toContain('Go back to your device')
}

test('A22 the tool signs its user in through their own browser; a second run is still signed in, until it signs out', async () => {
  const first = tool()
  expect(await signIn(first)).toContain('You may close this window')
  expect(await first.exited).toBe(0)
  expect(first.output()).toMatch(/You are signed in\.\nGranted: openid notes:read\nGET \S+\/notes was answered with 200: .*Buy bread/)
  expect(first.output()).toContain(join(folder, 'tokens'))

  const second = tool()
  expect(await second.exited).toBe(0)
  expect(second.output()).toContain('You are still signed in.')
  expect(second.output()).toContain('was answered with 200')
  expect(second.output()).not.toContain('open this address')

  const third = tool('--sign-out')
  expect(await third.exited).toBe(0)
  expect(third.output()).toContain('You are signed out. The refresh token: revoked.')

  const fourth = tool()
  const [, port = ''] = await fourth.said(/redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A(\d+)/)
  fourth.child.kill('SIGINT')
  expect(await fourth.exited).toBe(130)
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed')
})

test('--device signs in on another device', async () => {
  const run = tool('--device')
  await useCode(run)
  expect(await run.exited).toBe(0)
  expect(run.output()).toMatch(/You are signed in\.\nGranted: openid notes:read\nGET \S+\/notes was answered with 200/)
})

test('who denies is told so, by a sentence and by the exit code', async () => {
  const run = tool()
  expect(await signIn(run, { answer: 'deny' })).toContain('The sign-in was not finished.')
  expect(await run.exited).toBe(1)
  expect(run.output()).toContain('(access_denied)')
})

test('the tool takes a real server, shows no secret, and its folder is its user’s alone', async () => {
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'mine', redirectUris: ['http://127.0.0.1/callback'], metadata: { application_type: 'native' } }],
  })
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
  try {
    const real = ['--issuer', server.issuer, '--client-id', 'mine', '--api', `${api.origin}/notes`, '--scope', 'openid notes:read']
    const run = tool(...real)
    await signIn(run)
    expect(await run.exited).toBe(0)
    expect(run.output()).toContain(`authorization server ${server.issuer}, and calls ${api.origin}/notes.`)
    const paths = (await readdir(folder, { recursive: true, withFileTypes: true })).map((entry) => join(entry.parentPath, entry.name))
    const files = paths.filter((path) => !path.endsWith('tokens') && !path.endsWith('records'))
    const texts = await Promise.all(files.map((path) => readFile(path, 'utf8')))
    expect(files.some((path) => path.includes('records'))).toBe(true)
    for (const path of paths.filter((path) => path.includes('tokens'))) expect((await stat(path)).mode & 0o077, path).toBe(0)
    expect(server.issued().length).toBeGreaterThan(2)
    expectNothingFound(server.issued(), { output: run.output(), files: texts })
    expect(server.errors).toEqual([])
  } finally {
    await Promise.all([server.close(), api.close()])
  }
})

test.for([
  { name: 'an unknown flag', flags: ['--nonsense'] },
  { name: 'an argument', flags: ['nonsense'] },
  { name: 'an issuer alone', flags: ['--issuer', 'https://as.example'] },
  { name: 'an issuer that is no URL', flags: ['--issuer', 'nonsense', '--client-id', 'a', '--api', 'https://api.example'] },
])('$name gives the usage and exit code 2', async ({ flags }) => {
  const run = tool(...flags)
  expect(await run.exited).toBe(2)
  expect(run.output()).toContain('Usage: npm run demo:cli')
})
