import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import {
  type DemoAuthorizationServer,
  mailResource,
  notesResource,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import { prepareClientCredentials } from '../../src/grants/client-credentials.js'
import { pollDevice, startDevice } from '../../src/grants/device-code.js'
import { prepareRenewal } from '../../src/grants/refresh-token.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { systemClock } from '../../src/system-clock.js'
import { testClient } from '../support/client.js'
import { recordOf } from '../support/renewal.js'
import { Browser } from './plain-client.js'

// The grants of a job and of a tool, by valetkey, against the demo's authorization server and API.

let server: DemoAuthorizationServer
let api: DemoApi

beforeEach(async () => {
  server = await startAuthorizationServer({
    clients: [
      { clientId: 'nightly', clientSecret: 'of-the-job', grants: ['client_credentials'] },
      { clientId: 'notes-cli', name: 'Notes in a terminal', grants: ['device_code'] },
    ],
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
})

afterEach(async () => {
  await Promise.all([server.close(), api.close()])
  expect(server.errors).toEqual([])
})

/** Hardly waits between polls, as patient as ever with answers: what polling is about is in device-code.test.ts. */
const hasty = {
  ...systemClock,
  wait: (milliseconds: number, signal?: AbortSignal) => systemClock.wait(milliseconds === 6_000 ? 20 : milliseconds, signal),
}

function call(path: string, token: string): Promise<Response> {
  return fetch(api.origin + path, { headers: { authorization: `Bearer ${token}` } })
}

test('a job gets tokens in its own right, one resource each, which the API takes until they are revoked', async () => {
  const clientAuthentication = clientSecretBasic('of-the-job')
  const client = testClient({ issuer: server.issuer, clientId: 'nightly', clientAuthentication }, systemClock)
  const tokenFor = async (target: object) => {
    const outcome = await (await prepareClientCredentials(client)(recordOf(client), target)).send()
    if (!outcome.ok) throw outcome.error
    return outcome.answer.accessToken.reveal()
  }
  const notes = await tokenFor({ scope: ['notes:read'] })
  const mail = await tokenFor({ scope: ['mail:read'], resource: mailResource.identifier })
  expect((await call('/notes', notes)).status).toBe(200)
  expect((await call('/mail', mail)).status).toBe(200)
  expect((await call('/mail', notes)).status).toBe(401)
  expect(server.issued()).toContain(notes)
  server.revokeAll()
  expect((await call('/notes', notes)).status).toBe(401)
  expect(await tokenFor({ scope: ['mail:send'] }).catch((error: unknown) => error)).toBeTypeOf('string')
})

function tool(more: object = {}) {
  return testClient({ issuer: server.issuer, clientId: 'notes-cli', ...more }, hasty)
}

test('an automatic user uses a device’s code by itself: tokens, an ID token, and a refresh token that works', async () => {
  server.automatic = { account: 'ada' }
  const client = tool()
  const device = await startDevice(client, { scope: ['openid', 'notes:read'] })
  expect(device.prompt.verificationUri).toBe(`${server.issuer}/device`)
  const answer = await pollDevice(client, device)
  expect(answer.idTokenClaims?.sub).toBe('ada')
  expect((await call('/notes', answer.accessToken.reveal())).status).toBe(200)
  const record = recordOf(client, { grantedScope: answer.scope ?? [], ...(answer.refreshToken && { refreshToken: answer.refreshToken }) })
  expect((await (await prepareRenewal(client)(record, {})).send()).ok).toBe(true)
  expect(server.issued()).toContain(device.deviceCode.reveal())
})

test('of two resources the device gets the token of the first, and the other’s by renewal', async () => {
  server.automatic = { account: 'ada' }
  const client = tool({ resource: [notesResource.identifier, mailResource.identifier] })
  const answer = await pollDevice(client, await startDevice(client, { scope: ['notes:read', 'mail:read'] }))
  expect((await call('/notes', answer.accessToken.reveal())).status).toBe(200)
  const record = recordOf(client, { grantedScope: answer.scope ?? [], ...(answer.refreshToken && { refreshToken: answer.refreshToken }) })
  const renewed = await (await prepareRenewal(client)(record, { resource: mailResource.identifier })).send()
  expect(renewed.ok && (await call('/mail', renewed.answer.accessToken.reveal())).status).toBe(200)
})

test('an automatic user who denies is access_denied', async () => {
  server.automatic = { account: 'ada', deny: true }
  const client = tool()
  const device = await startDevice(client, { scope: ['notes:read'] })
  await expect(pollDevice(client, device)).rejects.toMatchObject({ code: 'access_denied' })
})

async function enter(browser: Browser, code: string) {
  const address = `${server.issuer}/device`
  const page = await browser.visit(address)
  const [, xsrf = ''] = /name="xsrf" value="([^"]*)"/.exec(page.page) ?? []
  const send = (more: Readonly<Record<string, string>>) =>
    browser.visit(address, { method: 'POST', body: new URLSearchParams({ xsrf, user_code: code, ...more }) })
  return { page: page.page, send }
}

test('a person types the code, sees it once more with the client’s name, signs in and consents', async () => {
  const client = tool()
  const device = await startDevice(client, { scope: ['openid', 'notes:read', 'notes:write'] })
  const answer = pollDevice(client, device)
  const browser = new Browser(server.issuer)
  const { page, send } = await enter(browser, device.prompt.userCode)
  expect(page).toContain('Type the code that your device shows.')
  const confirm = await send({})
  expect(confirm.page).toContain('Notes in a terminal')
  expect(confirm.page).toContain(device.prompt.userCode)
  const signIn = await send({ confirm: 'yes' })
  const consent = await browser.visit(signIn.address.href, { method: 'POST', body: new URLSearchParams({ account: 'grace' }) })
  expect(consent.page).toContain('asks for this')
  const form = new URLSearchParams({ answer: 'allow', scope: 'notes:read' })
  const done = await browser.visit(consent.address.href, { method: 'POST', body: form })
  expect(done.page).toContain('Go back to your device')
  expect(await answer).toMatchObject({ scope: ['openid', 'notes:read'], idTokenClaims: { sub: 'grace' } })
})

test.for([
  ['a code that nobody has', 'BBBB-BBBB', 'There is no such code.'],
  ['no code', '', 'Type the code that your device shows.'],
  ['markup', '"><b>Eve</b>', 'There is no such code.'],
] as const)('%s is said on the page where it was typed', async ([, code, words]) => {
  const { send } = await enter(new Browser(server.issuer), code)
  const { page } = await send({})
  expect(page).toContain(words)
  expect(page).not.toContain('<b>')
})

test('who says that the device is not theirs ends it', async () => {
  const client = tool()
  const device = await startDevice(client, { scope: ['notes:read'] })
  const answer = pollDevice(client, device).catch((error: unknown) => error)
  const { send } = await enter(new Browser(server.issuer), device.prompt.userCode)
  expect((await send({ abort: 'yes' })).page).toContain('The device was not connected.')
  expect(await answer).toMatchObject({ code: 'access_denied' })
})
