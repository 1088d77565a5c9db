import { clock, element } from './dom.js'
import { type Happening, inWords, isTrouble } from './happenings.js'

/** What happened in words, newest first. */
export function journal(place: HTMLElement): (happening: Happening) => void {
  return (happening) => {
    const words = inWords(happening)
    if (words === undefined) return
    const parts = [
      element('time', { text: clock(happening.at) }),
      element('span', { class: 'tab', text: happening.tab }),
      element('span', { text: words }),
    ]
    place.prepend(element('li', isTrouble(happening) ? { class: 'bad' } : {}, ...parts))
    while (place.children.length > 80) place.lastElementChild?.remove()
  }
}
