import type { Session } from '../../src/browser/index.js'
import type { PageCall, PageConfig } from '../servers/page.js'
import { element, part } from './dom.js'

/** The network as this page has it: it can be cut. */
export interface Network {
  readonly fetch: typeof fetch
  offline: boolean
}

export function network(): Network {
  const made = {
    offline: false,
    fetch: (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
      made.offline ? Promise.reject(new TypeError('This page is offline: you switched it off.')) : fetch(input, init),
  }
  return made
}

export interface TroublePanel {
  /** Asks the servers what they have seen; seldom, however often it is called. */
  look(): void
  /** Has the authorization server revoke every access token. */
  readonly revokeTokens: () => Promise<void>
}

interface Seen {
  readonly tokenEndpointDown: boolean
  readonly tokenEndpointSlow: boolean
  readonly seen: { readonly tokenRequests: number; readonly refreshes: number; readonly reuses: number; readonly grantsRevoked: number }
}

/** Switches and buttons that break something, to see what the session makes of it. */
export function troublePanel(session: Session, config: PageConfig, cut: Network): TroublePanel {
  const place = part('trouble')
  const down = toggle('Stop the token endpoint', 'It answers 503 to everybody.', (checked) => void change({ tokenEndpointDown: checked }))
  const slow = toggle(
    'Slow the token endpoint down',
    'It answers after three seconds: see who waits.',
    (checked) => void change({ tokenEndpointSlow: checked }),
  )
  const offline = toggle('Take this tab off the network', 'Nothing leaves it, renewals neither.', (checked) => (cut.offline = checked))
  place.append(
    ...(config.trouble ? [down.row, slow.row] : []),
    offline.row,
    deed('Expire the tokens now', 'The session takes its tokens as refused and renews them.', () => expire(session, config.calls)),
    ...(config.trouble
      ? [
          deed('Refuse this token', 'The API answers 401 to the token of the next call.', () => change({ refuse: 'token' })),
          deed('Revoke the access tokens', 'At the server, of every tab. A call that is refused gets a new one.', () => revokeTokens()),
          deed('Take back the consent', 'At the server. The next renewal ends the session.', () => change({ revoke: 'grants' })),
        ]
      : []),
    deed('Open a second tab', 'It shares the session: one of them renews for both.', () => void open('/', '_blank', 'noopener')),
  )

  let asked = false
  const look = (): void => {
    if (!config.trouble || asked) return
    asked = true
    setTimeout(() => {
      asked = false
      void read()
    }, 400)
  }
  const read = async (wish?: object): Promise<void> => {
    const init = wish === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) }
    const state = (await (await fetch('/trouble', init)).json()) as Seen
    down.box.checked = state.tokenEndpointDown
    slow.box.checked = state.tokenEndpointSlow
    showSeen(state)
  }
  const change = (wish: object): Promise<void> => read(wish)
  const revokeTokens = (): Promise<void> => change({ revoke: 'access_tokens' })
  look()
  return { look, revokeTokens }
}

/** What `token({ rejected })` is for: only a later token answers. */
async function expire(session: Session, calls: readonly PageCall[]): Promise<void> {
  const resources = new Set(calls.map(({ resource }) => resource))
  for (const resource of resources) {
    const target = resource === undefined ? {} : { resource }
    await session.token({ ...target, rejected: await session.token(target) })
  }
}

function showSeen({ seen }: Seen): void {
  const place = part('seen')
  place.hidden = false
  const facts = [
    ['requests at the token endpoint', seen.tokenRequests],
    ['renewals', seen.refreshes],
    ['refresh tokens used twice', seen.reuses],
  ] as const
  place.replaceChildren(
    ...facts.map(([words, count]) => element('div', {}, element('dt', { text: words }), element('dd', { text: String(count) }))),
  )
}

function toggle(
  label: string,
  words: string,
  change: (checked: boolean) => void,
): { readonly row: HTMLElement; readonly box: HTMLInputElement } {
  const box = element('input', { type: 'checkbox', role: 'switch' })
  box.addEventListener('change', () => change(box.checked))
  return { row: element('label', { class: 'switch' }, box, element('span', {}, label, element('small', { text: words }))), box }
}

function deed(label: string, words: string, run: () => Promise<void> | void): HTMLElement {
  const said = element('small', { text: words })
  const act = async (): Promise<void> => {
    try {
      await run()
      said.textContent = words
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error)
    }
  }
  return element('div', { class: 'deed' }, element('button', { text: label, click: () => void act() }), said)
}
