import { element } from './dom.js'

interface Column {
  readonly name: string
  readonly words: string
}

interface Row {
  readonly name: string
  /** What should come of it; what comes otherwise is shown as bad. */
  readonly due: 'accepted' | 'refused'
}

/** Two things side by side. A row is one thing that is tried with both. */
export interface Comparison {
  readonly table: HTMLElement
  /** What an API answered. */
  answered(row: number, column: number, status: number): void
  say(row: number, column: number, words: string): void
  clear(): void
}

export function comparison(caption: string, columns: readonly [Column, Column], rows: readonly Row[]): Comparison {
  const cells = rows.map(() => columns.map(() => element('td')))
  const head = columns.map(({ name, words }) => element('th', { scope: 'col' }, name, element('small', { text: words })))
  const table = element(
    'table',
    { class: 'comparison' },
    element('caption', { text: caption }),
    element('thead', {}, element('tr', {}, element('td'), ...head)),
    element(
      'tbody',
      {},
      ...rows.map(({ name }, row) => element('tr', {}, element('th', { scope: 'row', text: name }), ...(cells[row] ?? []))),
    ),
  )
  const put = (row: number, column: number, content: Node | string): void => cells[row]?.[column]?.replaceChildren(content)
  const say: Comparison['say'] = (row, column, words) => put(row, column, element('span', { class: 'soft', text: words }))
  return {
    table,
    say,
    answered: (row, column, status) => {
      const words = status >= 200 && status < 300 ? 'accepted' : status === 401 ? 'refused' : status === 403 ? 'not granted' : 'failed'
      put(row, column, element('span', { class: words === rows[row]?.due ? 'state' : 'state no', text: `${status} ${words}` }))
    },
    clear: () => cells.forEach((line, row) => line.forEach((_, column) => say(row, column, '–'))),
  }
}

/** A lead, a button that does it, and what came of it. What goes wrong is said in place of the result. */
export function trial(
  place: HTMLElement,
  words: { readonly lead: string; readonly button: string },
  shown: Comparison,
  run: () => Promise<string>,
): void {
  const said = element('p', { class: 'soft', role: 'status' })
  const act = async (): Promise<void> => {
    said.textContent = ''
    try {
      said.textContent = await run()
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error)
    }
  }
  place.append(element('p', { text: words.lead }), element('button', { text: words.button, click: () => void act() }), shown.table, said)
}
