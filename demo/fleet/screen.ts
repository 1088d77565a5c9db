/** Where the fleet is watched. */
export interface Screen {
  /** Whether what is shown is seen at once. */
  readonly isLive: boolean
  /** A line that stays. */
  say(line: string): void
  /** What is so now: takes the place of what was shown before. Nothing where that cannot be. */
  show(lines: readonly string[]): void
}

/** On a terminal the last lines are written over, and what is said comes above them; elsewhere there are only lines that stay. */
export function screenOn(output: NodeJS.WriteStream): Screen {
  if (!output.isTTY) return { isLive: false, say: (line) => void output.write(`${line}\n`), show: () => {} }
  let shown: readonly string[] = []
  const clear = () => void (shown.length > 0 && output.write(`\u001B[${shown.length}A\u001B[0J`))
  const draw = () => output.write(shown.map((line) => `${line.slice(0, output.columns - 1)}\n`).join(''))
  return {
    isLive: true,
    say(line) {
      clear()
      output.write(`${line}\n`)
      draw()
    },
    show(lines) {
      clear()
      shown = lines
      draw()
    },
  }
}
