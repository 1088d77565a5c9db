import { OAuthError } from '../../src/core/errors.js'
import type { PrepareRenewal } from '../../src/core/exchange.js'
import { missingScope } from '../../src/core/scope.js'
import { Secret, present } from '../../src/core/secret.js'
import type { TokenAnswer } from '../../src/core/token-record.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import type { TokenEngine, tokenSource } from '../../src/token-source.js'

// A user's session that has tokens for two resources, in several tabs over one store, at a server whose refresh tokens serve once and whose tokens
// have only what their own resource knows. Nothing is lost here: what may be lost is the simulation's. What may be crossed is all in it.

const resources = { notes: ['read', 'write'], mail: ['read', 'send'] } as const
export type Resource = keyof typeof resources
export const scopes = ['read', 'write', 'send'] as const
export type Scope = readonly (typeof scopes)[number][]
export const accounts = ['ann', 'ben'] as const
export type Account = (typeof accounts)[number]

export type Step =
  /** A call of one tab; `renewing`: its first token is refused by the API. Many are under way at once. */
  | {
      readonly kind: 'call'
      readonly tab: number
      readonly resource: Resource
      readonly scope: Scope | undefined
      readonly renewing: boolean
    }
  | { readonly kind: 'wait'; readonly milliseconds: number }
  /** The same user once more, who may consent to something else. */
  | { readonly kind: 'sign_in'; readonly tab: number; readonly consented: Scope }
  /** A sign-out, and a sign-in of whoever. */
  | { readonly kind: 'change_account'; readonly tab: number; readonly account: Account; readonly consented: Scope }
  /** Another user's sign-in comes to its end here, and nobody has signed out. */
  | { readonly kind: 'intrude'; readonly tab: number }

/** What came of a run. */
export interface Played {
  readonly violations: readonly string[]
  /** How often what came of it, so that a run in which nothing happens is seen. */
  readonly served: number
  readonly refused: number
  readonly renewals: number
}

interface Grant {
  readonly id: number
  readonly account: Account
  readonly consented: Scope
  refreshToken: string
}

const lifetime = 60_000
/** How long the server takes, by turns, in milliseconds. */
const latencies = [50, 400, 3_000]

/** The server: whatever it is asked in the wrong order, or with a token that is spent, is written down. */
function authorizationServer(clock: ReturnType<typeof manualClock>, violations: string[]) {
  const grants: Grant[] = []
  const busy = new Set<Grant>()
  let issued = 0
  let renewals = 0

  function answer(grant: Grant, resource: Resource, asked: readonly string[] = scopes): TokenAnswer {
    issued += 1
    grant.refreshToken = `R${issued}`
    const scope = resources[resource].filter((one) => grant.consented.includes(one) && asked.includes(one))
    return present<TokenAnswer>({
      accessToken: Secret.of(JSON.stringify({ grant: grant.id, account: grant.account, resource, scope, number: issued })),
      tokenType: 'Bearer',
      scope,
      lifetime,
      refreshToken: Secret.of(grant.refreshToken),
      idToken: undefined,
      idTokenClaims: { iss: 'https://as.example', sub: grant.account },
      authorizationDetails: undefined,
      serverTime: undefined,
      boundTo: undefined,
    })
  }

  function signIn(account: Account, consented: Scope): { readonly grant: Grant; readonly answer: TokenAnswer } {
    const grant: Grant = { id: grants.length, account, consented, refreshToken: '' }
    grants.push(grant)
    return { grant, answer: answer(grant, 'notes') }
  }

  const prepare: PrepareRenewal = async ({ refreshToken }, { resource, scope }) => ({
    discard: () => {},
    send: async () => {
      const grant = grants.find((one) => one.refreshToken === refreshToken?.reveal())
      if (grant === undefined || busy.has(grant))
        violations.push(`${refreshToken?.reveal()} was sent twice, or while another was on its way`)
      if (grant === undefined)
        return { ok: false, error: new OAuthError('sign_in_required', 'spent', { serverError: 'invalid_grant' }), surelyNotDone: true }
      busy.add(grant)
      await clock.wait(latencies[(renewals += 1) % latencies.length] ?? 0)
      busy.delete(grant)
      return { ok: true, answer: answer(grant, resource as Resource, scope) }
    },
  })

  return { signIn, prepare, renewals: () => renewals }
}

interface Call {
  readonly step: Extract<Step, { kind: 'call' }>
  readonly grant: Grant
  readonly outcome: Promise<Outcome>
}

type Outcome = { readonly texts: readonly string[] } | { readonly error: OAuthError }

/** Plays the steps with this engine. */
export async function play(steps: readonly Step[], engineOf: typeof tokenSource): Promise<Played> {
  const violations: string[] = []
  const clock = manualClock()
  const store = memoryStore()
  const server = authorizationServer(clock, violations)
  let names = 0
  const tabs = Array.from({ length: 3 }, () =>
    engineOf({
      issuer: 'https://as.example',
      clientId: 'c',
      target: { resource: 'notes' },
      severalResources: true,
      scopeNamedDifferently: false,
      store,
      key: 'tokens',
      lock: undefined,
      clock,
      deadline: 10_000,
      prepare: server.prepare,
      revoke: () => {},
      emit: () => {},
      fresh: () => `${(names += 1)}`,
      draw: () => 0.5,
    }),
  )
  const tabOf = (number: number): TokenEngine => tabs[number % tabs.length] as TokenEngine
  const calls: Call[] = []

  async function settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const noted = promise.finally(() => (isSettled = true))
    noted.catch(() => {})
    for (let turn = 0; turn < 500 && !isSettled; turn += 1) await clock.advance(turn === 0 ? 0 : 500)
    if (!isSettled) violations.push('something never came to its end')
    return isSettled ? promise : Promise.reject(new Error('It never came to its end.'))
  }

  async function signIn(tab: number, account: Account, consented: Scope): Promise<Grant> {
    const { grant, answer } = server.signIn(account, consented)
    const started = { monotonic: clock.monotonic(), wall: clock.now() }
    await settled(tabOf(tab).signIn(answer, { scope: scopes, started }))
    return grant
  }

  let current = await signIn(0, 'ann', scopes)
  for (const step of steps) {
    if (step.kind === 'call') calls.push({ step, grant: current, outcome: called(tabOf(step.tab), step) })
    else if (step.kind === 'wait') await clock.advance(step.milliseconds)
    else if (step.kind === 'sign_in') current = await signIn(step.tab, current.account, step.consented)
    else if (step.kind === 'change_account') {
      await settled(tabOf(step.tab).signOut())
      current = await signIn(step.tab, step.account, step.consented)
    } else {
      const other = current.account === 'ann' ? 'ben' : 'ann'
      const code = await signIn(step.tab, other, scopes).then(
        () => 'signed in',
        (error: OAuthError) => error.code,
      )
      if (code !== 'different_user') violations.push(`${other} came into the session of ${current.account}: ${code}`)
    }
    // Whatever has begun has seen in which session.
    await clock.advance(0)
  }

  const outcomes = await Promise.all(calls.map(({ outcome }) => settled(outcome).catch((error: OAuthError) => ({ error }))))
  for (const [index, call] of calls.entries()) {
    const problem = problemOf(call, outcomes[index] as Outcome, current)
    if (problem !== undefined) violations.push(`${JSON.stringify(call.step)} of ${call.grant.account}: ${problem}`)
  }
  const subject = tabOf(0).shown()?.idTokenClaims?.sub
  if ((await settled(tabOf(0).look())).record?.idTokenClaims?.sub !== current.account) violations.push(`the session is of ${subject}`)
  const served = outcomes.filter((outcome) => 'texts' in outcome).length
  return { violations, served, refused: outcomes.length - served, renewals: server.renewals() }
}

async function called(tab: TokenEngine, { resource, scope, renewing }: Call['step']): Promise<Outcome> {
  const wanted = scope === undefined ? { resource } : { resource, scope }
  try {
    const first = await tab.token(wanted)
    const second = renewing ? [await tab.token({ ...wanted, rejected: first })] : []
    return { texts: [first, ...second].map((token) => token.reveal()) }
  } catch (error) {
    return { error: error as OAuthError }
  }
}

/** What a token says of itself. */
interface Said {
  readonly grant: number
  readonly account: Account
  readonly resource: Resource
  readonly scope: readonly string[]
  readonly number: number
}

/** What is wrong with what a call got, if anything is. */
function problemOf({ step, grant }: Call, outcome: Outcome, last: Grant): string | undefined {
  const wanted = step.scope ?? []
  const may = resources[step.resource].filter((one) => grant.consented.includes(one))
  if ('error' in outcome) return refusalProblem(outcome.error, missingScope(may, wanted), grant !== last)
  const said = outcome.texts.map((text) => JSON.parse(text) as Said)
  for (const token of said) {
    if (token.account !== grant.account) return `it got a token of ${token.account}`
    if (token.grant !== grant.id) return 'it got a token of another session'
    if (token.resource !== step.resource) return `it got a token for ${token.resource}`
    if (missingScope(token.scope, wanted).length > 0) return `it got a token that has only ${token.scope.join(' ')}`
  }
  const [first, second] = said
  return first !== undefined && second !== undefined && second.number <= first.number ? 'it got a token that is no later one' : undefined
}

function refusalProblem(error: OAuthError, missing: readonly string[], isOver: boolean): string | undefined {
  if (error.code === 'scope_not_granted')
    return missing.length > 0 && missing.join() === error.missingScope?.join()
      ? undefined
      : `${error.missingScope?.join()} was called missing`
  const isAllowed = isOver && (error.code === 'session_changed' || error.code === 'sign_in_required')
  return isAllowed ? undefined : `it was refused with ${error.code ?? error.message}`
}
