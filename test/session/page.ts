import { onTestFinished } from 'vitest'
import type { Page } from '../../src/browser/page.js'

/** A page as a session sees it, with the user's hands on it. */
export interface FakePage extends Page {
  /** The addresses that took the present one's place, in order. */
  readonly replaced: readonly string[]
  /** Where the page was left for. */
  readonly navigations: readonly string[]
  /** The next time that it is left, for where. */
  left(): Promise<URL>
  /** The user comes Back to this very page, which was kept as it was. */
  comeBack(): void
  /** The page is looked at again. */
  wake(): void
  /** Whether the user looks at it; at first, yes. */
  attended: boolean
  /** It is loaded without being looked at, until `show`. */
  prerender(): void
  /** A page of another origin shows it in a frame. */
  frame(): void
  show(): void
}

export function fakePage(start: URL): FakePage {
  let address = start
  const replaced: string[] = []
  const navigations: string[] = []
  const restored = new Set<() => void>()
  const wakes = new Set<() => void>()
  let leaving: (url: URL) => void = () => {}
  let shown: Promise<void> = Promise.resolve()
  let show = () => {}
  let framed = false
  onTestFinished(() => show())
  const page: FakePage = {
    attended: true,
    isAttended: () => page.attended,
    ready: () => shown,
    isFramedByAnother: () => framed,
    address: () => new URL(address),
    origin: () => address.origin,
    replaceAddress: (url) => {
      if (url.origin !== address.origin)
        throw new DOMException('A history state object with another origin cannot be created.', 'SecurityError')
      address = new URL(url)
      replaced.push(url.href)
    },
    navigate: (url) => {
      navigations.push(url.href)
      leaving(url)
    },
    onRestored: (listener) => {
      restored.add(listener)
      return () => void restored.delete(listener)
    },
    onWake: (listener) => {
      wakes.add(listener)
      return () => void wakes.delete(listener)
    },
    replaced,
    navigations,
    left: () => new Promise((resolve) => (leaving = resolve)),
    comeBack: () => restored.forEach((listener) => listener()),
    wake: () => wakes.forEach((listener) => listener()),
    prerender: () => {
      shown = new Promise((resolve) => (show = resolve))
    },
    show: () => show(),
    frame: () => {
      framed = true
    },
  }
  return page
}
