import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../demo/servers/loopback.js'
import { type FaultProxy, startFaultProxy } from './fault-proxy.js'

// What stands between a page and its servers, and what it can do to them.

async function started(): Promise<{ readonly proxy: FaultProxy; readonly worked: string[] }> {
  const worked: string[] = []
  const server = await listen({}, () => (request, response) => {
    worked.push(`${request.method} ${request.headers.host} ${request.url}`)
    response.writeHead(200, { 'x-own': 'yes' }).end('done')
  })
  const proxy = await startFaultProxy()
  proxy.forwardTo(server)
  onTestFinished(async () => void (await Promise.all([proxy.close(), server.close()])))
  return { proxy, worked }
}

const post = (proxy: FaultProxy): Promise<Response> =>
  fetch(`${proxy.origin}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })

test('what passes is as it was, under the name that the page knows, and is counted', async () => {
  const { proxy, worked } = await started()
  const response = await post(proxy)
  expect([response.status, response.headers.get('x-own'), await response.text()]).toEqual([200, 'yes', 'done'])
  expect(worked).toEqual([`POST ${new URL(proxy.origin).host} /token`])
  expect(proxy.log).toMatchObject([{ method: 'POST', path: '/token', status: 200, grantType: 'refresh_token' }])
})

test.for([503, 429] as const)('%d is answered in the place of the server, which hears nothing', async (status) => {
  const { proxy, worked } = await started()
  proxy.faults.set('/token', { answer: status, retryAfterSeconds: 2 })
  const response = await post(proxy)
  expect([response.status, response.headers.get('retry-after')]).toEqual([status, '2'])
  expect(worked).toEqual([])
  expect((await fetch(`${proxy.origin}/other`)).status).toBe(200)
  proxy.faults.clear()
  expect((await post(proxy)).status).toBe(200)
})

test.for([
  ['drop_request', 0],
  ['drop_answer', 1],
] as const)('%s: the connection ends, and the server has heard %d requests', async ([answer, heard]) => {
  const { proxy, worked } = await started()
  proxy.faults.set('/token', { answer })
  await expect(post(proxy)).rejects.toThrow(TypeError)
  expect(worked).toHaveLength(heard)
  expect(proxy.log.map(({ status }) => status)).toEqual([0])
})

test('offline, nothing comes through, on no path', async () => {
  const { proxy, worked } = await started()
  proxy.offline = true
  await expect(post(proxy)).rejects.toThrow(TypeError)
  await expect(fetch(`${proxy.origin}/other`)).rejects.toThrow(TypeError)
  expect(worked).toEqual([])
})

test('an answer that is delayed is of work that was done', async () => {
  const { proxy, worked } = await started()
  proxy.faults.set('/token', { delayMilliseconds: 60 })
  const answered = post(proxy)
  await expect.poll(() => proxy.log.length).toBe(1)
  expect(worked).toHaveLength(1)
  expect((await answered).status).toBe(200)
})

test('its Date is wrong by as much as it is told, and readable when it is told so', async () => {
  const { proxy } = await started()
  proxy.dateOffset = 86_400_000
  const { headers } = await post(proxy)
  expect(Date.parse(headers.get('date') ?? '') - Date.now()).toBeGreaterThan(86_000_000)
  expect(headers.get('access-control-expose-headers')).toBeNull()
  proxy.dateReadable = true
  expect((await post(proxy)).headers.get('access-control-expose-headers')).toBe('date')
})

test('a proxy with nothing behind it drops what comes', async () => {
  const proxy = await startFaultProxy()
  onTestFinished(() => proxy.close())
  await expect(post(proxy)).rejects.toThrow(TypeError)
})
