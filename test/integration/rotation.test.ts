import { expect, test } from 'vitest'
import { startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { profile, redirectUri } from '../session/profile.js'

test.each([
  ['rotates refresh tokens, and revokes the grant when one is used twice', true],
  ['issues one refresh token for the life of the grant', false],
])('R11 a session is renewed again and again at a server that %s', async (_, rotation) => {
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [redirectUri] }],
    rotation,
    automatic: { account: 'ann' },
  })
  try {
    const { session } = await profile(server).signIn()
    const seen = new Set<string>()
    for (let generation = 0; generation < 4; generation++) seen.add((await session.token({ rejected: await session.token() })).reveal())
    expect(seen.size).toBe(4)
    const sent = server.log.filter(({ grantType }) => grantType === 'refresh_token').map(({ refreshToken }) => refreshToken)
    expect(new Set(sent).size).toBe(rotation ? 4 : 1)
    expect(server.counters).toMatchObject({ refreshes: 4, reuses: 0, grantsRevoked: 0 })
  } finally {
    await server.close()
  }
})
