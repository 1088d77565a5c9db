// A backend of one's own: DynamoDB-like conditional writes.
import { sealed, type Store, type Versioned } from 'valetkey'
declare const table: {
  get(key: string): Promise<Versioned | undefined>
  putIf(key: string, seen: string | undefined, next: Versioned | undefined): Promise<boolean>
}
const dynamo: Store = { get: (key) => table.get(key), replace: (key, seen, next) => table.putIf(key, seen, next) }
export const store: Store = sealed(dynamo, { encryptionKey: process.env['STORE_KEY']! })
