import { isHttp, parseUrl } from '../core/address.js'
import type { Client } from '../core/client.js'
import { type DpopKey, type Proofs, dpopKeyLost, keysBeside } from '../core/dpop.js'
import { clockDifference, dpopAlgorithmFor, dpopAlgorithms, nonceOwner, nonceUnreadable, readNonce } from '../core/dpop-values.js'
import { wrongOption } from '../core/option.js'
import { proofRefusal } from '../core/proof-refusal.js'
import type { Clock, Store } from '../core/ports.js'
import { keysInStore } from './dpop-keys.js'
import { sharedNonces } from './dpop-nonces.js'

type Prover = Awaited<ReturnType<(typeof import('../protocol/dpop-proof.js'))['proverOf']>>

/** By the store, so that all who share one in a process read a key once and learn a nonce once. */
const shelves = new WeakMap<Store, Map<string, { readonly clock: Clock; readonly proofs: Promise<Proofs> }>>()

/** The proofs of a client (RFC 9449) whose keys are in this store. */
export function proofsIn(store: Store, client: Client): Promise<Proofs> {
  const shelf = shelves.get(store) ?? new Map<string, { readonly clock: Clock; readonly proofs: Promise<Proofs> }>()
  shelves.set(store, shelf)
  const name = `${client.server.issuer}\n${client.clientId}`
  const known = shelf.get(name)
  if (known?.clock === client.clock) return known.proofs
  const proofs = made(client, store)
  shelf.set(name, { clock: client.clock, proofs })
  proofs.catch(() => shelf.delete(name))
  return proofs
}

/** Over the keys and nonces that all who share its store have in common. */
async function made(client: Pick<Client, 'server' | 'clientId' | 'clock' | 'webCrypto'>, store: Store): Promise<Proofs> {
  const { proverOf, newKeyText, keyOfText } = await import('../protocol/dpop-proof.js')
  const { clock, clientId, server, webCrypto } = client
  // One key for each issuer and client: two servers that compare their users' keys find none in common.
  const nameOf = (...more: readonly string[]) => ['valetkey', 'dpop', server.issuer, clientId, ...more].map(encodeURIComponent).join(':')
  const keys =
    (await keysBeside(store)) ??
    keysInStore(store, {
      newKeyText: (algorithm) => newKeyText(algorithm, webCrypto),
      keyOfText: (text) => keyOfText(text, webCrypto),
    })
  const nonces = sharedNonces(store, nameOf('nonces'), clock, webCrypto)
  const provers = new Map<string, Prover>()
  const differences = new Map<string, number>()

  async function remembered(key: DpopKey): Promise<Prover> {
    const made = await proverOf(key, webCrypto)
    const known = provers.get(made.thumbprint) ?? made
    provers.set(known.thumbprint, known)
    return known
  }

  async function find(key: string): Promise<Prover | undefined> {
    for (const algorithm of dpopAlgorithms) {
      const held = await keys.get(nameOf(algorithm))
      if (held !== undefined) await remembered(held)
      if (provers.has(key)) break
    }
    return provers.get(key)
  }

  async function held(key: string): Promise<Prover> {
    const prover = provers.get(key) ?? (await find(key))
    if (prover === undefined) throw dpopKeyLost()
    return prover
  }

  /** The clock of a server that has not said its time is taken to be that of the authorization server. */
  let ofAuthorizationServer = 0
  const timeOf = (owner: string) => clock.now() + (differences.get(owner) ?? ofAuthorizationServer)

  /** Whether the server's clock is another than this machine's: then a proof that was refused may have been right but for its time. */
  function learnTime(owner: string, serverTime: number | undefined): boolean {
    if (serverTime === undefined || Number.isNaN(serverTime)) return false
    const difference = clockDifference(serverTime, clock.now())
    if (owner.startsWith('authorization_server')) ofAuthorizationServer = difference
    differences.delete(owner)
    differences.set(owner, difference)
    for (const oldest of differences.keys()) if (differences.size > mostServers) differences.delete(oldest)
    return difference !== 0
  }

  return {
    holds: async (key) => provers.has(key) || (await find(key)) !== undefined,
    async key(supported) {
      const algorithm = dpopAlgorithmFor(supported, server.issuer)
      return (await remembered(await keys.getOrMake(nameOf(algorithm), algorithm))).thumbprint
    },
    async proof(key, method, url) {
      const prover = await held(key)
      const owner = nonceOwner('authorization_server', url)
      return prover.prove({ method, url, nonce: await nonces.newest(owner), issuedAt: timeOf(owner) })
    },
    answered(url, { error, nonce: given, serverTime }) {
      const nonce = readNonce(given)
      const owner = nonceOwner('authorization_server', url)
      if (nonce !== undefined) nonces.learn(owner, nonce, error !== undefined)
      const isOff = learnTime(owner, serverTime)
      if (error === 'use_dpop_nonce') return nonce !== undefined || nonceUnreadable(url.origin)
      return error === 'invalid_dpop_proof' && isOff
    },
    bind: (key, accessToken) => ({
      async proof(method, address) {
        const url = called(method, address)
        const prover = provers.get(key) ?? (await held(key))
        const owner = nonceOwner('resource', url)
        return prover.prove({ method, url, accessToken, nonce: await nonces.newest(owner), issuedAt: timeOf(owner) })
      },
      answered(url, response) {
        const { headers, status } = response
        const owner = nonceOwner('resource', url)
        const nonce = readNonce(headers.get('dpop-nonce'))
        if (nonce !== undefined) nonces.learn(owner, nonce, status === 401)
        const refusal = proofRefusal(response)
        if (refusal === undefined) return false
        if (refusal === 'use_dpop_nonce' && nonce === undefined) throw nonceUnreadable(url.origin)
        // Only of a refusal, which no cache keeps: another answer may be as old as its `Date`.
        const isOff = learnTime(owner, Date.parse(headers.get('date') ?? ''))
        return nonce === undefined ? isOff && refusal === 'invalid_dpop_proof' : refusal !== 'invalid_dpop_proof' || isOff
      },
    }),
  }
}

function called(method: string, address: string | URL): URL {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(method)) throw wrongOption('method', 'must be that of the call: a proof is good for that one alone.')
  const url = typeof address === 'string' ? parseUrl(address) : address
  if (url !== undefined && (isHttp(url) || /^wss?:$/.test(url.protocol))) return url
  throw wrongOption('url', 'must be the whole URL of the call: a proof is good for that one alone (RFC 9449 section 4.2).')
}

/** Whose clocks are remembered. */
const mostServers = 50
