// Counts up by compare-and-set, and says each count when it is stored: `count.js PLACE TIMES KEY…`. Times 0 is for ever.
import { randomUUID } from 'node:crypto'
import { fileStore } from '../../../src/node/file-store.js'

const [place = '', times = '', ...keys] = process.argv.slice(2)
const store = await fileStore(place, { encryptionKey: process.env['STORE_KEY'] ?? '' })
for (let round = 0; times === '0' || round < Number(times); round += 1) {
  for (const key of keys) process.stdout.write(`${key} ${await countUp(key)}\n`)
}

async function countUp(key: string): Promise<number> {
  for (;;) {
    const held = await store.get(key)
    if (held?.value === '') throw new Error('A record that is whole was read as unreadable.')
    const next = Number(held?.value ?? 0) + 1
    if (await store.replace(key, held?.version, { version: randomUUID(), value: String(next) })) return next
  }
}
