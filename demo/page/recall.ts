import type { Happening } from './happenings.js'

/** Keeps what happened for the way to the authorization server and back, on which this page is left. There is no token in it. */
export interface Recall {
  readonly earlier: readonly Happening[]
  readonly keep: (happening: Happening) => void
}

const place = 'happenings'
const age = 60_000

export function recall(): Recall {
  const earlier = read()
    .filter(({ at }) => at > Date.now() - age)
    .filter(isWhole)
  let kept = earlier
  addEventListener('pagehide', () => sessionStorage.setItem(place, JSON.stringify(kept.slice(-300))))
  return {
    earlier,
    keep: (happening) => {
      kept = [...kept.filter(({ at }) => at > happening.at - age), happening]
    },
  }
}

/** A call that the page left behind has no answer to come. */
function isWhole(happening: Happening, _place: number, all: readonly Happening[]): boolean {
  return happening.kind !== 'call' || all.some((other) => other.kind === 'answer' && other.id === happening.id)
}

function read(): readonly Happening[] {
  try {
    return JSON.parse(sessionStorage.getItem(place) ?? '[]') as Happening[]
  } catch {
    return []
  }
}
