/** Who in this process wants to know that a key changed. */
export interface Watchers {
  add(key: string, changed: () => void): () => void
  tell(key: string): void
  /** Tells those of every key. */
  tellAll(): void
  /** How many there are, of all keys. */
  count(): number
  /** Whether there is any of this key. */
  has(key: string): boolean
}

export function watchers(): Watchers {
  const byKey = new Map<string, Set<() => void>>()
  let count = 0

  function add(key: string, changed: () => void): () => void {
    // One more wrapper, so that the same function added twice is two watchers, each stopped by its own.
    const watcher = () => changed()
    const those = byKey.get(key) ?? new Set()
    byKey.set(key, those.add(watcher))
    count += 1
    return () => {
      if (!those.delete(watcher)) return
      count -= 1
      if (those.size === 0 && byKey.get(key) === those) byKey.delete(key)
    }
  }

  function tell(key: string): void {
    const those = byKey.get(key)
    if (those === undefined) return
    // In turns of their own: a watcher's mistake is not a reason for a write to fail.
    for (const watcher of those) queueMicrotask(() => those.has(watcher) && watcher())
  }

  return { add, tell, tellAll: () => [...byKey.keys()].forEach(tell), count: () => count, has: (key) => byKey.has(key) }
}
