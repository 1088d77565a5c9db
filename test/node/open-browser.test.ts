import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { browserLaunch, run } from '../../src/node/open-browser.js'

const address = new URL('https://as.example/authorize?client_id=cli&scope=a%20b&state=$(id)`id`;id|id&x=%22"\'^%PATH%')
const screen = { DISPLAY: ':0' }

test.for([
  { name: 'macOS', platform: 'darwin', environment: {}, launch: ['/usr/bin/open', address.href] },
  { name: 'Linux with X', platform: 'linux', environment: screen, launch: ['xdg-open', address.href] },
  { name: 'Linux with Wayland', platform: 'linux', environment: { WAYLAND_DISPLAY: 'wayland-0' }, launch: ['xdg-open', address.href] },
  {
    name: 'Windows',
    platform: 'win32',
    environment: { SystemRoot: 'D:\\Windows' },
    launch: ['D:\\Windows\\System32\\rundll32.exe', 'url.dll,FileProtocolHandler', address.href],
  },
  {
    name: 'an editor at a distance',
    platform: 'linux',
    environment: { BROWSER: '/opt/e/b.sh', SSH_TTY: '/t' },
    launch: ['/opt/e/b.sh', address.href],
  },
  {
    name: 'a BROWSER that wants a shell',
    platform: 'linux',
    environment: { ...screen, BROWSER: '/b --new %s' },
    launch: ['xdg-open', address.href],
  },
  { name: 'Linux without a screen', platform: 'linux', environment: { DISPLAY: '' }, launch: undefined },
  { name: 'Linux by ssh', platform: 'linux', environment: { ...screen, SSH_CONNECTION: '1 2 3 4' }, launch: undefined },
  { name: 'macOS by ssh', platform: 'darwin', environment: { SSH_TTY: '/dev/ttys001' }, launch: undefined },
])('A22 on $name the browser is $launch', ({ platform, environment, launch }) => {
  const found = browserLaunch(address, platform, environment)
  expect(found === undefined ? undefined : [found.command, ...found.parameters]).toEqual(launch)
})

test('no parameter has a space or a quote that a platform could read as the end of it', () => {
  for (const parameter of browserLaunch(address, 'win32', {})?.parameters ?? []) expect(parameter).not.toMatch(/[\s"]/)
})

test.for(['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'ms-settings:', 'ftp://example.com/'])(
  '%s is not opened anywhere',
  (other) => {
    for (const platform of ['darwin', 'linux', 'win32'])
      expect(browserLaunch(new URL(other), platform, { ...screen, BROWSER: '/b' })).toBeUndefined()
  },
)

test('a program that is not there, is none, or says that it failed, did not open it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'browser-'))
  try {
    expect(await run({ command: join(folder, 'none'), parameters: [] })).toBe(false)
    expect(await run({ command: folder, parameters: [] })).toBe(false)
    expect(await run({ command: 'a\u0000b', parameters: [] })).toBe(false)
    expect(await run({ command: process.execPath, parameters: ['-e', 'process.exit(3)'] })).toBe(false)
    expect(await run({ command: process.execPath, parameters: ['-e', ''] })).toBe(true)
  } finally {
    await rm(folder, { recursive: true })
  }
})
