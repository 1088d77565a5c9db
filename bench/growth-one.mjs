// One row of `growth.mjs`, in a process of its own.
import { memoryStore, oauthFetch } from 'valetkey'
import { sessionIn } from './call-one.mjs'

const [, , where, size] = process.argv
let operations = 0
const memory = memoryStore()
const store =
  where === 'memory'
    ? memory
    : {
        get: (key) => ((operations += 1), memory.get(key)),
        replace: (key, seen, next) => ((operations += 1), memory.replace(key, seen, next)),
      }
const answer = new Response()
const stub = async () => answer
const make = async (account) => oauthFetch(await sessionIn(store, account), { resources: ['https://api.example.com/'], fetch: stub })

const url = 'https://api.example.com/x'
await (
  await make('first')
)(url)
globalThis.gc()
const before = process.memoryUsage().heapUsed
const apis = []
for (let index = 0; index < Number(size); index += 1) apis.push(await make(`account ${index}`))
for (const api of apis) await api(url)
globalThis.gc()
const bytes = (process.memoryUsage().heapUsed - before) / apis.length
const calls = 100_000
for (let index = 0; index < 10_000; index += 1) await apis[index % apis.length](url)
operations = 0
const began = performance.now()
for (let index = 0; index < calls; index += 1) await apis[index % apis.length](url)
const perSecond = calls / ((performance.now() - began) / 1_000)
console.log(JSON.stringify({ perSecond, bytes, operations: operations / calls }))
