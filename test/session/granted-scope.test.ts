import { expect, test } from 'vitest'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

test('T16 a grant narrower than what was asked is no error: it is seen, said, and missing', async () => {
  const server = await scriptedServer()
  server.change = { scope: 'openid notes:read' }
  const browser = profile(server, { scope: ['openid', 'notes:read', 'notes:write'] })
  const tab = await browser.signIn()
  expect(tab.session.snapshot()).toMatchObject({ status: 'signed_in', grantedScope: ['openid', 'notes:read'] })
  expect(tab.session.missingScope(['notes:read', 'notes:write', 'mail:send'])).toEqual(['notes:write', 'mail:send'])
  expect(tab.events.find(({ type }) => type === 'scope_narrowed')).toMatchObject({ missingScope: ['notes:write'] })
  expect((await tab.session.token()).scope).toEqual(['openid', 'notes:read'])
  await expect(tab.session.token({ scope: ['notes:write'] })).rejects.toMatchObject({
    code: 'scope_not_granted',
    missingScope: ['notes:write'],
  })
  expect(server.tokenRequests()).toHaveLength(1)
})

test('T16 a token response without scope means as requested', async () => {
  const server = await scriptedServer()
  const tab = await profile(server, { scope: ['notes:read', 'notes:write'] }).signIn()
  expect(tab.session.snapshot().grantedScope).toEqual(['notes:read', 'notes:write'])
  expect(tab.session.missingScope(['notes:write'])).toEqual([])
  expect(tab.said()).not.toContain('scope_narrowed')
})

test('T17 a grant wider than what was asked is seen as it is', async () => {
  const server = await scriptedServer()
  server.change = { scope: 'openid notes:read admin' }
  const tab = await profile(server).signIn()
  expect(tab.session.snapshot().grantedScope).toEqual(['openid', 'notes:read', 'admin'])
  expect((await tab.session.token()).scope).toContain('admin')
})

test('a sign-in that grants less than there was narrows the session, and says what was not granted', async () => {
  const server = await scriptedServer()
  const browser = profile(server, { scope: ['notes:read', 'notes:write'] })
  const tab = await browser.signIn()
  server.change = { scope: 'notes:read' }
  await browser.signIn({ scope: ['mail:send'] })
  await tab.session.token()
  expect(tab.session.snapshot().grantedScope).toEqual(['notes:read'])
  expect(tab.session.missingScope(['notes:write', 'mail:send'])).toEqual(['notes:write', 'mail:send'])
})

test('before anything is known nothing counts as granted', async () => {
  const tab = profile(await scriptedServer()).open()
  expect(tab.session.snapshot()).toEqual({ status: 'unknown', grantedScope: [] })
  expect(tab.session.missingScope(['notes:read'])).toEqual(['notes:read'])
})

test('a renewal that narrows the grant says what is gone, and no token is passed off as having it', async () => {
  const server = await scriptedServer()
  const tab = await profile(server, { scope: ['notes:read', 'notes:write'] }).signIn()
  server.change = { scope: 'notes:read' }
  const both = { scope: ['notes:read', 'notes:write'] }
  await tab.session.token({ rejected: await tab.session.token(both) })
  expect(tab.events.filter(({ type }) => type === 'scope_narrowed')).toEqual([expect.objectContaining({ missingScope: ['notes:write'] })])
  expect(tab.session.snapshot().grantedScope).toEqual(['notes:read'])
  expect(tab.session.missingScope(both.scope)).toEqual(['notes:write'])
  await expect(tab.session.token(both)).rejects.toMatchObject({ code: 'scope_not_granted', missingScope: ['notes:write'] })
  expect((await tab.session.token()).scope).toEqual(['notes:read'])
})

test('a renewal for a scope that comes back with less of it says so once, and is not tried again and again', async () => {
  const server = await scriptedServer()
  const tab = await profile(server, { scope: ['notes:read', 'notes:write'], resource: ['urn:notes', 'urn:mail'] }).signIn()
  server.change = { scope: 'notes:read' }
  const both = { scope: ['notes:read', 'notes:write'], resource: 'urn:mail' }
  for (let call = 0; call < 3; call++)
    await expect(tab.session.token(both)).rejects.toMatchObject({ code: 'scope_not_granted', missingScope: ['notes:write'] })
  expect(tab.events.filter(({ type }) => type === 'scope_narrowed')).toEqual([expect.objectContaining({ missingScope: ['notes:write'] })])
  expect(server.tokenRequests()).toHaveLength(2)
  expect((await tab.session.token({ ...both, scope: ['notes:read'] })).scope).toEqual(['notes:read'])
})

test('a server that names granted scope otherwise is told by a quirk: what was asked for is granted, nothing is missing, and it is asked for again in its own words', async () => {
  const server = await scriptedServer()
  server.change = { scope: 'Notes.Read' }
  const asked = 'api://notes/Notes.Read'
  const browser = profile(server, { scope: ['openid', asked], serverQuirks: ['scope_named_differently'] })
  const tab = await browser.signIn()
  expect(tab.session.snapshot().grantedScope).toEqual(['openid', asked])
  expect(tab.session.missingScope([asked, 'api://notes/Notes.Write'])).toEqual(['api://notes/Notes.Write'])
  const token = await tab.session.token()
  // It says itself what the server calls it.
  expect(token.scope).toContain('Notes.Read')
  await tab.session.token({ rejected: token })
  await tab.session.token({ scope: [asked] })
  expect(tab.session.snapshot().grantedScope).toEqual(['openid', asked])
  expect(tab.said()).not.toContain('scope_narrowed')
  const more = await browser.open().leave({ scope: ['api://notes/Notes.Write'] })
  expect(more.searchParams.get('scope')).toBe(`openid ${asked} api://notes/Notes.Write`)
})
