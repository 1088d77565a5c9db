import { type Session, browserSession, oauthFetch } from '../../src/browser/index.js'
import type { PageConfig } from '../servers/page.js'
import { callPanel } from './calls.js'
import { copyTrial } from './copied.js'
import { part } from './dom.js'
import type { Happening } from './happenings.js'
import { journal } from './journal.js'
import { keyBinding } from './key-binding.js'
import { recall } from './recall.js'
import { revocationTrial } from './revoked.js'
import { sessionPanel } from './session-panel.js'
import { joinTabs } from './tabs.js'
import { timeline } from './timeline.js'
import { tokenLife } from './token-life.js'
import { network, troublePanel } from './trouble.js'

const config = (await (await fetch('/config.json')).json()) as PageConfig

// The timeline: what this tab and the others say about themselves, and what was said before the way to the authorization server.
const drawLane = timeline(part('lanes'))
const write = journal(part('journal'))
const memory = recall()
const show = (happening: Happening): void => {
  drawLane(happening)
  write(happening)
}
const heard = (happening: Happening): void => {
  memory.keep(happening)
  show(happening)
  reactions.forEach((react) => react(happening))
}
const reactions: ((happening: Happening) => void)[] = []
memory.earlier.forEach(show)
const tabs = await joinTabs(heard)
drawLane.own(tabs.name)
part('tab').textContent = tabs.name

// The product: a session, and a fetch that carries its token.
const cut = network()
const binding = keyBinding()
const sessionWith = (dpop: boolean): Session =>
  browserSession({
    issuer: config.issuer,
    clientId: config.clientId,
    redirectUri: '/callback',
    scope: config.scope.map(({ value }) => value),
    dpop,
    fetch: cut.fetch,
    observe: (event) => tabs.report({ kind: 'event', at: event.at, event }),
  })
const session = sessionWith(binding.chosen)
const targets = config.calls.map(({ url, resource }) => [url, resource === undefined ? {} : { resource }] as const)
const api = oauthFetch(session, { resources: Object.fromEntries(targets), fetch: cut.fetch })

// The page around it.
const panel = sessionPanel({ session, config, binding, sessionWith })
const trouble = troublePanel(session, config, cut)
const life = tokenLife(part('tokens'), part('no-tokens'), session, config.calls)
const called = (name: string): void => life.look(name)
const { calls } = config
revocationTrial(part('revoked'), { session, calls, fetch: cut.fetch, revoke: trouble.revokeTokens, called })
copyTrial(part('copied'), { session, call: calls.find(({ method }) => method === 'GET'), fetch: cut.fetch, called })
callPanel({ calls, api, report: tabs.report, called, signIn: panel.signIn })

reactions.push((happening) => {
  if (happening.kind !== 'event') return
  const { type } = happening.event
  trouble.look()
  if (type === 'session_ended') life.clear()
  if ((type === 'renewal_finished' || type === 'renewal_adopted') && happening.tab === tabs.name) life.look()
})

try {
  await session.resume()
} catch (error) {
  // The response was no good; a session that is stored still is.
  panel.fail(error)
  await session.resume().catch(panel.fail)
}
