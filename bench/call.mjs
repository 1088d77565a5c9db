// @ts-check
// One call with a valid token, the API's fetch stubbed: time as a multiple of the bare stub, and bytes allocated.
import { childOutput } from './child.mjs'
import { isMissed } from './reach.mjs'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)

/** Name, the subject of call-one.mjs, and for valetkey the floor of its form with the most that it may cost. */
const paths = /** @type {readonly (readonly [name: string, subject: string, floor?: string, reach?: number])[]} */ ([
  ['bare stub', 'bare'],
  ['floor, headers as a plain object', 'floor-plain'],
  ['floor, `new Headers`', 'floor-headers'],
  ['floor, `new Request`', 'floor-request'],
  ['valetkey, no headers', 'valetkey', 'floor-plain', 2],
  ['valetkey, headers as a plain object', 'valetkey-plain', 'floor-plain', 2],
  ['valetkey, `Headers`', 'valetkey-headers', 'floor-headers', 1.3],
  ['valetkey, `Request`', 'valetkey-request', 'floor-request', 1.3],
  ['valetkey, a user’s session, no headers', 'valetkey-session', 'floor-plain', 2],
  ['valetkey, a user’s session in a store that is elsewhere', 'valetkey-elsewhere'],
  ['valetkey, a source of one’s own', 'valetkey-own'],
  ['oauth4webapi protectedResourceRequest', 'oauth4webapi'],
  ['openid-client', 'openid-client'],
  ['oidc-client-ts', 'oidc-client-ts'],
  ['@badgateway/oauth2-client', 'badgateway'],
  ['msal-node', 'msal-node'],
])

/** @param {(text: string) => void} say */
export async function measure(say) {
  /** @type {Map<string, { times: number[], bytes: number[] }>} */
  const seen = new Map(paths.map(([, subject]) => [subject, { times: [], bytes: [] }]))
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`)
    for (const [subject, { times, bytes }] of seen) {
      try {
        const { ratio, allocated } = JSON.parse(
          await childOutput('call-one.mjs', [subject], ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=256']),
        )
        times.push(ratio)
        bytes.push(allocated)
      } catch (error) {
        say(`${subject}: ${error instanceof Error ? error.message : ''}`)
        seen.delete(subject)
      }
    }
  }
  const of = (/** @type {string} */ subject) => ({
    time: median(seen.get(subject)?.times ?? []),
    bytes: median(seen.get(subject)?.bytes ?? []),
  })
  const rows = paths
    .filter(([, subject]) => seen.has(subject))
    .map(([name, subject, floor, reach]) => {
      const { time, bytes } = of(subject)
      const cells = [
        floor === undefined && !subject.startsWith('valetkey') ? name : `**${name}**`,
        time.toFixed(1),
        Math.round(bytes).toLocaleString('en'),
      ]
      if (floor === undefined || reach === undefined) return [...cells, '', '', '', '']
      const least = of(floor)
      const [cost, share] = [(time - 1) / (least.time - 1), bytes / least.bytes]
      return [...cells, cost.toFixed(2), isMissed(cost, reach), share.toFixed(2), isMissed(share, reach === 2 ? 1.5 : reach)]
    })
  return [
    {
      title: '2. One call with a valid token',
      head: ['path', '× bare stub', 'bytes', '(× − 1) / floor’s', 'reach', 'bytes / floor’s', 'reach'],
      rows,
      notes: [
        `100,000 calls in 10 blocks that alternate with the bare stub, ${rounds} interleaved processes each, medians of processor time; bytes: heap growth over 5,000 calls without a collection, median of 3.`,
        'What a call has beyond the floor: its own copy of what it was given, which a retry, a redirect or a fresh proof sends once more and which no caller changes meanwhile; the look at the record, so that a session that is over is served no more; the event that a token was attached; and, for a `Headers`, the two questions whether it names `authorization` or `dpop` itself.',
      ],
    },
  ]
}

/** @param {readonly number[]} values */
export function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
}
