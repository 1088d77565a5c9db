// Prints how long an import takes, in milliseconds, in a process that has imported nothing yet.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [, , name] = process.argv
const own = { two: ['oauth4webapi', 'idb-keyval'], one: ['oauth4webapi'] }[name] ?? (name.startsWith('valetkey') ? [name] : undefined)
const urls = own ?? [pathToFileURL(createRequire(new URL('./peers/package.json', import.meta.url)).resolve(name)).href]
const began = performance.now()
for (const url of urls) await import(url)
console.log(performance.now() - began)
