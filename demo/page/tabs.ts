import type { Happening, Report } from './happenings.js'

/** This tab among the others of this page. They tell one another what they do, over a channel of the demo's own that no token enters. */
export interface Tabs {
  /** This tab's letter. */
  readonly name: string
  /** Says something to every tab, this one included. */
  readonly report: (report: Report) => void
}

type Message =
  | { readonly kind: 'who' }
  | { readonly kind: 'here'; readonly name: string }
  | { readonly kind: 'happened'; readonly happening: Happening }

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

export async function joinTabs(hear: (happening: Happening) => void): Promise<Tabs> {
  const channel = new BroadcastChannel('valetkey-demo')
  const send = (message: Message): void => channel.postMessage(message)
  const name = await freeLetter(channel, send)
  // A tab that comes back from the browser's memory finds its letter taken, perhaps; it keeps it all the same.
  sessionStorage.setItem('tab', name)
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'who') send({ kind: 'here', name })
    if (data.kind === 'happened') hear(data.happening)
  })
  return {
    name,
    report: (report) => {
      const happening = { ...report, tab: name }
      send({ kind: 'happened', happening })
      hear(happening)
    },
  }
}

/** The letter this tab had before it was reloaded, else the first that no other tab answers to. */
async function freeLetter(channel: BroadcastChannel, send: (message: Message) => void): Promise<string> {
  const taken = new Set<string>()
  const listen = ({ data }: MessageEvent<Message>): void => {
    if (data.kind === 'here') taken.add(data.name)
  }
  channel.addEventListener('message', listen)
  send({ kind: 'who' })
  await new Promise((resolve) => setTimeout(resolve, 120))
  channel.removeEventListener('message', listen)
  const own = sessionStorage.getItem('tab')
  if (own !== null && !taken.has(own)) return own
  return letters.find((letter) => !taken.has(letter)) ?? '?'
}
