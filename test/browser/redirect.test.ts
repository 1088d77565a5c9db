import { expect, test, vi } from 'vitest'
import type { Page } from '../../src/browser/page.js'
import { redirect, redirectOf } from '../../src/browser/redirect.js'
import { OAuthError } from '../../src/core/errors.js'
import { userAgentContract } from '../../src/testing/index.js'

/** A page that notes where it was sent, and can be come Back to. */
function pageOf(navigate: (url: URL) => void = () => {}) {
  const went: string[] = []
  const listeners = new Set<() => void>()
  const page: Page = {
    ready: async () => {},
    isFramedByAnother: () => false,
    address: () => new URL('https://app.example/notes'),
    replaceAddress: () => {},
    origin: () => 'https://app.example',
    navigate(url) {
      navigate(url)
      went.push(url.href)
    },
    onRestored(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onWake: () => () => {},
    isAttended: () => true,
  }
  return { userAgent: redirectOf(page), went, listeners, comeBack: () => listeners.forEach((listener) => listener()) }
}

const redirectUri = 'https://app.example/callback'

for (const { name, run } of userAgentContract(async () => pageOf().userAgent)) test(`redirect: ${name}`, run)

test('it goes to the request that it was given for its redirect URI', async () => {
  const { userAgent, went } = pageOf()
  const request = vi.fn(async () => new URL('https://as.example/authorize?client_id=x'))
  void userAgent.authorize(request, { redirectUri })
  await vi.waitUntil(() => went.length > 0)
  expect(request.mock.calls).toEqual([[redirectUri]])
  expect(went).toEqual(['https://as.example/authorize?client_id=x'])
})

test('it rejects with cancelled when the user comes Back, and not before', async () => {
  const { userAgent, went, listeners, comeBack } = pageOf()
  const settled = vi.fn()
  const authorizing = userAgent.authorize(async () => new URL('https://as.example/'), { redirectUri })
  authorizing.then(settled, settled)
  await vi.waitUntil(() => went.length > 0)
  await new Promise((resolve) => setImmediate(resolve))
  expect(settled).not.toHaveBeenCalled()
  comeBack()
  await expect(authorizing).rejects.toMatchObject({ code: 'cancelled' })
  expect(listeners.size).toBe(0)
})

test('a signal that is aborted before the page is left keeps it, however late the request comes', async () => {
  const { userAgent, went } = pageOf()
  const controller = new AbortController()
  let answer = (_: URL) => {}
  const authorizing = userAgent.authorize(() => new Promise((resolve) => (answer = resolve)), { redirectUri, signal: controller.signal })
  controller.abort('gave up')
  await expect(authorizing).rejects.toBe('gave up')
  answer(new URL('https://as.example/'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(went).toEqual([])
})

test('a signal that is aborted after the page was left settles nothing', async () => {
  const { userAgent, went, comeBack } = pageOf()
  const controller = new AbortController()
  const authorizing = userAgent.authorize(async () => new URL('https://as.example/'), { redirectUri, signal: controller.signal })
  await vi.waitUntil(() => went.length > 0)
  controller.abort('too late')
  comeBack()
  await expect(authorizing).rejects.toMatchObject({ code: 'cancelled' })
})

test.for(['javascript:alert(1)', 'data:text/html,x', 'blob:https://app.example/1', 'file:///etc/passwd', 'ftp://as.example/'])(
  'D11 it never goes to %s',
  async (address) => {
    const { userAgent, went } = pageOf()
    await expect(userAgent.authorize(async () => new URL(address), { redirectUri })).rejects.toMatchObject({ code: 'authorization_failed' })
    expect(went).toEqual([])
  },
)

test('a page that the browser does not let go rejects with authorization_failed', async () => {
  const { userAgent, listeners } = pageOf(() => {
    throw new DOMException('sandboxed', 'SecurityError')
  })
  const failure: unknown = await userAgent
    .authorize(async () => new URL('https://as.example/'), { redirectUri })
    .catch((reason: unknown) => reason)
  expect(failure).toBeInstanceOf(OAuthError)
  expect(failure).toMatchObject({ code: 'authorization_failed' })
  expect(listeners.size).toBe(0)
})

test('without a redirect URI it is invalid_configuration, without a page not_supported, and the request is not asked for', async () => {
  const request = vi.fn(async () => new URL('https://as.example/'))
  await expect(pageOf().userAgent.authorize(request, {})).rejects.toMatchObject({ code: 'invalid_configuration' })
  await expect(redirect().authorize(request, { redirectUri })).rejects.toMatchObject({ code: 'not_supported' })
  expect(request).not.toHaveBeenCalled()
})
