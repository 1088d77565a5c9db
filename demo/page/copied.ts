import type { Session } from '../../src/browser/index.js'
import type { PageCall } from '../servers/page.js'
import { comparison, trial } from './comparison.js'

interface Parts {
  readonly session: Session
  readonly call: PageCall | undefined
  readonly fetch: typeof fetch
  /** The API has a token now. */
  readonly called: (api: string) => void
}

const columns = ['Bearer', 'DPoP'] as const
type Kind = (typeof columns)[number]
/** The statuses of both rows, for each kind of tokens that was tried. */
type Results = Partial<Record<Kind, readonly number[]>>
const [alone, whole] = [0, 1]

/** Makes a call, and sends what a log of it would have had: the token alone, and all of the call. Bound tokens are good for neither. */
export function copyTrial(place: HTMLElement, { session, call, fetch, called }: Parts): void {
  place.hidden = call === undefined
  if (call === undefined) return
  const { api, url, resource } = call
  const shown = comparison(
    'What an API answers to a copy',
    [
      { name: 'Bearer', words: 'Whoever has the token can use it.' },
      { name: 'Bound', words: 'Every call proves the browser’s key, once (DPoP).' },
    ],
    [
      { name: 'Token', due: 'refused' },
      { name: 'Whole call', due: 'refused' },
    ],
  )
  const show = (): void => {
    const results = remembered()
    columns.forEach((kind, column) =>
      [alone, whole].forEach((row) => {
        const status = results[kind]?.[row]
        if (status === undefined) shown.say(row, column, '–')
        else shown.answered(row, column, status)
      }),
    )
  }
  show()

  const run = async (): Promise<string> => {
    const token = await session.token(resource === undefined ? {} : { resource })
    const headers = await token.headersFor('GET', url)
    const { status } = await fetch(url, { headers })
    called(api)
    if (status !== 200) return `The call itself was answered with ${status}, so there is nothing to copy.`
    const statuses = [await fetch(url, { headers: { authorization: `Bearer ${token.reveal()}` } }), await fetch(url, { headers })]
    remember({ ...remembered(), [token.tokenType]: statuses.map((response) => response.status) })
    show()
    const other = columns.find((kind) => remembered()[kind] === undefined)
    if (other === undefined) return ''
    return `Sign out, and sign in ${other === 'DPoP' ? 'with' : 'without'} “Bind the tokens to this browser”, to try the other column.`
  }
  trial(
    place,
    { lead: 'Somebody finds a call of this page in a log, and sends its token, or all of it.', button: 'Send a copy' },
    shown,
    run,
  )
}

/** Signing in anew leaves this page; what was tried before is to be compared all the same. */
const memory = 'copied'

function remember(results: Results): void {
  sessionStorage.setItem(memory, JSON.stringify(results))
}

function remembered(): Results {
  try {
    return JSON.parse(sessionStorage.getItem(memory) ?? '{}') as Results
  } catch {
    return {}
  }
}
