import type { SessionParts } from '../session.js'

type HandOver = NonNullable<SessionParts['handOver']>

let handOver: HandOver = async () => {}

/** A page that has made a popup, where it signs in or where it is the answer, brings what hands a response over; any other carries nothing of it. */
export function bringHandOver(by: HandOver): void {
  handOver = by
}

export const handOverIfBrought: HandOver = (...response) => handOver(...response)
