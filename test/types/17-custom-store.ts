// A backend of one's own: DynamoDB-like conditional writes.
import { sealed, userSession, type Store, type Versioned } from 'valetkey'
declare const table: {
  get(key: string): Promise<Versioned | undefined>
  putIf(key: string, seen: string | undefined, next: Versioned | undefined): Promise<boolean>
}
const dynamo: Store = { get: (key) => table.get(key), replace: (key, seen, next) => table.putIf(key, seen, next) }
const store = sealed(dynamo, { encryptionKey: process.env['STORE_KEY']! })
export const session = userSession({ issuer: 'https://auth.example.com', clientId: 'x', store, account: 'u1' })
