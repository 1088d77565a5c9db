// @ts-check
/**
 * The reach, and whether a figure misses it.
 * @param {number | undefined} value
 * @param {number | undefined} most
 */
export function isMissed(value, most) {
  if (value === undefined || most === undefined) return ''
  return `≤ ${most.toLocaleString('en')}${value <= most ? '' : ' (missed)'}`
}
