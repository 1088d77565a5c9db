// @ts-check
// Cost as the work grows: calls a second with many sessions in one process, and what each of them holds in memory.
import { childOutput } from './child.mjs'

const sizes = [1, 100, 10_000]

/** @param {(text: string) => void} say */
export async function measure(say) {
  const rows = []
  for (const where of ['memory', 'elsewhere']) {
    for (const size of sizes) {
      say(`${size} sessions, ${where}`)
      const { perSecond, bytes, operations } = JSON.parse(await childOutput('growth-one.mjs', [where, String(size)], ['--expose-gc']))
      const isMissed = operations >= 0.1 ? ' (missed)' : ''
      rows.push([
        where === 'memory' ? 'in `memoryStore()`' : 'in a store that is elsewhere',
        size.toLocaleString('en'),
        Math.round(perSecond / 1_000).toLocaleString('en'),
        Math.round(bytes).toLocaleString('en'),
        operations.toFixed(2),
        `< 0.1${isMissed}`,
      ])
    }
  }
  return [
    {
      title: '6. Many sessions in one process',
      head: ['where the records are', 'sessions', '1,000 calls a second', 'bytes a session', 'store operations a call', 'reach'],
      rows,
      notes: [
        'Calls of a user’s session with a living token, the API stubbed; bytes with its record, its `oauthFetch` and its token. Of a store that is elsewhere each call reads the record: a session that another process ended or replaced is never served (I6 and I6b of `test/engine`), and a hint that something changed may be late.',
      ],
    },
  ]
}
