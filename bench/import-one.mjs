// Prints how long an import takes, in milliseconds, in a process that has imported nothing yet.
import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , name] = process.argv
const own = { two: ['oauth4webapi', 'idb-keyval'], one: ['oauth4webapi'] }[name] ?? (name.startsWith('valetkey') ? [name] : undefined)
const fromPeers = createRequire(new URL('./peers/package.json', import.meta.url))
const urls = own ?? [pathToFileURL(isAbsolute(name) ? name : fromPeers.resolve(name)).href]
const began = performance.now()
for (const url of urls) await import(url)
console.log(performance.now() - began)
