import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { profile, redirectUri } from '../session/profile.js'
import { scriptedServer } from '../session/scripted.js'

// The rows about storage in a page that are promises not to do something, or words in the README.

const top = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(join(top, 'README.md'), 'utf8').replace(/\s+/g, ' ')
const filesOf = (folder: string): string =>
  readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(top, folder, path), 'utf8'))
    .join('\n')

test('B1 a link that brings an attacker’s own code to the redirect URI signs nobody in', async () => {
  const server = await scriptedServer()
  const victim = profile(server)
  const attacker = profile(server)
  const stolen = server.answer(await attacker.open().leave())
  const tab = victim.open(stolen)
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(server.tokenRequests()).toEqual([])
  expect(await victim.open().session.resume()).toBe(false)
})

test('B3 a service worker keeps no token apart from the page: it works on the page’s own store, intercepts nothing and takes no page over', () => {
  // What RFC 10017 section 8.2 forbids is to keep tokens in a worker and in storage that the page shares, and to call that isolation.
  const worker = filesOf('src/worker')
  expect(worker).toContain('indexedDBStore(')
  expect(worker).not.toMatch(/['"]fetch['"]|FetchEvent|respondWith|\bcaches\b|\.claim\(|skipWaiting|indexedDB\.open/)
})

test('B4 the README says that no storage in a page withstands a script in it', () => {
  expect(readme).toContain('no storage in a page prevents that (RFC 10017 sections 5.1.3 and 5.1.4)')
})

test('B5 the README says that sealing is no defence against one who takes the profile', () => {
  expect(readme).toContain('none against someone who takes the whole browser profile (RFC 10017 section 8.6)')
})
