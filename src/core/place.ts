/** The page that a session lives in, as far as it has to do with it. Elsewhere there is none. */
export interface Place {
  /** Resolves when the user is looking at the page: one that is prerendered may never be seen, and redeems no code. */
  ready(): Promise<void>
  /** Whether it is shown inside a page of another origin, which may have framed it to make something of what it does. */
  isFramedByAnother(): boolean
  /** `undefined` where there is no page. */
  address(): URL | undefined
  /** In place of the present entry of the history, with that entry's state; nothing is loaded. */
  replaceAddress(url: URL): void
  /** Leaves the page. */
  navigate(url: URL): void
  /** Calls when time may have passed unnoticed: the page is visible again, was frozen, the network is back. Returns how to stop. */
  onWake(listener: () => void): () => void
  /** Whether somebody looks at it and there is a network, as far as is known: else what can wait had better wait. */
  isAttended(): boolean
}
