import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** What the authorization server remembers, all of it in this process. */
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
}

export function providerStorage(): ProviderStorage {
  const entries = new Map<string, Stored>()
  const codes = new Set<string>()

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
      entries.set(`${model}:${id}`, { payload, expiresAt: expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1_000 })
    },
    find: async (id) => find(`${model}:${id}`),
    findByUid: async (uid) => findWhere(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findWhere(model, (payload) => payload.userCode === userCode),
    async consume(id) {
      const payload = find(`${model}:${id}`)
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1_000)
    },
    async destroy(id) {
      entries.delete(`${model}:${id}`)
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) if (key.startsWith(`${model}:`) && payload.grantId === grantId) entries.delete(key)
    },
  })

  const forget = (...models: readonly string[]): void => {
    for (const key of entries.keys()) if (models.some((model) => key.startsWith(`${model}:`))) entries.delete(key)
  }
  return { adapter, codes, forget }
}
