import { type Challenge, OAuthError, type Session } from '../../src/browser/index.js'
import type { PageConfig } from '../servers/page.js'
import { element, part } from './dom.js'
import type { KeyBinding } from './key-binding.js'

export interface SessionPanel {
  /** Something went wrong; shown until the next sign-in. */
  fail(error: unknown): void
  /** Sends the user to the authorization server. */
  signIn(wish: { readonly scope?: readonly string[] } | Challenge): void
}

interface Parts {
  readonly session: Session
  readonly config: PageConfig
  readonly binding: KeyBinding
  /** A session whose tokens are bound to a key, or not. */
  readonly sessionWith: (bound: boolean) => Session
}

/** Sign in, choosing scopes and whether tokens are bound; afterwards what was granted against what was asked, and the way out. */
export function sessionPanel(parts: Parts): SessionPanel {
  const { session, binding, sessionWith } = parts
  const place = part('session')
  let failure: string | undefined

  const fail = (error: unknown): void => {
    failure = error instanceof OAuthError ? `${inWords(error.code)} (${error.code})` : String(error)
    render()
  }
  const signIn = (wish: { readonly scope?: readonly string[] } | Challenge, bound = binding.chosen): void => {
    failure = undefined
    remember(wish.scope ?? [])
    binding.choose(bound)
    const chosen = bound === binding.chosen ? session : sessionWith(bound)
    chosen.signIn(wish).catch(fail)
  }
  const render = (): void => {
    const { status, idTokenClaims } = session.snapshot()
    const name = idTokenClaims?.['name'] ?? idTokenClaims?.sub
    const words = {
      unknown: '…',
      signed_out: 'Signed out',
      signing_in: 'On the way',
      signed_in: typeof name === 'string' ? name : 'Signed in',
    }
    part('who').textContent = words[status]
    document.body.dataset['status'] = status
    if (status === 'unknown') return
    const { ended } = session.snapshot()
    const notice = failure ?? (ended === undefined ? undefined : endInWords[ended])
    const calm = failure === undefined && ended === 'signed_out'
    const said = notice === undefined ? [] : [element('p', { class: calm ? 'notice calm' : 'notice', role: 'alert', text: notice })]
    const signedIn = status === 'signed_in'
    part('session-title').textContent = signedIn ? 'What this page may do' : 'Lend this page a key'
    place.replaceChildren(...said, ...(signedIn ? granted(parts, signIn, fail) : asking(parts, signIn)))
  }
  session.subscribe(render)
  render()
  return { fail, signIn: (wish) => signIn(wish) }
}

type SignIn = (wish: { readonly scope?: readonly string[] }, bound?: boolean) => void

function asking({ config, binding }: Parts, signIn: SignIn): readonly Node[] {
  const boxes = config.scope.map(({ value, words, chosen }) => {
    const box = element('input', { type: 'checkbox', name: 'scope', value, checked: chosen })
    return { box, row: element('li', {}, element('label', {}, box, element('span', {}, words, element('code', { text: value })))) }
  })
  const bound = element('input', { type: 'checkbox', role: 'switch', checked: binding.chosen })
  const boundWords = 'DPoP: every call proves a key that never leaves it, and a copy of a token opens nothing.'
  const form = element(
    'form',
    {},
    element(
      'fieldset',
      {},
      element('legend', { text: 'What shall it open?' }),
      element('ul', { class: 'scopes' }, ...boxes.map(({ row }) => row)),
    ),
    element(
      'label',
      { class: 'switch' },
      bound,
      element('span', {}, 'Bind the tokens to this browser', element('small', { text: boundWords })),
    ),
    element('button', { class: 'primary', text: 'Sign in' }),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    signIn({ scope: boxes.filter(({ box }) => box.checked).map(({ box }) => box.value) }, bound.checked)
  })
  const lead = 'The page gets a token that opens what you choose and nothing else. You can take it back at any time.'
  return [element('p', { class: 'soft', text: lead }), form]
}

function granted({ session, config, binding }: Parts, signIn: SignIn, fail: (error: unknown) => void): readonly Node[] {
  const { grantedScope } = session.snapshot()
  const asked = [...new Set([...remembered(), ...grantedScope])]
  const missing = session.missingScope(asked)
  const rows = asked.map((value) => {
    const has = grantedScope.includes(value)
    const words = config.scope.find((known) => known.value === value)?.words ?? value
    const state = element('span', { class: has ? 'state' : 'state no', text: has ? 'granted' : 'not granted' })
    return element('li', {}, element('span', {}, words, element('code', { text: value })), state)
  })
  const signOut = (atAuthorizationServer: boolean) => () =>
    void session.signOut({ atAuthorizationServer, ...(atAuthorizationServer ? { returnTo: '/' } : {}) }).catch(fail)
  const kind = binding.chosen
    ? { state: 'bound', words: 'Every call proves a key of this browser (DPoP). A copy of a token opens nothing.' }
    : { state: 'bearer', words: 'Whoever has one of these tokens can use it.' }
  return [
    element('ul', { class: 'scopes granted' }, ...rows),
    element(
      'p',
      { class: 'kind' },
      element('span', { class: 'soft', text: kind.words }),
      element('span', { class: 'state', text: kind.state }),
    ),
    element(
      'div',
      { class: 'buttons' },
      ...(missing.length === 0
        ? []
        : [element('button', { class: 'primary', text: 'Ask for the rest', click: () => signIn({ scope: missing }) })]),
      element('button', { text: 'Sign out', click: signOut(false) }),
      element('button', { text: 'Sign out at the server too', click: signOut(true) }),
    ),
  ]
}

/** What was asked for is no secret; it is kept so that it can be compared after the way to the authorization server and back. */
function remember(scope: readonly string[]): void {
  const granting = document.body.dataset['status'] === 'signed_in' ? remembered() : []
  localStorage.setItem('valetkey-demo-asked', JSON.stringify([...new Set([...granting, ...scope])]))
}

function remembered(): readonly string[] {
  try {
    const asked: unknown = JSON.parse(localStorage.getItem('valetkey-demo-asked') ?? '[]')
    return Array.isArray(asked) ? asked.map(String) : []
  } catch {
    return []
  }
}

const endInWords = {
  signed_out: 'You signed out. The tokens are gone here and revoked at the server.',
  invalid_grant: 'The authorization server ended the session: what you allowed was taken back, or its time is over.',
  ambiguous_rotation: 'A renewal had no readable answer, and the server ended the session.',
  user_changed: 'Another user signed in.',
  key_lost: 'The browser lost the key of the stored session.',
  expired: 'The session is over.',
} as const

function inWords(code: OAuthError['code']): string {
  if (code === 'access_denied') return 'You allowed nothing, so there is no session.'
  if (code === 'cancelled') return 'You came back without signing in.'
  return 'That did not work.'
}
