import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ClientAuthentication } from '../../src/core/client.js'
import { prepareRenewal } from '../../src/grants/refresh-token.js'
import { clientSecretJwt } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { faultServer, json } from '../support/fault-server.js'
import { keyPair, pemOf } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { recordOf, renewal } from '../support/renewal.js'
import { failure } from '../support/sign-in.js'

const issuer = 'https://as.example'
const time = Date.UTC(2026, 5, 1)

/** The form of a request, as it would be sent: nothing goes anywhere. */
async function formOf(clientAuthentication: ClientAuthentication, more: Readonly<Record<string, unknown>> = {}): Promise<URLSearchParams> {
  let form: URLSearchParams | undefined
  const fetch = (async (_: string, init: RequestInit) => {
    form = new URLSearchParams(String(init.body))
    return Response.json({ access_token: 'at', token_type: 'Bearer' })
  }) as typeof globalThis.fetch
  const client = testClient({ authorizationServer: metadata(issuer), clientAuthentication, fetch, ...more }, manualClock(time))
  await renewal(client)
  if (form === undefined) throw new Error('nothing was sent')
  return form
}

async function assertionOf(clientAuthentication: ClientAuthentication, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return (await formOf(clientAuthentication, more)).get('client_assertion') ?? ''
}

let keys: CryptoKeyPair
beforeAll(async () => {
  keys = await keyPair('ES256')
})

describe('the assertion', () => {
  test('K6 iss and sub are the client, it lives one minute of the client’s clock, and is signed', async () => {
    const form = await formOf(privateKeyJwt(keys.privateKey))
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    expect(form.get('client_id')).toBe('app')
    const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', keys.publicKey, {
      currentDate: new Date(time),
    })
    const seconds = time / 1000
    expect(payload).toEqual({
      iss: 'app',
      sub: 'app',
      aud: issuer,
      jti: expect.any(String) as string,
      iat: expect.closeTo(seconds, -1) as number,
      nbf: payload.iat,
      exp: (payload.iat ?? 0) + 60,
    })
    expect(protectedHeader).toEqual({ alg: 'ES256' })
  })

  test('K6 of 1,000 assertions no two have the same jti', async () => {
    const authentication = privateKeyJwt(keys.privateKey)
    const made = await Promise.all(Array.from({ length: 1_000 }, () => assertionOf(authentication)))
    expect(new Set(made.map((jwt) => decodeJwt(jwt).jti)).size).toBe(1_000)
  })

  test.for([
    ['privateKeyJwt', () => privateKeyJwt(keys.privateKey)],
    ['clientSecretJwt', () => clientSecretJwt('x'.repeat(32))],
  ] as const)('K8 %s: each request that is made ready has its own, whether it is sent or not', async ([, make]) => {
    const sent: string[] = []
    const fetch = (async (_: string, init: RequestInit) => {
      sent.push(String(new URLSearchParams(String(init.body)).get('client_assertion')))
      return Response.json({ error: 'temporarily_unavailable' }, { status: 400 })
    }) as typeof globalThis.fetch
    const client = testClient({ authorizationServer: metadata(issuer), clientAuthentication: make(), fetch })
    const [one, two] = [await prepareRenewal(client)(recordOf(client), {}), await prepareRenewal(client)(recordOf(client), {})]
    await Promise.all([one.send(), two.send()])
    expect(new Set(sent.map((jwt) => decodeJwt(jwt).jti)).size).toBe(2)
  })

  test('K7 it is for the issuer, one string, also where the token endpoint is another server’s', async () => {
    const server = await faultServer({ '/token': json({ access_token: 'at', token_type: 'Bearer' }) })
    const authorizationServer = metadata('https://attacker.example', { token_endpoint: `${server.origin}/token` })
    await renewal(testClient({ authorizationServer, clientAuthentication: privateKeyJwt(keys.privateKey) }))
    expect(decodeJwt(server.received[0]?.form.get('client_assertion') ?? '').aud).toBe('https://attacker.example')
  })

  test('K7 a server that wants another audience gets what was configured', async () => {
    expect(decodeJwt(await assertionOf(privateKeyJwt(keys.privateKey, { audience: 'https://as.example/token' }))).aud).toBe(
      'https://as.example/token',
    )
  })

  test('K9 its times are those of the client’s clock, whatever the machine’s clock says', async () => {
    const { iat = 0 } = decodeJwt(await assertionOf(privateKeyJwt(keys.privateKey)))
    expect(Math.abs(iat - time / 1000)).toBeLessThanOrEqual(2)
    expect(Math.abs(iat - Date.now() / 1000)).toBeGreaterThan(3_600)
  })

  test('K6 clientSecretJwt signs with the secret, which is not sent', async () => {
    const secret = 'of-more-than-32-bytes-for-HS256-it-is'
    const form = await formOf(clientSecretJwt(secret))
    expect(form.toString()).not.toContain(secret)
    const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', new TextEncoder().encode(secret), {
      currentDate: new Date(time),
    })
    expect(payload).toMatchObject({ iss: 'app', sub: 'app', aud: issuer })
    expect(protectedHeader.alg).toBe('HS256')
  })
})

describe('the key', () => {
  test.for(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519'])(
    'K6 %s: as a CryptoKey, a JWK and a PEM',
    async (algorithm) => {
      const { privateKey, publicKey } = await keyPair(algorithm)
      const jwk = { ...(await crypto.subtle.exportKey('jwk', privateKey)), alg: algorithm, kid: 'from-the-key' }
      for (const [key, options] of [
        [privateKey, {}],
        [jwk, {}],
        [await pemOf(privateKey), { algorithm }],
      ] as const) {
        const jwt = await assertionOf(privateKeyJwt(key as CryptoKey, options))
        await jwtVerify(jwt, publicKey, { currentDate: new Date(time), algorithms: [algorithm] })
        expect(decodeProtectedHeader(jwt)).toEqual({ alg: algorithm, ...(key === jwk ? { kid: 'from-the-key' } : {}) })
      }
    },
  )

  test.for([
    ['RSA', 'RS256', 'RS256'],
    ['P-256', 'ES256', 'ES256'],
    ['P-384', 'ES384', 'ES384'],
    ['P-521', 'ES512', 'ES512'],
    ['Ed25519', 'Ed25519', 'Ed25519'],
  ])('K6 a %s key that does not say what it is for', async ([, made, algorithm]) => {
    const { privateKey, publicKey } = await keyPair(made as string)
    const { alg: _, kid: __, ...jwk } = (await crypto.subtle.exportKey('jwk', privateKey)) as Record<string, unknown>
    for (const key of [jwk, await pemOf(privateKey), (await pemOf(privateKey)).replaceAll('\n', '\\n')]) {
      const jwt = await assertionOf(privateKeyJwt(key))
      await jwtVerify(jwt, publicKey, { currentDate: new Date(time), algorithms: [algorithm as string] })
    }
  })

  test('K6 a key of 4096 bits, whose lengths take more bytes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
    const jwt = await assertionOf(privateKeyJwt(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string))
    await jwtVerify(jwt, publicKey, { currentDate: new Date(time), algorithms: ['RS256'] })
  })

  test('K6 a non-extractable key signs', async () => {
    const { privateKey, publicKey } = await keyPair('ES256', false)
    await jwtVerify(await assertionOf(privateKeyJwt(privateKey)), publicKey, { currentDate: new Date(time) })
  })

  test('K6 keyId is in the header, before that of the JWK', async () => {
    const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.privateKey)), kid: 'own' }
    expect(decodeProtectedHeader(await assertionOf(privateKeyJwt(jwk, { keyId: '2026-11' }))).kid).toBe('2026-11')
  })

  test('K6 EdDSA is the older name of Ed25519', async () => {
    const { privateKey } = await keyPair('Ed25519')
    const named = privateKeyJwt(await pemOf(privateKey), { algorithm: 'EdDSA' })
    expect(decodeProtectedHeader(await assertionOf(named)).alg).toBe('EdDSA')
  })

  test('K6 as a function it is read anew for each request, so that it can be changed', async () => {
    const other = await keyPair('ES256')
    const given = [await pemOf(keys.privateKey), await crypto.subtle.exportKey('jwk', other.privateKey)]
    const authentication = privateKeyJwt(async () => given.shift() as string)
    await jwtVerify(await assertionOf(authentication), keys.publicKey, { currentDate: new Date(time) })
    await jwtVerify(await assertionOf(authentication), other.publicKey, { currentDate: new Date(time) })
  })

  test.for([
    ['privateKeyJwt', 'ES256', () => privateKeyJwt(keys.privateKey)],
    ['clientSecretJwt', 'HS256', () => clientSecretJwt('x'.repeat(32))],
  ] as const)('%s: a polluted prototype does not change what is signed', async ([, alg, make]) => {
    let form = new URLSearchParams()
    const fetch = (async (_: string, init: RequestInit) => {
      form = new URLSearchParams(String(init.body))
      return Response.json({ access_token: 'at', token_type: 'Bearer' })
    }) as typeof globalThis.fetch
    const client = testClient({ authorizationServer: metadata(issuer), clientAuthentication: make(), fetch })
    const prototype = Object.prototype as unknown as Record<string, unknown>
    const evil = { kid: 'evil', keyId: 'evil', alg: 'RS512', toJSON: () => 'evil', audience: 'https://evil.example', algorithm: 'RS256' }
    Object.assign(prototype, evil)
    const prepared = await prepareRenewal(client)(recordOf(client), {}).finally(() => {
      for (const name of Object.keys(evil)) delete prototype[name]
    })
    await prepared.send()
    const jwt = form.get('client_assertion') ?? ''
    expect(decodeProtectedHeader(jwt)).toEqual({ alg })
    expect(decodeJwt(jwt)).toMatchObject({ aud: issuer, iss: 'app' })
  })
})

describe('a key that is none', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = ec.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const jwk = ec.privateKey.export({ format: 'jwk' }) as Record<string, unknown>
  const wrong: readonly (readonly [string, unknown])[] = [
    ['nothing', undefined],
    ['an empty text', ''],
    ['a number', 7],
    ['a list', [jwk]],
    ['a text that is no PEM', marker],
    ['a PKCS #1 PEM', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
    ['a SEC1 PEM', ec.privateKey.export({ type: 'sec1', format: 'pem' })],
    ['an encrypted PEM', ec.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })],
    ['a public PEM', ec.publicKey.export({ type: 'spki', format: 'pem' })],
    ['a PEM of X25519', generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['a public JWK', { ...jwk, d: undefined }],
    ['a symmetric JWK', { kty: 'oct', k: marker }],
    ['a JWK of a curve that is not known', { ...jwk, crv: 'secp256k1' }],
    ['an empty object', {}],
  ]
  test.for(wrong)('K6 %s is invalid_configuration at once, and from a function before anything is sent', async ([, key]) => {
    const refused = { name: 'OAuthError', code: 'invalid_configuration' }
    expect(() => privateKeyJwt(key as string)).toThrow(expect.objectContaining(refused) as Error)
    const error = await failure(assertionOf(privateKeyJwt(() => key as string)))
    expect(error).toMatchObject(refused)
    expectNoMarker(error)
  })

  test('K6 whatever bytes a PEM holds, what comes of them is a key or invalid_configuration', async () => {
    const good = new Uint8Array(ec.privateKey.export({ type: 'pkcs8', format: 'der' }))
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => good.with(at, byte))
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.uint8Array()), async (bytes) => {
        const text = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(bytes).toString('base64')}\n-----END PRIVATE KEY-----`
        const attempt = async () => formOf(privateKeyJwt(text))
        await attempt().catch((error: unknown) => expect(error).toMatchObject({ name: 'OAuthError', code: 'invalid_configuration' }))
      }),
    )
  })

  test('K6 a public CryptoKey, and those that do not sign as a private key does, are refused', async () => {
    const hmac = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    expect(() => privateKeyJwt(hmac)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
    expect(() => privateKeyJwt(keys.publicKey)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
    const ecdh = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
    expect(() => privateKeyJwt((ecdh as CryptoKeyPair).privateKey)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration' }) as Error,
    )
  })

  test.for([
    ['a symmetric JWK', { kty: 'oct', k: 'eA', d: 'eA' }, 'use clientSecretJwt'],
    ['a PKCS #1 PEM', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }), 'openssl pkcs8'],
  ] as const)('K6 %s: the error says what to do', ([, key, advice]) => {
    expect(() => privateKeyJwt(key as string)).toThrow(advice)
  })

  test.for<readonly [string, unknown, object]>([
    ['a PEM that is cut short', pem.replace(/\n.{20}/, '\n'), {}],
    ['a JWK whose d is nobody’s', { ...jwk, d: 'AAAA' }, {}],
    ['a PEM for another algorithm', pem, { algorithm: 'RS256' }],
    ['a JWK for another curve', jwk, { algorithm: 'ES384' }],
  ])('K6 %s is invalid_configuration before anything is sent', async ([, key, options]) => {
    const attempt = async () => assertionOf(privateKeyJwt(key as string, options))
    const error = await failure(attempt())
    expect(error).toMatchObject({ name: 'OAuthError', code: 'invalid_configuration' })
    expect(error.cause).toBeUndefined()
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(jwk['d'])
  })

  test('K6 a CryptoKey signs with what it was made for, and another algorithm is refused', async () => {
    expect(await failure(assertionOf(privateKeyJwt(keys.privateKey, { algorithm: 'ES384' })))).toMatchObject({
      code: 'invalid_configuration',
    })
  })

  test.for([
    ['an option that nobody knows', { kid: 'x' }],
    ['a keyId that is empty', { keyId: '' }],
    ['an algorithm without a public key', { algorithm: 'HS256' }],
    ['an audience that is a list', { audience: ['a', 'b'] }],
  ] as const)('K6 %s is refused at once', ([, options]) => {
    expect(() => privateKeyJwt(keys.privateKey, options as object)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration' }) as Error,
    )
  })
})
