import { type EngineOf, type SessionEngine, type SessionEngineParts, engineOver } from './engine-over.js'
import { revokeAnswer } from './revoke.js'

/** The engine of a user's session. The protocol is loaded when it is first needed: a page that has a living token needs none of it. */
export function sessionEngine(parts: SessionEngineParts, engineOf: EngineOf): SessionEngine {
  const { client } = parts
  return engineOver(
    parts,
    {
      prepare: async (record, target) => (await import('../grants/refresh-token.js')).prepareRenewal(client)(record, target),
      proofs: client.proofs,
      revoke: (answer) => void revokeAnswer(client, answer),
    },
    engineOf,
  )
}
