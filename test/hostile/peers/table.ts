import type { Scenario } from '../scenario.js'

/** How one client did in one scenario; `undefined` where the scenario asks for what it has not. */
export interface Outcome {
  readonly complaints: readonly string[]
  /** Whether what it threw shows a secret. */
  readonly leaks: boolean
  readonly refused: boolean
}

export interface Column {
  readonly name: string
  readonly version: string
  readonly outcomes: ReadonlyMap<Scenario, Outcome | undefined>
}

/** The table of who passes what, as it is written down. */
export function resultsOf(themes: Readonly<Record<string, readonly Scenario[]>>, columns: readonly Column[]): string {
  const outcomesOf = ({ outcomes }: Column, scenarios: readonly Scenario[]): readonly Outcome[] =>
    scenarios.flatMap((scenario) => outcomes.get(scenario) ?? [])
  const passes = (column: Column, scenarios: readonly Scenario[]): string => {
    const those = outcomesOf(column, scenarios)
    return `${those.filter(({ complaints }) => complaints.length === 0).length} of ${those.length}`
  }
  const all = Object.values(themes).flat()
  const leaks = (column: Column): string => {
    const refusals = outcomesOf(column, all).filter(({ refused }) => refused)
    return `${refusals.filter((outcome) => outcome.leaks).length} of ${refusals.length}`
  }
  const cell = (outcome: Outcome | undefined): string =>
    outcome === undefined ? '–' : outcome.complaints.length === 0 ? '✓' : `✗ ${outcome.complaints.join(', ')}`
  return [
    preface,
    row('', ...columns.map(({ name, version }) => `${name} ${version}`.trim())),
    row('---', ...columns.map(() => '---')),
    ...Object.entries(themes).map(([theme, scenarios]) => row(theme, ...columns.map((column) => passes(column, scenarios)))),
    row('**all**', ...columns.map((column) => `**${passes(column, all)}**`)),
    row('refusals whose error shows a token, a code or a body', ...columns.map(leaks)),
    ...Object.entries(themes).flatMap(([theme, scenarios]) => [
      `\n## ${theme}\n`,
      row('', ...columns.map(({ name }) => name)),
      row('---', ...columns.map(() => '---')),
      ...scenarios.map((scenario) => row(scenario.name, ...columns.map(({ outcomes }) => cell(outcomes.get(scenario))))),
    ]),
    '',
  ].join('\n')
}

const preface = `# Who passes what

Written by \`npm run test:peers\`; do not edit. Each scenario is one fault of an authorization server or an API (\`test/hostile/scenarios/\`), played
against valetkey, against a client that checks nothing, and against three others in Node, each used as its own documentation says.

A client passes where it ends as it should (with an error where there is something to refuse) and talks to nobody more than it should on the way; what
an API answers with 401 the others may hand back, or reject with. Of valetkey more is asked in \`npm test\`: the exact error, every request in order, what
is kept, no secret in anything, no timer left behind. The names are those of the conformance suite's modules, and numbers of this project's own list of
attacks; no certification is claimed for anyone.

- ✗ ok: it was accepted. ✗ hangs: it waited for ever. ✗ reaches …: it sent what it should not have. –: the client has no such thing, or no clock that
  can be moved.
- The others are libraries of another kind. openid-client leaves it to its caller where a token goes, and when it is renewed; oidc-client-ts makes no
  calls to APIs; @badgateway/oauth2-client knows nothing of OpenID Connect. A ✗ there says where the work is left, not that something is broken.
`

function row(...cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll('|', '\\|').replaceAll(/[\r\n]/g, ' ')).join(' | ')} |`
}
