import { format, inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { accessToken, carrying } from '../../src/core/access-token.js'
import { Secret, bare, disguised, present } from '../../src/core/secret.js'

const text = 'MARKER-of-a-secret'

/** Every way in which a program may print something. */
function printed(value: unknown): string[] {
  const { log } = console
  const lines: string[] = []
  console.log = (...parts: unknown[]) => lines.push(format(...parts))
  try {
    console.log(value)
    console.log('%s %j %o %O', value, value, value, value)
  } finally {
    console.log = log
  }
  return [
    ...lines,
    String(value),
    ['', value].join(''),
    (value as { toString(): string }).toString(),
    JSON.stringify(value),
    JSON.stringify({ deep: [value] }),
    inspect(value, { depth: 9, showHidden: true }),
    inspect({ deep: [value] }, { depth: 9, showHidden: true }),
    inspect(new Map([[value, value]]), { depth: 9, showHidden: true, getters: true }),
    Object.values(value as object).join(),
    Object.keys(value as object).join(),
  ]
}

describe('a Secret', () => {
  test('F16 gives its text to who asks for it by name, and to nobody else', () => {
    const secret = Secret.of(text)
    expect(secret.reveal()).toBe(text)
    const { reveal } = secret
    expect(reveal()).toBe(text)
    for (const output of printed(secret)) expect(output).not.toContain('MARKER')
    expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}')
    expect(['', secret].join('')).toBe('[redacted]')
  })

  test('has nothing that a copy or a deep comparison would walk into', () => {
    const secret = Secret.of(text)
    expect(Reflect.ownKeys(secret).filter((key) => Object.prototype.propertyIsEnumerable.call(secret, key))).toEqual([])
    expect({ ...secret }).toEqual({})
    expect(Object.isFrozen(secret)).toBe(true)
    expect(() => structuredClone(secret)).not.toThrow()
    expect(inspect(structuredClone(secret), { showHidden: true })).not.toContain('MARKER')
  })

  test('is compared without being shown', () => {
    expect(Secret.equals(Secret.of('a'), Secret.of('a'))).toBe(true)
    expect(Secret.equals(Secret.of('a'), Secret.of('b'))).toBe(false)
    expect(Secret.equals(Secret.of('a'), undefined)).toBe(false)
    expect(Secret.equals(undefined, undefined)).toBe(true)
  })
})

describe('an access token', () => {
  test('F16 prints as [redacted] everywhere', () => {
    for (const token of [accessToken(text, { scope: ['a'], resource: 'urn:x', expiresAt: 5 }), carrying(Secret.of(text), {})]) {
      for (const output of printed(token)) expect(output).not.toContain('MARKER')
      expect(JSON.stringify(token)).toBe('"[redacted]"')
      expect(Object.isFrozen(token)).toBe(true)
    }
  })

  test('F1 carries its text in the Authorization header', async () => {
    const token = accessToken(text, { scope: ['a'], resource: 'urn:x', expiresAt: 5 })
    expect(await token.headersFor('GET', 'https://api.example/')).toEqual({ authorization: `Bearer ${text}` })
    expect([token.tokenType, token.scope, token.resource, token.expiresAt, token.reveal()]).toEqual(['Bearer', ['a'], 'urn:x', 5, text])
    const { headersFor } = accessToken('unbound')
    expect(await headersFor('GET', new URL('https://api.example/'))).toEqual({ authorization: 'Bearer unbound' })
  })
})

describe('an object that carries a Secret', () => {
  test.for(['then', 'toJSON', 'toString', 'valueOf', 'constructor'])('is never handed to a polluted Object.prototype.%s', async (name) => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    const before = Object.getOwnPropertyDescriptor(Object.prototype, name)
    const seen: unknown[] = []
    const objects = () => [
      Secret.of(text),
      accessToken(text),
      bare({ secret: Secret.of(text) }),
      present({ secret: Secret.of(text) }),
      disguised({ secret: Secret.of(text) }),
    ]
    const made = objects()
    Object.defineProperty(polluted, name, {
      configurable: true,
      writable: true,
      value(this: unknown) {
        seen.push(this)
        return ''
      },
    })
    try {
      for (const object of made) {
        await Promise.resolve(object)
        JSON.stringify({ object })
      }
    } finally {
      if (before === undefined) delete polluted[name]
      else Object.defineProperty(polluted, name, before)
    }
    expect(seen.some((one) => made.includes(one as never))).toBe(false)
  })

  test('without the members that are undefined, where it says so', () => {
    expect(Object.keys(present({ a: undefined, b: 1 }))).toEqual(['b'])
    expect(Object.getPrototypeOf(present({ a: 1 }))).toBeNull()
  })
})
