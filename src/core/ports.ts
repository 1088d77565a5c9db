// What valetkey asks of the world around it. Each port is one to three functions; adapters are picked by import.

/** Compare-and-set over text. A backend of your own implements `get` and `replace`; wrap it in `sealed`. */
export interface Store {
  get(key: string): Promise<Versioned | undefined>
  /** Puts `next` where `seen` is. Resolves `false`, having changed nothing, when the store holds another version. */
  replace(key: string, seen: string | undefined, next: Versioned | undefined): Promise<boolean>
  /** Calls `changed` when the value may have changed; a hint, after which the reader looks for itself. Returns how to stop. */
  watch?(key: string, changed: () => void): () => void
}

/** A value of a store, and which write it is of. */
export interface Versioned {
  /** Fresh and unguessable on every write. */
  readonly version: string
  readonly value: string
  /** From then on (milliseconds since the epoch) the store may forget it. */
  readonly expiresAt?: number
}

/** Runs one at a time per name. It saves work; what keeps renewals apart is the mark in the record. `signal` ends the waiting, never what runs. */
export interface Lock {
  <T>(name: string, run: () => Promise<T>, options?: { readonly signal?: AbortSignal }): Promise<T>
  /** Nothing but the holder's end releases it early: a mark found under it is a dead sender's. */
  readonly releasedOnlyByDeath?: boolean
}

/** All time that valetkey knows: lifetimes, deadlines, back-off, polling. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never go back. */
  monotonic(): number
  /** Resolves after so many milliseconds of `monotonic`; rejects with the signal's reason. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** How a user gets to the authorization server and the response back: redirect, popup, loopback, your own. */
export interface UserAgent {
  /** Makes itself ready, asks for the request with its redirect URI, sends the user there, resolves with the authorization response's URL. */
  authorize(
    request: (redirectUri: string) => Promise<URL>,
    options: { readonly redirectUri?: string; readonly signal?: AbortSignal },
  ): Promise<URL>
}

/** A sign-in on another device; made by `deviceAuthorization` and `backchannelAuthentication`. */
export interface DecoupledSignIn {
  readonly grant: 'device_code' | 'ciba'
}
