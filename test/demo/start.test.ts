import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../demo/start.mjs', import.meta.url))
const running = new Set<ChildProcess>()

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exited: Promise<number | null>
}

function start(flags: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [script, ...flags], { env: { ...process.env, PORT: '', ...environment } })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { child, output: () => output, exited: once(child, 'close').then(([code]) => code as number | null) }
}

/** The page's address, once the demo says that it is ready. */
async function ready({ child, output, exited }: Started): Promise<string> {
  const found = () => /^Demo ready: (http:\/\/127\.0\.0\.1:\d+)$/m.exec(output())?.[1]
  const printed = new Promise<void>((resolve) => child.stdout?.on('data', () => void (found() !== undefined && resolve())))
  await Promise.race([printed, exited])
  const address = found()
  if (address === undefined) throw new Error(output())
  return address
}

async function freePort(): Promise<number> {
  // Who still looks for a server of another test that had this port must not keep this one from closing.
  const server = createServer((stray) => stray.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

test.for(['SIGINT', 'SIGTERM'] as const)('the demo starts on free ports, answers, and stops cleanly on %s', async (signal) => {
  const demo = start()
  const address = await ready(demo)
  const page = await fetch(address)
  expect(await page.text()).toContain('<script type="module" src="/main.js">')
  const policy = page.headers.get('content-security-policy')
  expect(policy).toContain("script-src 'self'")
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')

  const config = (await (await fetch(`${address}/config.json`)).json()) as { issuer: string; calls: { url: string }[] }
  const metadata = (await (await fetch(`${config.issuer}/.well-known/openid-configuration`)).json()) as { issuer: string }
  expect(metadata.issuer).toBe(config.issuer)
  expect((await fetch(config.calls[0]!.url)).status).toBe(401)
  const origins = [address, config.issuer, new URL(config.calls[0]!.url).origin]
  expect(new Set(origins).size).toBe(3)
  expect(policy).toContain(`connect-src 'self' ${origins.slice(1).join(' ')}`)
  for (const path of ['/callback', '/main.js', '/style.css']) expect((await fetch(address + path)).status).toBe(200)
  expect((await fetch(`${address}/../package.json`)).status).toBe(404)

  demo.child.kill(signal)
  demo.child.kill(signal)
  expect(await demo.exited).toBe(0)
  expect(demo.output()).not.toMatch(/warning|error/i)
})

test('PORT is the page’s port', async () => {
  const port = await freePort()
  const demo = start([], { PORT: String(port) })
  expect(await ready(demo)).toBe(`http://127.0.0.1:${port}`)
})

test('a port that is taken is said', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const demo = start([], { PORT: String(port) })
  expect(await demo.exited).toBe(1)
  expect(demo.output()).toContain(`Port ${port} is taken`)
  server.close()
})

test('only the page itself makes trouble', async () => {
  const address = await ready(start())
  const make = (headers: Record<string, string>) =>
    fetch(`${address}/trouble`, { method: 'POST', headers, body: JSON.stringify({ tokenEndpointDown: true }) })
  expect((await make({ 'content-type': 'application/json', origin: 'https://evil.example' })).status).toBe(403)
  expect((await make({ 'content-type': 'text/plain', origin: address })).status).toBe(403)
  const response = await make({ 'content-type': 'application/json', origin: address })
  expect(await response.json()).toMatchObject({ tokenEndpointDown: true, seen: { reuses: 0 } })
})

test('with a real server the page alone is served, and may call only that server and that API', async () => {
  const flags = [
    '--issuer',
    'http://127.0.0.1:9/',
    '--client-id',
    'mine',
    '--api',
    'http://127.0.0.1:10/things',
    '--scope',
    'openid things',
  ]
  const address = await ready(start(flags))
  expect(await (await fetch(`${address}/config.json`)).json()).toEqual({
    issuer: 'http://127.0.0.1:9/',
    clientId: 'mine',
    scope: [
      { value: 'openid', words: 'Know who you are', chosen: true },
      { value: 'things', words: 'things', chosen: true },
    ],
    calls: [{ label: 'Call the API', method: 'GET', url: 'http://127.0.0.1:10/things', api: 'API' }],
    trouble: false,
  })
  const policy = (await fetch(address)).headers.get('content-security-policy')
  expect(policy).toContain("connect-src 'self' http://127.0.0.1:10 http://127.0.0.1:9;")
  expect((await fetch(`${address}/trouble`)).status).toBe(404)
})

test.for([
  { name: 'an unknown flag', flags: ['--nonsense'] },
  { name: 'an argument', flags: ['nonsense'] },
  { name: 'an issuer alone', flags: ['--issuer', 'https://as.example'] },
  { name: 'an issuer that is no URL', flags: ['--issuer', 'nonsense', '--client-id', 'a', '--api', 'https://api.example'] },
  { name: 'an API that is not of the web', flags: ['--issuer', 'https://as.example', '--client-id', 'a', '--api', 'file:///etc'] },
  { name: 'a token without a life', flags: ['--token-seconds', '0'] },
  {
    name: 'the life of a real server’s token',
    flags: ['--issuer', 'https://as.example', '--client-id', 'a', '--api', 'https://api.example', '--token-seconds', '9'],
  },
  { name: 'a port that is none', flags: [], environment: { PORT: '70000' } },
])('$name gives the usage and exit code 2', async ({ flags, environment }) => {
  const demo = start(flags, environment)
  expect(await demo.exited).toBe(2)
  expect(demo.output()).toContain('Usage: npm run demo')
})
