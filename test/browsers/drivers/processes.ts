import { readFileSync, readdirSync } from 'node:fs'

/** How the processes that run pages are called: Chromium's, Firefox's, WebKit's. */
const runsPages = [/--type=renderer/, /-contentproc.*\btab$/, /WebKitWebProcess/]

/** Stops the processes that run the pages of a browser. Returns how to let them go on. */
export function freeze(browser: number): () => void {
  const pages = descendantsOf(browser).filter(({ line }) => runsPages.some((pattern) => pattern.test(line)))
  if (pages.length === 0) throw new Error('The browser has no process that runs pages.')
  const tell = (signal: NodeJS.Signals) => {
    for (const { pid } of pages) {
      try {
        process.kill(pid, signal)
      } catch {
        // It has ended.
      }
    }
  }
  tell('SIGSTOP')
  return () => tell('SIGCONT')
}

interface Running {
  readonly pid: number
  readonly parent: number
  readonly line: string
}

function descendantsOf(ancestor: number): readonly Running[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): readonly Running[] => {
      try {
        // The name of the program, in parentheses, may have spaces.
        const [, parent = ''] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
        return [
          { pid: Number(name), parent: Number(parent), line: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() },
        ]
      } catch {
        return []
      }
    })
  const found: Running[] = []
  for (let parents = [ancestor]; parents.length > 0;) {
    const children = all.filter(({ parent }) => parents.includes(parent))
    found.push(...children)
    parents = children.map(({ pid }) => pid)
  }
  return found
}
