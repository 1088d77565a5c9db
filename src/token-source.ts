import { renewal } from './engine/renewal.js'
import { type TokenEngine, type TokenSourceParts, tokenEngine } from './engine/token-engine.js'

export type { TokenEngine, TokenSourceParts } from './engine/token-engine.js'

/** The engine over a store: read, decide, mark, send, store. */
export function tokenSource(parts: TokenSourceParts): TokenEngine {
  return tokenEngine(parts, renewal)
}
