import type { CDPSession, Page } from 'playwright-core'

/** What developer tools could be shown of an object. */
interface Remote {
  readonly objectId?: string
}

/**
 * Everything that somebody sees who has these things of a page printed: as text, copied, thrown, in an event, and on the console, where each object is
 * opened as far as it goes. Only the scopes of functions are left closed, which whoever has the developer tools open can look into (attack 50).
 *
 * @param expression in the page, comes to an object whose members are printed
 */
export async function printedInPage(tab: Page, expression: string): Promise<string> {
  const cdp = await tab.context().newCDPSession(tab)
  const logged: { readonly args: readonly Remote[] }[] = []
  cdp.on('Runtime.consoleAPICalled', (call) => void logged.push(call))
  await cdp.send('Runtime.enable')
  const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
    expression: `(${String(print)})(${expression})`,
    awaitPromise: true,
  })
  if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
  const texts = [JSON.stringify(logged)]
  const seen = new Set<string>()
  for (const remote of [result, ...logged.flatMap(({ args }) => args)]) await open(cdp, remote, 0, texts, seen)
  await cdp.detach()
  return texts.join('\n')
}

const deepest = 7
/** Prototypes are the language's and the browser's: objects of the library are made without classes. */
const closed = /^\[\[(?:Scopes|FunctionLocation|Prototype)\]\]$/

async function open(cdp: CDPSession, { objectId }: Remote, depth: number, texts: string[], seen: Set<string>): Promise<void> {
  if (objectId === undefined || depth > deepest) return
  const all = await cdp.send('Runtime.getProperties', { objectId, ownProperties: true, generatePreview: true })
  const { result, internalProperties = [], privateProperties = [] } = all
  const members = [...result, ...privateProperties, ...internalProperties.filter(({ name }) => !closed.test(name))]
  const text = JSON.stringify(members.map(({ name, value }) => [name, value?.value, value?.description, value?.preview]))
  texts.push(text)
  // What looks the same was opened before.
  if (seen.has(text)) return
  seen.add(text)
  for (const { value } of members) if (value !== undefined) await open(cdp, value, depth + 1, texts, seen)
}

/** Runs in the page; it needs nothing from outside of itself. Resolves with what came of it. */
async function print(given: Promise<Readonly<Record<string, unknown>>>): Promise<unknown> {
  const attempted = (run: () => unknown): unknown => {
    try {
      return run()
    } catch (error) {
      return error
    }
  }
  const things = await given
  const made = Object.entries(things).map(([name, thing]) => {
    console.log(name, thing)
    console.dir(thing)
    console.table([thing])
    return [
      name,
      thing,
      attempted(() => `shown: ${thing as string}`),
      attempted(() => JSON.stringify(thing)),
      attempted(() => JSON.stringify({ thing }, undefined, 2)),
      attempted(() => structuredClone(thing)),
      new Error('of a program', { cause: thing }),
      new CustomEvent('of-a-program', { detail: thing }),
      attempted(() => new MessageEvent('message', { data: structuredClone(thing) })),
    ]
  })
  return { made }
}
