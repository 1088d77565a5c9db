import { drawn } from './dom.js'
import type { Happening } from './happenings.js'
import { type Call, type Lane, type Mark, type Renewal, lanesOf } from './lanes.js'

/** How much time is on the screen. */
const span = 60_000
const laneHeight = 48
const top = 18

export interface Timeline {
  (happening: Happening): void
  /** Says which tab is this one. */
  readonly own: (tab: string) => void
}

/** Draws one lane for each tab; time runs to the right, and now is the right edge. */
export function timeline(place: HTMLElement): Timeline {
  const svg = drawn('svg', { role: 'img', 'aria-label': 'What each tab did in the last minute. The list below says it in words.' })
  const ruler = drawn('g', {})
  const moving = drawn('g', {})
  const names = drawn('g', {})
  svg.append(ruler, moving, names)
  place.append(svg)

  let happenings: readonly Happening[] = []
  let own: string | undefined
  let width = 0
  /** Shapes stand where they belong at this time, and are moved from there. */
  let drawnAt = 0
  let stale = true

  const redraw = (now: number): void => {
    happenings = happenings.filter(({ at }) => at > now - span - 10_000)
    const lanes = lanesOf(happenings, own)
    const height = top + lanes.length * laneHeight
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
    svg.setAttribute('height', String(height))
    ruler.replaceChildren(...rulerOf(lanes.length, width))
    names.replaceChildren(...namesOf(lanes, own))
    const x = (at: number): number => width - ((now - at) / span) * width
    moving.replaceChildren(...lanes.flatMap((lane, row) => shapesOf(lane, top + (row + 0.5) * laneHeight, x, now)))
    drawnAt = now
    stale = lanes.some(isOpen)
  }
  everyFrame(() => {
    const now = Date.now()
    if (stale) redraw(now)
    moving.setAttribute('transform', `translate(${((drawnAt - now) / span) * width} 0)`)
  })
  new ResizeObserver(() => {
    width = place.clientWidth
    stale = true
  }).observe(place)
  const add = (happening: Happening): void => {
    happenings = [...happenings, happening]
    stale = true
  }
  return Object.assign(add, {
    own: (tab: string) => {
      own = tab
      stale = true
    },
  })
}

type X = (at: number) => number

function shapesOf(lane: Lane, middle: number, x: X, now: number): readonly SVGElement[] {
  return [
    ...lane.renewals.flatMap((renewal) => renewalShapes(renewal, middle - 6, x, now)),
    ...lane.calls.flatMap((call) => callShapes(call, middle + 11, x, now)),
    ...lane.marks.map((mark) => markShape(mark, middle, x)),
  ]
}

function callShapes({ label, stretches, until, good }: Call, y: number, x: X, now: number): readonly SVGElement[] {
  const lines = stretches
    // What a person cannot see was no waiting.
    .filter(({ kind, from, until: end = now }) => kind === 'travels' || end - from > 100)
    .map(({ kind, from, until: end = now }) => {
      const shape = drawn('line', { class: kind === 'waits' ? 'waiting' : 'call', x1: x(from), x2: x(end), y1: y, y2: y })
      return titled(shape, kind === 'waits' ? `${label} waits for a token` : label)
    })
  if (until === undefined) return lines
  return [...lines, good === true ? titled(drawn('circle', { class: 'dot', cx: x(until), cy: y, r: 3 }), label) : cross(x(until), y, label)]
}

function renewalShapes({ from, until, failed }: Renewal, y: number, x: X, now: number): readonly SVGElement[] {
  const end = x(until ?? now)
  const shape = drawn('rect', {
    class: failed === undefined ? 'renewal' : 'renewal failed',
    x: x(from) - 4,
    y: y - 5,
    width: end - x(from) + 8,
    height: 10,
    rx: 4,
  })
  return [titled(shape, 'renewal'), ...(failed === undefined ? [] : [cross(end + 9, y, failed)])]
}

function markShape({ kind, at, words }: Mark, middle: number, x: X): SVGElement {
  if (kind === 'refused') return cross(x(at), middle + 11, words)
  if (kind === 'adopted') return titled(drawn('path', { class: 'adopted', d: `M${x(at)} ${middle - 12}l6 6-6 6-6-6z` }), words)
  return titled(drawn('line', { class: kind, x1: x(at), x2: x(at), y1: middle - 18, y2: middle + 18 }), words)
}

function cross(x: number, y: number, words: string): SVGElement {
  return titled(drawn('path', { class: 'refused', d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` }), words)
}

function titled<S extends SVGElement>(shape: S, words: string): S {
  const title = drawn('title', {})
  title.textContent = words
  shape.append(title)
  return shape
}

/** The lanes' lines, and the marks of the time. */
function rulerOf(lanes: number, width: number): readonly SVGElement[] {
  const times = [15, 30, 45].flatMap((seconds) => {
    const x = width - (seconds / 60) * width
    return [
      drawn('line', { class: 'grid', x1: x, x2: x, y1: top, y2: top + lanes * laneHeight }),
      written(drawn('text', { class: 'time', x, y: 11, 'text-anchor': 'middle' }), `−${seconds} s`),
    ]
  })
  const lines = Array.from({ length: lanes }, (_, row) => {
    const y = top + row * laneHeight
    return drawn('line', { class: 'grid', x1: 0, x2: width, y1: y, y2: y })
  })
  return [...times, ...lines]
}

function namesOf(lanes: readonly Lane[], own: string | undefined): readonly SVGElement[] {
  return lanes.map(({ tab }, row) => {
    const name = drawn('text', { class: tab === own ? 'lane own' : 'lane', x: 0, y: top + row * laneHeight + 15 })
    return written(name, tab === own ? `Tab ${tab}, this one` : `Tab ${tab}`)
  })
}

function written(shape: SVGElement, words: string): SVGElement {
  shape.textContent = words
  return shape
}

function isOpen({ calls, renewals }: Lane): boolean {
  return [...calls, ...renewals].some(({ until }) => until === undefined)
}

/** Once a second where less motion is wanted. */
function everyFrame(run: () => void): void {
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  const next = (): void => {
    run()
    if (calm.matches) setTimeout(next, 1_000)
    else requestAnimationFrame(next)
  }
  next()
}
