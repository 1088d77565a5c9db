import { randomBytes } from 'node:crypto'
import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Session, Store } from '../../src/index.js'
import { oauthFetch, userSession } from '../../src/index.js'
import { openStore } from './programs/open-store.js'
import { type Onlooker, type Place, onlooker, places, sessionKey } from './support/places.js'
import { redirectUri, signIn } from './support/sign-in.js'
import { type StrictServer, strictServer } from './support/strict-server.js'

// Who may write into a store may write anything: what is not a record of this very place is refused, and nothing of it is sent anywhere.

const clientId = 'fleet'

describe.for(places)('B18 on $name', (place: Place) => {
  let server: StrictServer
  let look: Onlooker
  beforeAll(async () => {
    await place.start()
    server = await strictServer({ graceSeconds: 0 })
    look = await onlooker(place.order())
  })
  afterAll(async () => {
    await look.close()
    await server.close()
    await place.stop()
  })

  const keyOf = (account: string) => sessionKey(server.authorizationServer.issuer, clientId, account)
  const session = (account: string, store: Store): Session =>
    userSession({ authorizationServer: server.authorizationServer, clientId, redirectUri, account, store })

  let [ann, bob] = ['', '']
  let held: Session
  let last = ''
  beforeEach(async () => {
    ;[ann, bob] = [1, 2].map(() => randomBytes(8).toString('hex')) as [string, string]
    for (const account of [ann, bob])
      await signIn({ server: { authorizationServer: server.authorizationServer }, clientId }, account, await look.store.of(account))
    // One that has read the record before.
    held = session(ann, await look.store.of(ann))
    last = (await held.token()).reveal()
  })

  const put = async (how: (text: string) => string) => place.putRaw(ann, keyOf(ann), how(await place.raw(ann, keyOf(ann))))

  interface Damage {
    readonly name: string
    /** The kind of store that can have it; absent: all. */
    readonly on?: string
    /** It came with a version of its own, so that everybody reads it anew. */
    readonly isNews?: boolean
    do(): Promise<unknown>
  }
  const damages: readonly Damage[] = [
    { name: 'torn in the middle', do: () => put((text) => text.slice(0, text.length / 2)) },
    { name: 'short of its last character', do: () => put((text) => text.slice(0, -1)) },
    { name: 'empty', do: () => put(() => '') },
    {
      name: 'changed in one character',
      do: () => put((text) => `${text.slice(0, -20)}${text.at(-20) === 'A' ? 'B' : 'A'}${text.slice(-19)}`),
    },
    { name: 'of another program', do: () => put(() => '{"access_token":"theirs","refresh_token":"theirs"}') },
    {
      name: 'not sealed, and else a good record',
      async do() {
        const plain = (await (await look.store.of(ann)).get(keyOf(ann)))?.value ?? ''
        expect(plain).toContain(server.family(ann).current)
        await put(() => plain)
      },
    },
    {
      name: 'sealed with another key',
      isNews: true,
      async do() {
        const foreign = await openStore({ ...place.order(), encryptionKey: randomBytes(32).toString('base64') })
        const version = (await (await look.store.of(ann)).get(keyOf(ann)))?.version
        const value = (await (await look.store.of(ann)).get(keyOf(ann)))?.value ?? ''
        expect(await (await foreign.of(ann)).replace(keyOf(ann), version, { version: 'foreign', value })).toBe(true)
        await foreign.close()
      },
    },
    {
      name: 'exchanged with that of another account',
      async do() {
        const [one, other] = [await place.raw(ann, keyOf(ann)), await place.raw(bob, keyOf(bob))]
        await place.putRaw(ann, keyOf(ann), other)
        await place.putRaw(bob, keyOf(bob), one)
      },
    },
    {
      name: 'its own of an earlier version',
      async do() {
        const before = await place.raw(ann, keyOf(ann))
        last = (await held.token({ rejected: await held.token() })).reveal()
        await put(() => before)
      },
    },
    {
      name: 'in a file that was cut off',
      on: 'a file',
      isNews: true,
      async do() {
        const folder = join(place.order().at, ann, 'records')
        for (const name of await readdir(folder)) if (name.endsWith('.json')) await truncate(join(folder, name), 100)
      },
    },
  ]

  test.for(damages.filter(({ on }) => on === undefined || on === place.name))(
    'a record that is $name is record_invalid, and goes nowhere',
    async (damage) => {
      await damage.do()
      const before = server.requests()
      for (const one of [session(ann, await look.store.of(ann)), ...(damage.isNews === true ? [held] : [])]) {
        await expect(one.token()).rejects.toMatchObject({ code: 'record_invalid' })
        await expect(oauthFetch(one, { resources: [server.api] })(server.api)).rejects.toMatchObject({ code: 'record_invalid' })
        expect(await one.resume()).toBe(false)
      }
      // Who has opened this very version before has what was in it, and nothing else.
      if (damage.isNews !== true) expect((await held.token()).reveal()).toBe(last)
      expect(server.requests()).toBe(before)
      // Nor is it in the way of a sign-in.
      await signIn({ server: { authorizationServer: server.authorizationServer }, clientId }, ann, await look.store.of(ann))
      expect((await (await look.store.of(ann)).get(keyOf(ann)))?.value).toContain(server.family(ann).current)
    },
  )

  test('a record of another client or issuer is nobody’s, and goes nowhere', async () => {
    const before = server.requests()
    const store = await look.store.of(ann)
    const other = await look.store.of(ann)
    const value = (await store.get(keyOf(ann)))?.value ?? ''
    const theirs = sessionKey(server.authorizationServer.issuer, 'another', ann)
    await other.replace(theirs, undefined, { version: 'moved', value })
    const another = userSession({ authorizationServer: server.authorizationServer, clientId: 'another', redirectUri, account: ann, store })
    await expect(another.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    expect(server.requests()).toBe(before)
  })
})
