import { expect, test } from 'vitest'
import type { DevicePrompt } from '../../src/core/device-prompt.js'
import { terminalPromptBy } from '../../src/node/terminal-prompt.js'
import type { TerminalParts } from '../../src/node/terminal-prompt.js'

const start = Date.UTC(2026, 0, 1)
const prompt: DevicePrompt = { userCode: 'WDJBMJHT', verificationUri: 'https://as.example/device', expiresAt: start + 120_000 }

/** A terminal that shows what its lines say, moves its cursor as told, and goes on by seconds. */
function terminal(of: { isTTY?: boolean; columns?: number } = { isTTY: true }, environment: TerminalParts['environment'] = {}) {
  let [raw, seconds, running] = ['', 0, [] as { run: () => void }[]]
  const parts: TerminalParts = {
    terminal: { ...of, write: (text) => (raw += text) },
    written: () => raw.length,
    now: () => start + seconds * 1000,
    every: (milliseconds, run) => {
      expect(milliseconds).toBe(1000)
      const one = { run }
      running.push(one)
      return () => void (running = running.filter((other) => other !== one))
    },
    environment,
  }
  return {
    parts,
    raw: () => raw,
    write: (text: string) => (raw += text),
    running: () => running.length,
    pass(count: number) {
      for (let second = 0; second < count; second += 1) {
        seconds += 1
        for (const { run } of running) run()
      }
    },
    /** The lines that a user sees. */
    screen() {
      const lines: string[] = ['']
      for (const part of raw.replaceAll(/\p{Cc}\[\d+m/gu, '').split(/(\p{Cc}\[1A\p{Cc}\[2K|\n)/u)) {
        if (part === '\n') lines.push('')
        else if (part.startsWith('\u001B')) lines.splice(-2, 2, '')
        else lines[lines.length - 1] += part
      }
      return lines
    },
  }
}

test('X14 the code is shown in groups, the address as it is, and the time that is left', () => {
  const { parts, screen } = terminal()
  terminalPromptBy(prompt, parts)
  expect(screen()).toEqual([
    '',
    'To sign in, open this address on any device:',
    '',
    '  https://as.example/device',
    '',
    'and enter this code:',
    '',
    '  WDJB MJHT',
    '',
    '  ████████████████████████ 2:00 left',
    '',
  ])
})

test('X14 the address with the code in it is shown, too', () => {
  const { parts, screen } = terminal()
  terminalPromptBy({ ...prompt, verificationUriComplete: 'https://as.example/device?code=WDJBMJHT' }, parts)
  expect(screen()).toContain('  https://as.example/device?code=WDJBMJHT')
})

test('the last line is counted down every second, and says when the code has expired', () => {
  const { parts, screen, pass, running } = terminal()
  terminalPromptBy(prompt, parts)
  const height = screen().length
  const seen: (string | undefined)[] = []
  for (const seconds of [1, 59, 59]) {
    pass(seconds)
    seen.push(screen().at(-2))
  }
  expect(seen).toEqual([
    '  ████████████████████████ 1:59 left',
    '  ████████████░░░░░░░░░░░░ 1:00 left',
    '  █░░░░░░░░░░░░░░░░░░░░░░░ 0:01 left',
  ])
  expect(running()).toBe(1)
  pass(1)
  expect(screen().at(-2)).toBe('  The code has expired.')
  expect(screen()).toHaveLength(height)
  expect(running()).toBe(0)
})

test('what the program writes afterwards stays: nothing is counted down over it', () => {
  const { parts, raw, write, screen, pass, running } = terminal()
  terminalPromptBy(prompt, parts)
  pass(3)
  write('Signed in as alice.\n')
  const before = raw()
  pass(5)
  expect(raw()).toBe(before)
  expect(screen().at(-2)).toBe('Signed in as alice.')
  expect(screen().at(-3)).toContain('1:57 left')
  expect(running()).toBe(0)
})

test('where there is no terminal, it is one block without control characters, and nothing comes after it', () => {
  for (const [of, environment] of [
    [{}, {}],
    [{ isTTY: true }, { TERM: 'dumb' }],
  ] as const) {
    const { parts, raw, running } = terminal(of, environment)
    terminalPromptBy(prompt, parts)
    expect(raw().split('\n').slice(-4)).toEqual(['  WDJB MJHT', '', 'The code expires in 2 minutes.', ''])
    expect(raw()).not.toMatch(/[^\P{Cc}\n]/u)
    expect(running()).toBe(0)
  }
})

test.for([
  { name: 'a terminal', environment: {}, colour: true },
  { name: 'a terminal with NO_COLOR', environment: { NO_COLOR: '1' }, colour: false },
  { name: 'a terminal with an empty NO_COLOR', environment: { NO_COLOR: '' }, colour: true },
])('on $name colour is $colour', ({ environment, colour }) => {
  const { parts, raw } = terminal({ isTTY: true }, environment)
  terminalPromptBy(prompt, parts)
  expect(/\p{Cc}\[\d*m/u.test(raw())).toBe(colour)
})

test('attack 10 what a server sends moves no cursor, breaks no line and turns no text', () => {
  const { parts, raw } = terminal({})
  terminalPromptBy(
    {
      userCode: 'AB\u001B[2J\r\nCD\u0007\u009B31m',
      verificationUri: 'https://as.example/\u202Egnp.exe\u2028\u0000\u001B]8;;https://evil.example\u0007',
      verificationUriComplete: '\u001B[1A\u200Bhttps://as.example/\u2066',
      expiresAt: start + 60_000,
    },
    parts,
  )
  expect(raw()).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(raw().split('\n')).toContain('  AB[2JCD31m')
})

test.for([
  ['WDJB-MJHT', 'WDJB-MJHT'],
  ['123456', '123 456'],
  ['123456789', '123 456 789'],
  ['ABCDEFGHJKLM', 'ABCD EFGH JKLM'],
  ['1234567', '1234567'],
  ['ABCDE', 'ABCDE'],
  ['A B C D E F', 'A B C D E F'],
] as const)('the code %s is shown as %s', ([userCode, shown]) => {
  const { parts, screen } = terminal({})
  terminalPromptBy({ ...prompt, userCode }, parts)
  expect(screen()).toContain(`  ${shown}`)
})

test('in a narrow terminal the time stands alone, so that its line stays one line', () => {
  const { parts, screen } = terminal({ isTTY: true, columns: 30 })
  terminalPromptBy(prompt, parts)
  expect(screen().at(-2)).toBe('  2:00 left')
})

test('a code that has expired already is said to have', () => {
  const { parts, screen, pass, running } = terminal()
  terminalPromptBy({ ...prompt, expiresAt: start - 1 }, parts)
  expect(screen().at(-2)).toBe('  The code has expired.')
  pass(1)
  expect(running()).toBe(0)
})
