// Opens a store and writes into it, and says what came of it: `open-store.js PLACE`.
import { fileStore } from '../../../src/node/file-store.js'

try {
  const store = await fileStore(process.argv[2] ?? '', { encryptionKey: process.env['STORE_KEY'] ?? '' })
  process.stdout.write(String(await store.replace('key', undefined, { version: '1', value: 'value' })))
} catch (error) {
  process.stdout.write(JSON.stringify({ ...(error as object), message: (error as Error).message }))
}
