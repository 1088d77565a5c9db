import { createServer } from 'node:http'
import { cp, readFile, readdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { extname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type Page, type Route, chromium } from 'playwright-core'
import { build as buildWithVite } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installedAside } from '../set-up/aside.mjs'
import { findBrowser, launchArgs } from '../set-up/browser.mjs'
import { type Application, makeApplication } from './application.js'
import { top } from './published.js'

// The samples as a user has them: a folder, the package installed beside it, the bundler's own defaults.

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' }

/** To install a bundler, and to run it, takes as long as the machine and the registry need. */
const timeout = 300_000

let application: Application
let browser: Browser
let webpacks: string

beforeAll(async () => {
  webpacks = await installedAside('webpack', ['webpack@5.113.0'])
  application = await makeApplication()
  await cp(join(top, 'demo/samples'), application.folder, { recursive: true })
  browser = await chromium.launch({ executablePath: await findBrowser(), args: launchArgs })
}, timeout)

afterAll(async () => {
  await browser?.close()
  await application?.remove()
})

/** Makes a sample, as its README says; the folder that is to be served. */
const made: Readonly<Record<string, () => Promise<string>>> = {
  async vite() {
    const root = join(application.folder, 'vite')
    await buildWithVite({ root, configFile: false, logLevel: 'error' })
    return join(root, 'dist')
  },
  async webpack() {
    const context = join(application.folder, 'webpack')
    const { default: webpack } = (await import(createRequire(join(webpacks, 'package.json')).resolve('webpack'))) as { default: Webpack }
    const { default: config } = (await import(pathToFileURL(join(context, 'webpack.config.mjs')).href)) as { default: object }
    const stats = await new Promise<WebpackStats>((resolve, reject) =>
      webpack(config, (error, result) => (result === undefined ? reject(error as Error) : resolve(result))),
    )
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
    return context
  },
  async script() {
    const folder = join(application.folder, 'script')
    await cp(join(application.folder, 'node_modules'), join(folder, 'node_modules'), { recursive: true })
    return folder
  },
}

interface WebpackStats {
  hasErrors(): boolean
  toString(preset: string): string
}

type Webpack = (config: object, done: (error: unknown, stats?: WebpackStats) => void) => void

/** Serves a folder at the top of an origin. */
async function serve(folder: string): Promise<{ readonly origin: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://127.0.0.1').pathname.replace(/\/$/, '/index.html'))
    readFile(join(folder, path)).then(
      (content) => response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(content),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** An authorization server and an API that answer as the sample expects, at the addresses that it names. */
async function answerInTheirPlace(page: Page, origin: string): Promise<void> {
  const json = (route: Route, body: object): Promise<void> => route.fulfill({ json: body, headers: { 'access-control-allow-origin': '*' } })
  const issuer = 'https://auth.example.com'
  const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` }
  await page.route(`${issuer}/.well-known/**`, (route) => json(route, { issuer, ...endpoints, code_challenge_methods_supported: ['S256'] }))
  let nonce: string | null = null
  await page.route(`${issuer}/authorize?**`, (route) => {
    const asked = new URL(route.request().url()).searchParams
    nonce = asked.get('nonce')
    const response = `${origin}/?code=a-code&state=${asked.get('state')}`
    return route.fulfill({ contentType: 'text/html', body: `<script>location.replace(${JSON.stringify(response)})</script>` })
  })
  await page.route(`${issuer}/token`, (route) =>
    json(route, {
      access_token: 'a-token',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'another',
      id_token: idToken(issuer, nonce),
    }),
  )
  await page.route('https://api.example.com/notes', (route) =>
    json(route, { carried: route.request().headers()['authorization'] === 'Bearer a-token' }),
  )
}

/** Unsigned: it comes from the token endpoint, so that nobody looks at its signature (OpenID Connect Core 1.0 section 3.1.3.7). */
function idToken(iss: string, nonce: string | null): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss, sub: 'alice', aud: 'notes-web', iat: now, exp: now + 300, ...(nonce === null ? {} : { nonce }) }
  return [part({ alg: 'RS256' }), part(claims), Buffer.from('unsigned').toString('base64url')].join('.')
}

test.for(Object.keys(made))('the sample page %s is made, loads without an error, signs in and calls its API', { timeout }, async (name) => {
  const folder = await made[name]?.()
  const served = await serve(folder ?? '')
  const page = await browser.newPage()
  page.setDefaultTimeout(timeout / 2)
  try {
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await answerInTheirPlace(page, served.origin)
    await page.goto(`${served.origin}/`)
    await page.waitForFunction(() => document.querySelector('#status')?.textContent === 'Signed out.')
    expect(errors).toEqual([])

    await page.click('#sign-in')
    await page.waitForFunction(() => document.querySelector('#status')?.textContent === 'Signed in as alice.')
    await page.click('#load')
    await page.waitForFunction(() => document.querySelector('#notes')?.textContent !== '')
    expect(JSON.parse((await page.textContent('#notes')) ?? '')).toEqual({ carried: true })
    expect([page.url(), errors]).toEqual([`${served.origin}/`, []])
  } finally {
    await page.close()
    served.close()
  }
})

test('the samples are one program', async () => {
  const folders = (await readdir(join(top, 'demo/samples'), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  expect(folders.toSorted()).toEqual(Object.keys(made).toSorted())
  const programs = await Promise.all(folders.map((name) => readFile(join(top, 'demo/samples', name, 'main.js'), 'utf8')))
  expect(new Set(programs).size).toBe(1)
})
