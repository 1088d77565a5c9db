import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DpopAlgorithm, type DpopKeyText } from '../../src/core/dpop.js'
import { Secret } from '../../src/core/secret.js'
import { keyOfText, newKey, newKeyText, proverOf } from '../../src/protocol/dpop-proof.js'
import { readProof } from '../support/dpop.js'
import { expectNothingFound } from '../support/sweep.js'

// Each proof is read by jose, which knows nothing of how it was made.

const url = new URL('https://api.example/notes/1')
const issuedAt = 1_800_000_000_999
const call = { method: 'GET', url, issuedAt, nonce: undefined }

describe.each<[DpopAlgorithm, object]>([
  ['ES256', { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) }],
  ['Ed25519', { kty: 'OKP', crv: 'Ed25519', x: expect.any(String) }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519', x: expect.any(String) }],
])('a proof by %s', (alg, jwk) => {
  test('P1 has its type, its algorithm, and of the key the public part alone', async () => {
    const { header, key } = await readProof(await (await proverOf(await newKey(alg))).prove(call))
    expect(header).toEqual({ typ: 'dpop+jwt', alg, jwk })
    expect(key).toMatch(/^[\w-]{43}$/)
  })

  test('P1 names its key as everybody else does (RFC 7638)', async () => {
    const prover = await proverOf(await newKey(alg))
    expect(prover.thumbprint).toBe((await readProof(await prover.prove(call))).key)
  })

  test('P10 the private key cannot be read out, neither one that was made as such nor one that comes from a text', async () => {
    const text = await newKeyText(alg)
    for (const key of [await newKey(alg), await keyOfText(text)]) {
      expect(key?.privateKey).toMatchObject({ extractable: false, usages: ['sign'] })
      await expect(crypto.subtle.exportKey('jwk', key?.privateKey as CryptoKey)).rejects.toThrow()
    }
  })
})

test('P2 it says what it is for: method, address without query and fragment, time, token, nonce', async () => {
  const prover = await proverOf(await newKey('ES256'))
  const accessToken = Secret.of('Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU')
  const claims = async (more: object) => (await readProof(await prover.prove({ ...call, ...more }))).claims
  // The hash is that of RFC 9449 section 7.1.
  expect(await claims({ method: 'POST', url: new URL('https://api.example:8443/a%20b/?q=1#f'), accessToken, nonce: 'n-0' })).toEqual({
    jti: expect.any(String),
    htm: 'POST',
    htu: 'https://api.example:8443/a%20b/',
    iat: 1_800_000_000,
    ath: 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo',
    nonce: 'n-0',
  })
  expect(Object.keys(await claims({}))).toEqual(['jti', 'htm', 'htu', 'iat'])
})

test('P3 no two proofs are the same', async () => {
  const prover = await proverOf(await newKey('Ed25519'))
  const proofs = await Promise.all(Array.from({ length: 200 }, async () => readProof(await prover.prove(call))))
  expect(new Set(proofs.map(({ claims }) => claims.jti)).size).toBe(200)
})

test('P2 whatever the address and the nonce, what is read is what was meant', async () => {
  const prover = await proverOf(await newKey('ES256'))
  await fc.assert(
    fc.asyncProperty(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.stringMatching(/^[!#-[\]-~]{1,40}$/),
      async (address, nonce) => {
        const { claims } = await readProof(await prover.prove({ ...call, url: new URL(address), nonce }))
        expect(claims).toMatchObject({ htu: new URL(address).origin + new URL(address).pathname, nonce })
      },
    ),
    { numRuns: 50 },
  )
})

test.each([
  ['no JSON', '{'],
  ['no private part', JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' })],
  ['another curve', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd' })],
])('a text that is damaged is no key: %s', async (_, jwk) => {
  expect(await keyOfText({ algorithm: 'ES256', jwk: Secret.of(jwk) })).toBeUndefined()
})

test('nothing of a key is shown by its text', async () => {
  const text: DpopKeyText = await newKeyText('ES256')
  const { d } = JSON.parse(text.jwk.reveal()) as { d: string }
  expect(d).toMatch(/^[\w-]{43}$/)
  expectNothingFound([d], { text, key: await keyOfText(text) })
})

test('a polluted prototype changes nothing of what is signed', async () => {
  const prover = await proverOf(await newKey('ES256'))
  const polluted = Object.prototype as Record<string, unknown>
  polluted['toJSON'] = () => 'polluted'
  polluted['nonce'] = 'polluted'
  try {
    const proof = await prover.prove(call)
    delete polluted['toJSON']
    delete polluted['nonce']
    expect((await readProof(proof)).claims).toMatchObject({ htm: 'GET', iat: 1_800_000_000 })
    expect(Object.hasOwn((await readProof(proof)).claims, 'nonce')).toBe(false)
  } finally {
    delete polluted['toJSON']
    delete polluted['nonce']
  }
})
