import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** What the authorization server remembers. */
export interface ProviderStorage {
  readonly adapter: AdapterFactory
  /** Every authorization code that was made. */
  readonly codes: Set<string>
  /** Forgets everything of these kinds. */
  forget(...models: readonly string[]): void
}

interface Stored {
  readonly payload: AdapterPayload
  readonly expiresAt: number
  /** When it was used, in this run. */
  consumedAt?: number
}

/**
 * @param file where it is kept from one run to the next, in clear; left out, it ends with this process
 * @param grace for how long a refresh token that was used may be used again, in milliseconds
 */
export function providerStorage(file?: string, grace = 0): ProviderStorage {
  const entries = new Map<string, Stored>(file === undefined ? [] : read(file))
  const codes = new Set<string>()

  const save = (): void => {
    if (file === undefined) return
    writeFileSync(`${file}.new`, JSON.stringify([...entries]), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  const find = (key: string): AdapterPayload | undefined => {
    const stored = entries.get(key)
    if (stored === undefined) return undefined
    if (stored.expiresAt > Date.now()) return stored.payload
    entries.delete(key)
    return undefined
  }
  const findWhere = (model: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
    [...entries.keys()]
      .filter((key) => key.startsWith(`${model}:`))
      .map(find)
      .find((payload) => payload !== undefined && matches(payload))

  const adapter: AdapterFactory = (model): Adapter => ({
    async upsert(id, payload, expiresIn) {
      if (model === 'AuthorizationCode') codes.add(id)
      entries.set(`${model}:${id}`, { payload, expiresAt: expiresIn === undefined ? never : Date.now() + expiresIn * 1_000 })
      save()
    },
    async find(id) {
      const payload = find(`${model}:${id}`)
      if (payload === undefined || model !== 'RefreshToken') return payload
      const { consumedAt = -Infinity } = entries.get(`${model}:${id}`) ?? {}
      // As if it had not been used: then it is answered with another one.
      return Date.now() - consumedAt < grace ? { ...payload, consumed: undefined } : payload
    },
    findByUid: async (uid) => findWhere(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findWhere(model, (payload) => payload.userCode === userCode),
    async consume(id) {
      const stored = entries.get(`${model}:${id}`)
      if (stored !== undefined) {
        stored.payload.consumed ??= Math.floor(Date.now() / 1_000)
        stored.consumedAt ??= Date.now()
      }
      save()
    },
    async destroy(id) {
      entries.delete(`${model}:${id}`)
      save()
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) if (key.startsWith(`${model}:`) && payload.grantId === grantId) entries.delete(key)
      save()
    },
  })

  const forget = (...models: readonly string[]): void => {
    for (const key of entries.keys()) if (models.some((model) => key.startsWith(`${model}:`))) entries.delete(key)
    save()
  }
  return { adapter, codes, forget }
}

/** JSON has no Infinity. */
const never = Number.MAX_SAFE_INTEGER

function read(file: string): readonly (readonly [string, Stored])[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as [string, Stored][]) : []
}
