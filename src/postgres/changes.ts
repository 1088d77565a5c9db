import { wrongOption } from '../core/option.js'
import { hasMethods } from '../stores/backend.js'
import { watchers } from '../stores/watchers.js'
import { isPool } from './query.js'

/** A connected `pg.Client`, or what `postgres()` returns. Not behind a transaction pooler, and no `pg.Pool`: who listens needs one connection. */
export type PostgresListener =
  | {
      query(text: string): Promise<unknown>
      on(event: 'notification', listener: (message: { channel: string; payload?: string | undefined }) => void): unknown
    }
  | { listen(channel: string, listener: (payload: string) => void): PromiseLike<unknown> }

/** Says which key of a table changed. */
export interface Changes {
  watch(key: string, changed: () => void): () => void
}

const known = new WeakMap<object, Map<string, Changes>>()

/** One for each connection and channel, however many stores are made over them. */
export function changesOf(listener: PostgresListener, channel: string): Changes {
  const listen = listenOf(listener, channel)
  const those = known.get(listener) ?? new Map<string, Changes>()
  known.set(listener, those)
  const made = those.get(channel) ?? changes(listen)
  those.set(channel, made)
  return made
}

type Listen = (tell: (key: string) => void) => PromiseLike<unknown>

/** Listens from the first watcher on, and to one channel, whoever comes and goes. */
function changes(listen: Listen): Changes {
  const watching = watchers()
  let listening: Promise<unknown> | undefined

  function begin(): Promise<unknown> {
    listening ??= Promise.resolve(listen(watching.tell)).catch((error: unknown) => {
      // A failure costs hints, until somebody watches anew.
      listening = undefined
      throw error
    })
    return listening
  }

  return {
    watch(key, changed) {
      const stop = watching.add(key, changed)
      // What was said until now was not heard.
      begin().then(
        () => watching.tell(key),
        () => {},
      )
      return stop
    },
  }
}

interface PostgresJs {
  listen(channel: string, listener: (payload: string) => void): PromiseLike<unknown>
}

interface Pg {
  query(text: string): Promise<unknown>
  on(event: 'notification', listener: (message: { readonly channel: string; readonly payload?: string }) => void): unknown
}

function listenOf(listener: unknown, channel: string): Listen {
  if (hasMethods(listener, 'listen')) {
    const sql = listener as PostgresJs
    return (tell) => sql.listen(channel, tell)
  }
  if (hasMethods(listener, 'query', 'on') && !isPool(listener)) {
    const pg = listener as Pg
    let attached = false
    return (tell) => {
      if (!attached) pg.on('notification', (message) => message.channel === channel && tell(message.payload ?? ''))
      attached = true
      return pg.query(`LISTEN "${channel}"`)
    }
  }
  throw wrongOption('listener', 'of postgresStore must be a connected Client of pg (no Pool), or what postgres() returns.')
}
