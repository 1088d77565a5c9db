import type { Session } from '../../src/browser/index.js'
import type { PageCall } from '../servers/page.js'
import { element } from './dom.js'

interface Life {
  readonly bar: HTMLElement
  readonly left: HTMLElement
  expiresAt: number
  /** The longest that was seen: a token is not asked how long it was made for. */
  whole: number
}

export interface TokenLife {
  /** An API has been called, or a token has been made: look which token it has now. */
  look(api?: string): void
  clear(): void
}

/** A bar for each API's token. Only its end is read; the token itself is never shown. */
export function tokenLife(place: HTMLElement, none: HTMLElement, session: Session, calls: readonly PageCall[]): TokenLife {
  const lives = new Map<string, Life>()

  const show = (api: string, expiresAt: number): void => {
    const life = lives.get(api) ?? newLife(place, api)
    lives.set(api, life)
    none.hidden = true
    if (life.expiresAt === expiresAt) return
    life.expiresAt = expiresAt
    const now = Date.now()
    life.whole = Math.max(life.whole, expiresAt - now)
    draw(life, now)
  }
  const look = async (api: string): Promise<void> => {
    const resource = calls.find((call) => call.api === api)?.resource
    try {
      const { expiresAt } = await session.token(resource === undefined ? {} : { resource })
      if (expiresAt !== undefined) show(api, expiresAt)
    } catch {
      // The call that is under way says what is wrong.
    }
  }
  setInterval(() => {
    const now = Date.now()
    for (const life of lives.values()) draw(life, now)
  }, 250)
  return {
    look: (api) => {
      for (const known of api === undefined ? lives.keys() : [api]) void look(known)
    },
    clear: () => {
      lives.clear()
      place.replaceChildren()
      none.hidden = false
    },
  }
}

function newLife(place: HTMLElement, api: string): Life {
  const bar = element('span', { class: 'fill' })
  const left = element('span', { class: 'left' })
  const track = element('span', { class: 'track', 'aria-hidden': 'true' }, bar)
  place.append(element('li', {}, element('span', { class: 'name', text: api }), left, track))
  return { bar, left, expiresAt: 0, whole: 0 }
}

function draw({ bar, left, expiresAt, whole }: Life, now: number): void {
  const remaining = Math.max(0, expiresAt - now)
  const share = whole === 0 ? 0 : remaining / whole
  bar.style.transform = `scaleX(${share.toFixed(3)})`
  bar.classList.toggle('low', share < 0.2)
  left.textContent = remaining === 0 ? 'over; renewed at the next call' : `${Math.ceil(remaining / 1_000)} s`
}
