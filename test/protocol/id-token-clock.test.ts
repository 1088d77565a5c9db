import { describe, expect, test } from 'vitest'
import { finishAuthorization } from '../../src/grants/authorization-code.js'
import { prepareRenewal } from '../../src/grants/refresh-token.js'
import { tokenRecord } from '../../src/core/token-record.js'
import { Secret } from '../../src/core/secret.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type FaultServer, faultServer, json } from '../support/fault-server.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { failure, responseTo, started } from '../support/sign-in.js'

// A machine whose clock is wrong, and an authorization server whose clock is right.

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

interface Wrong {
  /** How far this machine's clock is ahead of the server's, in milliseconds. */
  readonly by: number
  /** Across origins a page cannot read it. */
  readonly date: 'readable' | 'unreadable' | 'a day behind'
  readonly claims?: Readonly<Record<string, unknown>>
}

function answered(server: FaultServer, { date, claims }: Wrong, nonce: string | undefined): void {
  const id_token = jwt(claimsFor(server.origin, nonce, Date.now(), claims))
  server.on('/token', (request, response) => {
    response.sendDate = date === 'readable'
    if (date === 'a day behind') response.setHeader('date', new Date(Date.now() - day).toUTCString())
    return json({ access_token: 'access', token_type: 'Bearer', refresh_token: 'next', id_token })(request, response)
  })
}

async function signIn(wrong: Wrong) {
  const server = await faultServer()
  const client = testClient({ authorizationServer: metadata(server.origin) }, manualClock(Date.now() + wrong.by))
  const pending = await started(client, { scope: ['openid'] })
  answered(server, wrong, pending.nonce?.reveal())
  return finishAuthorization(client, pending, responseTo(pending))
}

async function renew(wrong: Wrong) {
  const server = await faultServer()
  const client = testClient({ authorizationServer: metadata(server.origin) }, manualClock(Date.now() + wrong.by))
  answered(server, wrong, undefined)
  const record = tokenRecord({
    issuer: server.origin,
    clientId: client.clientId,
    session: 's',
    generation: 1,
    grantedScope: ['openid'],
    refreshToken: Secret.of('refresh'),
    idTokenClaims: { iss: server.origin, sub: 'alice' },
    accessTokens: [],
  })
  const outcome = await (await prepareRenewal(client)(record, {})).send()
  if (!outcome.ok) throw outcome.error
  return outcome.answer
}

const clocks = [
  ['right', 0],
  ['10 minutes ahead', 10 * minute],
  ['10 minutes behind', -10 * minute],
  ['a day ahead', day],
  ['a day behind', -day],
] as const
const dates = ['readable', 'unreadable', 'a day behind'] as const

describe('with a wrong clock an ID token that comes this moment is taken, for a refused renewal would cost the session', () => {
  const rows = clocks.flatMap(([name, by]) => dates.map((date) => [name, date, by] as const))

  test.for(rows.filter(([name, date]) => name === 'right' || date !== 'a day behind'))(
    'P16 a clock that is %s, the Date %s: a sign-in and a renewal',
    async ([, date, by]) => {
      expect((await signIn({ by, date })).idTokenClaims?.sub).toBe('alice')
      expect((await renew({ by, date })).refreshToken?.reveal()).toBe('next')
    },
  )
})

describe('and one that has expired is refused', () => {
  const seconds = Math.floor(Date.now() / 1000)
  const expired = { iat: seconds - 7_200, exp: seconds - 3_600 }

  test.for<readonly [string, Wrong]>([
    ['by a clock that is right and a Date that agrees', { by: 0, date: 'readable', claims: expired }],
    ['by the Date, where the clock is a day ahead', { by: day, date: 'readable', claims: expired }],
    ['by itself, where only the token says when it was made', { by: day, date: 'unreadable', claims: { exp: seconds - 120 } }],
    ['by a clock that is more than a day and an hour away', { by: 26 * hour, date: 'unreadable' }],
    ['and by one that is years away, whatever the Date says', { by: 365 * day, date: 'readable' }],
  ])('O10 O11 %s', async ([, wrong]) => {
    expect(await failure(signIn(wrong))).toMatchObject({ code: 'id_token_invalid' })
    expect(await failure(renew(wrong))).toMatchObject({ code: 'id_token_invalid' })
  })
})
