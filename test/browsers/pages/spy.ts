// Another script of the same origin, which listens to whatever it can. It knows the names of the channels: they are in the open source.

export interface Spy {
  readonly heard: unknown[]
}

const heard: unknown[] = []
const record = (name: string, thing: unknown): void => void heard.push({ [name]: JSON.stringify(thing) })
const { channels } = (await (await fetch('/spy.json')).json()) as { readonly channels: readonly string[] }

for (const name of channels) new BroadcastChannel(name).addEventListener('message', ({ data }) => record(`broadcast ${name}`, data))
addEventListener('storage', ({ key, oldValue, newValue, url }) => record('storage', { key, oldValue, newValue, url }))
addEventListener('message', ({ data }) => record('message', data))
navigator.serviceWorker?.addEventListener('message', ({ data }) => record('from a service worker', data))

const locks = new Set<string>()
setInterval(() => {
  void navigator.locks.query().then(({ held = [], pending = [] }) => {
    for (const { name = '' } of [...held, ...pending]) if (!locks.has(name)) record('lock', [...locks.add(name)].at(-1))
  })
}, 5)

Object.assign(globalThis, { spy: { heard } satisfies Spy })
