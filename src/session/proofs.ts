import type { Client } from '../core/client.js'
import type { Proofs } from '../core/dpop.js'
import type { Store } from '../core/ports.js'
import { bare } from '../core/secret.js'

/** The client, with the proofs of its key in this store where it asks for bound tokens. They are loaded when they are first needed. */
export function withProofs(client: Client, store: Store): Client {
  if (!client.dpop || client.proofs !== undefined) return client
  let loading: Promise<Proofs> | undefined
  const proofs = (): Promise<Proofs> => {
    loading ??= import('./dpop.js').then(({ proofsIn }) => proofsIn(store, client))
    // What could not be loaded is loaded anew by the next who needs it.
    loading.catch(() => (loading = undefined))
    return loading
  }
  return Object.freeze(bare<Client>({ ...client, proofs }))
}
