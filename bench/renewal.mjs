// @ts-check
// Renewal: a storm of calls on an expired token, tokens of one second under load, and the requests of a cold start.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childOutput } from './child.mjs'
import { isMissed } from './reach.mjs'

const storms = /** @type {const} */ ([
  ['valetkey', 'valetkey'],
  ['valetkey, two clients that share a store', 'valetkey-shared'],
  ['@badgateway/oauth2-client', 'badgateway'],
  ['openid-client, naive glue', 'openid-client'],
  ['simple-oauth2, naive glue', 'simple-oauth2'],
  ['msal-node', 'msal-node'],
])

const loads = /** @type {const} */ ([
  ['bare against bare', 'bare'],
  ['floor, renewed behind at 75 %', 'floor'],
  ['floor, 10 % margin only', 'floor-late'],
  ['valetkey', 'valetkey'],
  ['@badgateway/oauth2-client', 'badgateway'],
  ['openid-client, naive glue', 'openid-client'],
  ['simple-oauth2, naive glue', 'simple-oauth2'],
])

/** How long a token lives that a storm meets expired. */
const stormSeconds = 5

/** @param {number} seconds how long its tokens live */
export async function startServer(seconds) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('server.mjs', import.meta.url)), String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const { issuer } = await new Promise((resolve) => child.stdout?.once('data', (line) => resolve(JSON.parse(line))))
  return { issuer, close: () => child.disconnect() }
}

/** @param {(text: string) => void} say */
export async function measure(say) {
  // A storm of a thousand calls takes a second or more: what is counted is the one token that had expired, not those that do meanwhile.
  const [server, stormServer] = [await startServer(1), await startServer(stormSeconds)]
  const asked = async (/** @type {string} */ what, /** @type {string} */ subject) => {
    say(`${what}: ${subject}`)
    const { issuer } = what.startsWith('storm') ? stormServer : server
    try {
      return JSON.parse(await childOutput('renewal-one.mjs', [what, subject, issuer, String(stormSeconds)]))
    } catch (error) {
      say(`${subject}: ${error instanceof Error ? error.message : ''}`)
      return undefined
    }
  }
  try {
    const storm = []
    for (const [name, subject] of storms) {
      const seen = await asked('storm', subject)
      const failed = subject.startsWith('valetkey') ? await asked('storm-failing', subject) : undefined
      if (seen !== undefined)
        storm.push([
          name,
          String(seen.requests),
          String(seen.failed),
          failed === undefined ? '' : `${failed.requests}; ${failed.failed} calls fail, ${failed.kinds} kind of error`,
        ])
    }
    const load = []
    let least = { p99: NaN }
    for (const [name, subject] of loads) {
      const seen = await asked('load', subject)
      if (seen === undefined) continue
      if (subject === 'bare') least = seen
      const rate = seen.requests / seen.lifetimes
      const own = subject === 'valetkey'
      const cells = [
        own ? `**${name}**` : name,
        subject === 'bare' ? '' : `${seen.requests} / ${seen.lifetimes.toFixed(0)} = ${rate.toFixed(2)}`,
        String(seen.refused),
        seen.p50.toFixed(2),
        seen.p99.toFixed(2),
      ]
      load.push(
        own
          ? [
              ...cells,
              [rate <= 1.35, seen.refused === 0, seen.p50 <= 1.1, seen.p99 <= 1.25 * least.p99]
                .map((is) => (is ? 'yes' : '**no**'))
                .join(', '),
            ]
          : [...cells, ''],
      )
    }
    const cold = []
    for (const [name, subject, reach] of /** @type {const} */ ([
      ['floor', 'floor', undefined],
      ['valetkey', 'valetkey', 3],
      ['valetkey, metadata given', 'valetkey-metadata', 2],
    ])) {
      const { discovery, token, api } = await asked('cold', subject)
      const all = discovery + token + api
      cold.push([name, `${discovery} + ${token} + ${api} = ${all}`, isMissed(all, reach)])
    }
    return [
      {
        title: '3a. 1,000 calls at once on an expired token',
        head: ['', 'token requests', 'failed calls', 'when the token endpoint answers 503'],
        rows: storm,
        notes: ['Reach: 1 request, none fails, also for two clients that share a store; and when it fails: 1 request, 1,000 equal errors.'],
      },
      {
        title: '3b. 10,000 calls, 16 at once, tokens of one second, oidc-provider on loopback',
        head: [
          '',
          'token requests / lifetimes',
          '401s that the caller sees',
          'p50 / bare',
          'p99 / bare',
          'reach: ≤ 1.35, 0, ≤ 1.10, ≤ 1.25 × bare against bare',
        ],
        rows: load,
        notes: ['Blocks of 500 calls that alternate with bare `fetch`; both call an API that checks no token in the bare blocks.'],
      },
      { title: '3c. Requests of a cold start (discovery + token + API)', head: ['', 'requests', 'reach'], rows: cold },
    ]
  } finally {
    server.close()
    stormServer.close()
  }
}
