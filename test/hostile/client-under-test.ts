import type { Stage } from './fault-authorization-server.js'

/** What a scenario says of the client that it is for. */
export interface Setting {
  readonly scope?: readonly string[]
  /** Milliseconds by which the client's clock is wrong. */
  readonly clockIsWrongBy?: number
  /** Its tokens are bound to a key (RFC 9449). */
  readonly dpop?: true
  /** It pushes its authorization requests (RFC 9126). */
  readonly pushed?: true
  /** It asks for signed authorization responses (JARM). */
  readonly signedResponses?: true
}

/** A client with one user and one API, made for one scenario. Methods reject as the client's own do. */
export interface ClientUnderTest {
  /** To the end: the user agent has been there and back, the code is redeemed. */
  signIn(): Promise<void>
  /** Calls a URL as an application would; resolves with the status. */
  call(url: string, init?: RequestInit): Promise<number>
  /** Uses the refresh token now. */
  renew(): Promise<void>
  /** Gets a token in its own right. */
  clientCredentials(): Promise<void>
  /** The time of this client goes on by so much. */
  pass?(milliseconds: number): Promise<void>
  /** What is looked at when it is over. */
  evidence(): Promise<Evidence>
}

export interface Evidence {
  /** What the client keeps: its tokens, nothing, or how its session ended. */
  readonly kept: string
  /** Waits of the client that nobody ended. */
  readonly pendingTimers: number
  /** Everything that a program could print, send or store of it. */
  readonly shown: Readonly<Record<string, unknown>>
}

export interface Kind {
  readonly name: string
  /** Milliseconds after which it gives up by the machine's own clock; absent where it never does, or has a clock of its own. */
  readonly givesUpAfter?: number
  start(stage: Stage, setting: Setting): Promise<ClientUnderTest>
}
