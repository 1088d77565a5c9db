import { browserSession, oauthFetch } from '../../src/browser/index.js'
import type { PageConfig } from '../servers/page.js'
import { callPanel } from './calls.js'
import { part } from './dom.js'
import type { Happening } from './happenings.js'
import { journal } from './journal.js'
import { sessionPanel } from './session-panel.js'
import { joinTabs } from './tabs.js'
import { timeline } from './timeline.js'
import { tokenLife } from './token-life.js'
import { network, troublePanel } from './trouble.js'

const config = (await (await fetch('/config.json')).json()) as PageConfig

// The timeline: what this tab and the others say about themselves.
const write = journal(part('journal'))
const early: Happening[] = []
let draw = (happening: Happening): void => void early.push(happening)
const tabs = await joinTabs((happening) => draw(happening))
const drawLane = timeline(part('lanes'), tabs.name)
part('tab').textContent = tabs.name

// The product: a session, and a fetch that carries its token.
const cut = network()
const session = browserSession({
  issuer: config.issuer,
  clientId: config.clientId,
  redirectUri: '/callback',
  scope: config.scope.map(({ value }) => value),
  fetch: cut.fetch,
  observe: (event) => tabs.report({ kind: 'event', at: event.at, event }),
})
const targets = config.calls.map(({ url, resource }) => [url, resource === undefined ? {} : { resource }] as const)
const api = oauthFetch(session, { resources: Object.fromEntries(targets), fetch: cut.fetch })

// The page around it.
const panel = sessionPanel(session, config)
const trouble = troublePanel(session, config, cut)
const life = tokenLife(part('tokens'), part('no-tokens'), session, config.calls)
callPanel({ calls: config.calls, api, report: tabs.report, called: (name) => life.look(name), signIn: panel.signIn })

draw = (happening) => {
  drawLane(happening)
  write(happening)
  if (happening.kind !== 'event') return
  trouble.look()
  if (happening.event.type === 'session_ended') life.clear()
  if (['renewal_finished', 'renewal_adopted'].includes(happening.event.type) && happening.tab === tabs.name) life.look()
}
for (const happening of early) draw(happening)

session.resume().catch(panel.fail)
