// What is said between a test and its processes: orders one way, answers the other. Nothing secret is in a command line.
import type { OAuthErrorCode } from '../../../src/core/errors.js'
import type { SessionEnd } from '../../../src/core/token-record.js'

export interface StoreOrder {
  readonly kind: 'redis' | 'ioredis' | 'pg' | 'postgres' | 'file'
  /** A URL, or the folder in which each account has a file store. */
  readonly at: string
  readonly encryptionKey: string
  /** With a second connection, over which changes are told. */
  readonly watched?: boolean
}

export interface SourceOrder {
  readonly store: StoreOrder
  /** The authorization server, as the options of a source name it. */
  readonly server: { readonly issuer: string } | { readonly authorizationServer: { readonly issuer: string } & Record<string, unknown> }
  readonly clientId: string
  /** Then the tokens are the application's own; else they are those of the accounts' sessions. */
  readonly clientSecret?: string
  readonly accounts: readonly string[]
  readonly scope?: readonly string[]
  readonly resource?: string
  readonly deadlineSeconds?: number
  /** Its tokens are bound to a key (RFC 9449). */
  readonly dpop?: boolean
  /** By how much this process's wall clock is wrong, in milliseconds. */
  readonly clockOffset?: number
}

/** Where a process dies: each place at which the renewal path hands over to a port, before, meanwhile and after. */
export const killPoints = [
  'before_look',
  'after_look',
  'before_mark',
  'during_mark',
  'after_mark',
  'before_send',
  'request_out',
  'after_answer',
  'before_commit',
  'during_commit',
  'after_commit',
] as const
export type KillPoint = (typeof killPoints)[number]

/** What a call for a token came to. */
export type Outcome =
  | { readonly ok: true; readonly milliseconds: number; /** Tells tokens apart. */ readonly token: string }
  | {
      readonly ok: false
      readonly milliseconds: number
      readonly code: OAuthErrorCode | 'aborted'
      readonly message: string
      readonly ended?: SessionEnd
    }

export interface Counts {
  /** Calls of the API by status, as the caller saw them. */
  readonly statuses: Readonly<Record<string, number>>
  /** Calls that failed, by code. */
  readonly failures: Readonly<Record<string, number>>
  /** Answers of 401 that `oauthFetch` got, repaired or not. */
  readonly rejections: number
  /** Token requests that this process made and that were answered with tokens. */
  readonly renewals: number
}

/** What a process can be told to do. */
export interface Orders {
  open(order: SourceOrder): Promise<void>
  /** A token; with `rejected`, a later one than this process had last. `tries` goes on until that many milliseconds are over, through what passes by itself. */
  token(account: string, how?: { readonly rejected?: boolean; readonly abortAfter?: number; readonly triesFor?: number }): Promise<Outcome>
  /** Calls the API again and again, each call so many milliseconds after the one before. */
  call(api: string, pause: number): Promise<void>
  /** Calls the API a few times: a process is slow at what it does first. */
  warmUp(api: string): Promise<void>
  /** Asks for tokens again and again. */
  ask(pause: number): Promise<void>
  /** Renews again and again, until it is killed. */
  renewOn(account: string): Promise<void>
  /** Ends what goes on, and counts. */
  stop(): Promise<Counts>
  /** The keys of the records that were written or read. */
  keys(): Promise<readonly string[]>
  /** The next time that the renewal comes there, this process kills itself. */
  dieAt(point: KillPoint): Promise<void>
  /** Begins a call for a token and does not wait for it. */
  begin(account: string, how?: { readonly rejected?: boolean }): Promise<void>
  subscribe(account: string): Promise<void>
  /** Closes the connections of its own to the store, and to the test: nothing else may keep the process alive. */
  close(): Promise<void>
}
export interface Order {
  readonly id: number
  readonly name: keyof Orders
  readonly parameters: readonly unknown[]
}
export type Answer = { readonly id: number; readonly result?: unknown } | { readonly id: number; readonly failed: string }
