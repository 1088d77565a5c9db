import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startApi } from '../servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../servers/authorization-server.js'
import type { StageParts } from '../stage.js'
import { startRedis } from './redis.js'
import { type Screen, screenOn } from './screen.js'
import { type Message, type Tally, counted, nothingYet, sum, table } from './tally.js'

const usage = 'Usage: npm run demo:fleet -- [--seconds N]'
const workers = 8
const accessTokenSeconds = 10
const revocationSeconds = 15

/** An authorization server, an API and a Redis, eight workers that share one token, and a table of what they do. */
export async function run({ program, parameters, signal }: StageParts): Promise<number> {
  const seconds = readSeconds(parameters)
  if (seconds === undefined) {
    console.error(usage)
    return 2
  }
  const redis = await startRedis()
  if (redis === undefined) {
    console.error('The workers share their token through Redis, and there is no redis-server (or valkey-server) on the PATH.')
    console.error('Install one and start again: apt-get install redis-server, or brew install redis.')
    return 1
  }
  const clientSecret = randomBytes(24).toString('base64url')
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'fleet', clientSecret, grants: ['client_credentials'] }],
    accessTokenSeconds,
  })
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
  const environment = {
    ISSUER: server.issuer,
    API: api.origin,
    REDIS: redis.url,
    CLIENT_SECRET: clientSecret,
    STORE_KEY: randomBytes(32).toString('base64'),
  }
  const screen = screenOn(process.stdout)
  try {
    screen.say(`${workers} processes of demo/fleet/worker.ts share one token through Redis ${redis.url}.`)
    screen.say(
      `It lives ${accessTokenSeconds} seconds, and every ${Math.min(revocationSeconds, seconds / 2)} seconds all tokens are revoked.`,
    )
    screen.say(seconds === Infinity ? 'Ctrl-C stops it.\n' : `It stops after ${seconds} seconds, or by Ctrl-C.\n`)
    return await watch({ fleet: startFleet(program, environment, screen), server, screen, seconds, signal })
  } finally {
    await Promise.all([server.close(), api.close()])
    await redis.close()
  }
}

interface Fleet {
  readonly tallies: readonly Tally[]
  /** Rejects when a worker ends that was not told to. */
  readonly broken: Promise<never>
  stop(): Promise<void>
}

function startFleet(program: string, environment: Readonly<Record<string, string>>, screen: Screen): Fleet {
  const tallies = Array.from({ length: workers }, () => nothingYet)
  let stopping = false
  const children = tallies.map((_, index) => {
    const child = fork(program, { env: { ...process.env, ...environment } })
    child.on('message', (message: Message) => {
      tallies[index] = counted(tallies[index] ?? nothingYet, message)
      if (message.type === 'renewal_finished')
        screen.say(`${time()} worker ${index + 1} renewed the token, in ${Math.round(message.tookMilliseconds)} ms`)
      if (message.type === 'renewal_failed') screen.say(`${time()} worker ${index + 1} could not renew the token: ${message.code}`)
    })
    return child
  })
  const ends = children.map((child) => once(child, 'exit'))
  const broken = new Promise<never>((_, reject) => {
    for (const [index, end] of ends.entries()) {
      void end.then(() => stopping || reject(new Error(`Worker ${index + 1} ended, and nobody told it to.`)))
    }
  })
  return {
    tallies,
    broken,
    async stop() {
      stopping = true
      for (const child of children) if (child.connected) child.send('stop')
      await Promise.all(ends)
    },
  }
}

interface Watched {
  readonly fleet: Fleet
  readonly server: DemoAuthorizationServer
  readonly screen: Screen
  readonly seconds: number
  readonly signal: AbortSignal
}

async function watch({ fleet, server, screen, seconds, signal }: Watched): Promise<number> {
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const every = async (period: number, does: () => void): Promise<void> => {
    while (!until.aborted) {
      await setTimeout(period * 1_000, undefined, { signal: until }).then(does, () => {})
    }
  }
  const summary = () => {
    const { calls, refused, failed } = sum(fleet.tallies)
    return `${calls} calls, ${server.counters.tokenRequests} token requests; the API refused ${refused} calls with 401, and the program saw ${failed} of these.`
  }
  try {
    await Promise.race([
      fleet.broken,
      Promise.all([
        every(0.25, () => screen.show([...table(fleet.tallies), '', summary()])),
        every(5, () => void (screen.isLive || screen.say(summary()))),
        every(Math.min(revocationSeconds, seconds / 2), () => {
          server.revokeAll()
          screen.say(`${time()} all tokens are revoked`)
        }),
        setTimeout(Math.min(seconds * 1_000, 2 ** 31 - 1), undefined, { signal: until }).then(
          () => over.abort(),
          () => {},
        ),
      ]),
    ])
  } finally {
    over.abort()
    await fleet.stop()
    screen.show([])
    for (const line of table(fleet.tallies)) screen.say(line)
    screen.say(`\n${summary()}`)
  }
  return 0
}

/** Infinity where none are said; `undefined` where what was said makes no sense. */
function readSeconds(parameters: readonly string[]): number | undefined {
  try {
    const { seconds } = parseArgs({ args: [...parameters], options: { seconds: { type: 'string' } } }).values
    if (seconds === undefined) return Infinity
    return /^\d{1,6}$/.test(seconds) && Number(seconds) > 0 ? Number(seconds) : undefined
  } catch {
    return undefined
  }
}

function time(): string {
  return new Date().toTimeString().slice(0, 8)
}
