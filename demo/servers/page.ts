import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen, readText, sendJson } from './loopback.js'

/** What the page reads when it starts (`/config.json`). */
export interface PageConfig {
  readonly issuer: string
  readonly clientId: string
  /** What the page offers to ask for. */
  readonly scope: readonly { readonly value: string; readonly words: string; readonly chosen: boolean }[]
  readonly calls: readonly PageCall[]
  /** Whether `/trouble` is there: with a real server it is not. */
  readonly trouble: boolean
}

export interface PageCall {
  readonly label: string
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** The name under which its token's life is shown. */
  readonly api: string
  readonly resource?: string
  /** What the tokens of its API are, where that is known. */
  readonly format?: 'opaque' | 'jwt'
  readonly body?: string
}

/** What the trouble switches do, and what the authorization server has seen. */
export interface TroubleDesk {
  read(): object
  change(wish: Readonly<Record<string, unknown>>): void
}

export interface PageServer {
  readonly origin: string
  /** Says what the page serves; before, it answers 503. */
  open(content: PageContent): void
  close(): Promise<void>
}

export interface PageContent {
  /** By path, such as `/main.js`. */
  readonly files: ReadonlyMap<string, Uint8Array | string>
  readonly config: PageConfig
  /** Origins that the page may call. */
  readonly connect: readonly string[]
  readonly trouble?: TroubleDesk | undefined
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  map: 'application/json',
}

export async function startPage(options: { readonly port?: number | undefined; readonly host?: string | undefined }): Promise<PageServer> {
  let content: PageContent | undefined
  const server = await listen(options, (origin) => (request, response) => {
    if (content === undefined) return void response.writeHead(503).end()
    answer(origin, content, request, response).catch(() => response.writeHead(400).end())
  })
  return { origin: server.origin, open: (opened) => void (content = opened), close: server.close }
}

async function answer(origin: string, content: PageContent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', origin)
  if (pathname === '/trouble' && content.trouble !== undefined) return trouble(origin, content.trouble, request, response)
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end()
  if (pathname === '/config.json') return sendJson(response, 200, content.config)
  const path = pathname === '/' || pathname === '/callback' ? '/index.html' : pathname
  const file = content.files.get(path)
  if (file === undefined) return void response.writeHead(404).end()
  response
    .writeHead(200, {
      'content-type': types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'content-security-policy': contentSecurityPolicy(content.connect),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .end(file)
}

function contentSecurityPolicy(connect: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src ${["'self'", ...new Set(connect)].join(' ')}`,
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
}

/** Only the page itself makes trouble: another origin cannot send JSON here without being asked first. */
async function trouble(origin: string, desk: TroubleDesk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    if (request.headers.origin !== origin || request.headers['content-type'] !== 'application/json')
      return void response.writeHead(403).end()
    desk.change(JSON.parse(await readText(request)) as Record<string, unknown>)
  }
  sendJson(response, 200, desk.read())
}
