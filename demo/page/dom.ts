type Child = Node | string
type Listener = () => void

interface Properties {
  readonly class?: string
  readonly text?: string
  readonly click?: Listener
  readonly [attribute: string]: string | boolean | Listener | undefined
}

/** An element with its attributes and children; `click` is a listener, `true` an attribute without a value. Text is text, never HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  const { text, click, ...attributes } = properties
  if (click !== undefined) made.addEventListener('click', click)
  if (text !== undefined) made.textContent = text
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

/** The same for SVG. */
export function drawn<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value))
  return made
}

/** An element of the page by its id. */
export function part(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}.`)
  return found
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}

function setAttributes(made: Element, attributes: Readonly<Record<string, unknown>>): void {
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    made.setAttribute(attribute, value === true ? '' : String(value))
  }
}
