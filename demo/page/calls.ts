import { type Challenge, OAuthError, challengeOf } from '../../src/browser/index.js'
import type { PageCall } from '../servers/page.js'
import { element, part } from './dom.js'
import type { Report } from './happenings.js'

interface Parts {
  readonly calls: readonly PageCall[]
  /** The `fetch` that carries the token. */
  readonly api: typeof fetch
  readonly report: (report: Report) => void
  /** The call is over; its API has a token now. */
  readonly called: (api: string) => void
  readonly signIn: (challenge: Challenge) => void
}

/** The buttons that call the APIs, and what they answered. */
export function callPanel(parts: Parts): void {
  const { calls } = parts
  const buttons = calls.map((call) => element('button', { text: call.label, click: () => void run(parts, call, 'aloud') }))
  const [first] = calls
  if (first !== undefined) buttons.push(element('button', { text: 'Ten at once', click: () => void ten(parts, first) }))
  part('calls').append(...buttons)
  repeat(() => {
    for (const call of calls) if (call.method === 'GET') void run(parts, call, 'quiet')
  })
}

async function ten(parts: Parts, call: PageCall): Promise<void> {
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => run(parts, call, 'quiet')))
  const lines = [...new Set(outcomes)].map((outcome) => `${outcomes.filter((other) => other === outcome).length} × ${outcome}`)
  show(
    'Ten at once',
    lines.join(', '),
    outcomes.every((outcome) => outcome.startsWith('2')),
    '',
  )
}

function repeat(run: () => void): void {
  const box = part('repeat') as HTMLInputElement
  let timer: ReturnType<typeof setInterval> | undefined
  box.addEventListener('change', () => {
    clearInterval(timer)
    if (!box.checked) return
    run()
    timer = setInterval(() => {
      if (document.body.dataset['status'] === 'signed_in') run()
    }, 2_000)
  })
}

/** Calls, reports, and resolves with the status or the error's code. Quietly, only a failure is shown. */
async function run({ api, report, called, signIn }: Parts, call: PageCall, voice: 'aloud' | 'quiet'): Promise<string> {
  const id = crypto.randomUUID()
  const { label } = call
  const answered = (outcome: string, good: boolean): string => {
    report({ kind: 'answer', at: Date.now(), id, label, outcome, good, quiet: voice === 'quiet' })
    return outcome
  }
  report({ kind: 'call', at: Date.now(), id, label })
  try {
    const response = await api(call.url, { method: call.method, ...(call.body === undefined ? {} : { body: call.body }) })
    const text = await response.text()
    const outcome = answered(String(response.status), response.ok)
    if (voice === 'aloud' || !response.ok) show(label, outcome, response.ok, pretty(text), ...offer(challengeOf(response), signIn))
    if (response.ok) called(call.api)
    return outcome
  } catch (error) {
    const outcome = answered(error instanceof OAuthError ? error.code : 'network', false)
    show(label, outcome, false, error instanceof Error ? error.message : String(error))
    return outcome
  }
}

/** What the API asks for, the authorization server can be asked for. */
function offer(challenge: Challenge | undefined, signIn: (challenge: Challenge) => void): readonly HTMLElement[] {
  if (challenge?.scope === undefined) return []
  return [element('button', { class: 'primary', text: `Ask for ${challenge.scope.join(', ')}`, click: () => signIn(challenge) })]
}

function show(label: string, outcome: string, good: boolean, body: string, ...offers: readonly HTMLElement[]): void {
  const head = element('p', {}, element('strong', { text: label }), element('span', { class: good ? 'state' : 'state no', text: outcome }))
  part('result').replaceChildren(head, ...(body === '' ? [] : [element('pre', { text: body.slice(0, 600) })]), ...offers)
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
