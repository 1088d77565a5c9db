import { expect, test, vi } from 'vitest'
import { accessToken, type AccessToken } from '../../src/core/access-token.js'
import { fakeSession } from '../../src/testing/index.js'

const bearer = async (token: AccessToken) => (await token.headersFor('GET', 'https://api.example/')).authorization

test('it starts signed out and rejects a call with sign_in_required', async () => {
  const session = fakeSession()
  expect(session.snapshot()).toEqual({ status: 'signed_out', grantedScope: [] })
  expect(await session.resume()).toBe(false)
  await expect(session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
})

test('it starts as it is told, with the token it is given', async () => {
  const session = fakeSession({ status: 'signed_in', grantedScope: ['notes:read'], token: accessToken('mine', { scope: ['notes:read'] }) })
  expect(await session.resume()).toBe(true)
  expect(await bearer(await session.token({ scope: ['notes:read'] }))).toBe('Bearer mine')
  await expect(session.token({ scope: ['notes:write'] })).rejects.toMatchObject({
    code: 'scope_not_granted',
    missingScope: ['notes:write'],
  })
  expect(session.missingScope(['notes:read', 'notes:write'])).toEqual(['notes:write'])
})

test('a sign-in adds the scope it asks for, a sign-out leaves nothing, and subscribers see each step', async () => {
  const { signIn, signOut, snapshot, subscribe, token } = fakeSession({ grantedScope: ['a'], ended: 'invalid_grant' })
  const steps: string[] = []
  const stop = subscribe(() => steps.push(`${snapshot().status} ${snapshot().grantedScope.join()}`))
  await signIn()
  await signIn({ scope: ['b'] })
  expect(snapshot()).toBe(snapshot())
  expect(snapshot()).toEqual({ status: 'signed_in', grantedScope: ['a', 'b'] })
  expect(await signOut({ atAuthorizationServer: true })).toEqual({
    refreshToken: 'revoked',
    accessTokens: 'revoked',
    authorizationServer: 'ended',
  })
  expect(snapshot()).toEqual({ status: 'signed_out', grantedScope: [], ended: 'signed_out' })
  await expect(token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(await signOut()).toEqual({ refreshToken: 'absent', accessTokens: 'absent', authorizationServer: 'not_asked' })
  stop()
  await signIn()
  expect(steps).toEqual(['signing_in ', 'signed_in a', 'signing_in a', 'signed_in a,b', 'signed_out ', 'signed_out '])
})

test('a rejected token is answered by another, an old one by the one that is there', async () => {
  const session = fakeSession({ status: 'signed_in' })
  const first = await session.token()
  expect(await session.token()).toBe(first)
  const second = await session.token({ rejected: first })
  expect(await bearer(second)).not.toBe(await bearer(first))
  expect(await session.token({ rejected: first })).toBe(second)
})

test('a response that nobody waits for is refused, an aborted caller gets its reason, an unknown fact is named', async () => {
  const session = fakeSession({ status: 'unknown' })
  await expect(session.resume('https://app.example/callback?code=1&state=2')).rejects.toMatchObject({
    code: 'authorization_response_invalid',
  })
  await expect(session.signIn({ signal: AbortSignal.abort('gave up') })).rejects.toBe('gave up')
  const changed = vi.fn()
  session.subscribe(changed)
  await session.resume()
  expect(session.snapshot().status).toBe('signed_out')
  expect(changed).toHaveBeenCalledOnce()
  expect(() => fakeSession({ signedIn: true } as never)).toThrow(/signedIn/)
})
