import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { entries, top } from './published.js'

// Every public function and class has an example in its doc comment and says how it fails, and every example is a program that type-checks.

const run = promisify(execFile)

/** What an example takes for granted, beside what valetkey exports. */
const given = {
  issuer: 'string',
  clientId: 'string',
  body: 'string',
  session: "import('valetkey').Session",
  api: 'typeof fetch',
  readFile: "typeof import('node:fs/promises').readFile",
  test: '(name: string, run: () => Promise<void>) => void',
}

const exported: readonly { readonly name: string; readonly entry: string }[] = (
  await Promise.all(
    entries
      .toReversed()
      .map(async ({ name: entry, file }) => Object.keys((await import(join(top, file))) as object).map((name) => ({ name, entry }))),
  )
).flat()

/** What never fails: it looks at nothing that could be wrong, and asks nobody. */
const neverFails = [
  'challengeOf',
  'lockContract',
  'manualClock',
  'memoryStore',
  'mutualTls',
  'none',
  'storeContract',
  'terminalPrompt',
  'userAgentContract',
]

const documented = (
  await Promise.all(
    readdirSync(join(top, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map(async (path) => [
        ...(await readFile(join(top, 'src', path), 'utf8')).matchAll(
          /\/\*\*(?<comment>(?:(?!\*\/).)*)\*\/\nexport (?:async )?(?:function|class) (?<name>\w+)/gs,
        ),
      ]),
  )
)
  .flat()
  .map(({ groups = {} }) => ({
    name: groups['name'] ?? '',
    text: (groups['comment'] ?? '').split('@example')[0] ?? '',
    example: /@example\n(.*)$/s.exec(groups['comment'] ?? '')?.[1]?.replace(/^ \* ?/gm, ''),
  }))

test('every public function has an example', () => {
  const shown = new Set(documented.filter(({ example }) => example !== undefined).map(({ name }) => name))
  expect([...new Set(exported.map(({ name }) => name))].filter((name) => !shown.has(name))).toEqual([])
})

test('every public function says what it throws or rejects with, or is known never to fail', () => {
  const says = new Set(documented.filter(({ text }) => /@throws|\bthrows\b|\brejects\b|Errors as for/i.test(text)).map(({ name }) => name))
  const functions = new Set(exported.map(({ name }) => name).filter((name) => name !== 'OAuthError'))
  expect([...functions].filter((name) => !says.has(name)).toSorted()).toEqual(neverFails)
})

test('every example type-checks', { timeout: 120_000 }, async () => {
  const folder = join(top, 'node_modules/.cache/examples')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const { name, example } of documented) if (example !== undefined) await writeFile(join(folder, `${name}.ts`), program(example))
  const tsconfig = { extends: '../../../test/types/tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['*.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  const said = await run(process.execPath, [join(top, 'node_modules/typescript/bin/tsc'), '-p', folder]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  expect(said).toBe('')
})

/** The example with what it uses: each name from the first entry that exports it, unless the example makes its own. */
function program(example: string): string {
  const uses = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(example) && !new RegExp(`\\b(?:const|let|import) (?:\\{[^}]*)?\\b${name}\\b`).test(example)
  const met = new Set<string>()
  const imports = exported
    .filter(({ name }) => uses(name) && !met.has(name) && met.add(name))
    .map(({ name, entry }) => `import { ${name} } from '${entry}'`)
  const types = ['TokenSource', 'ClientOptions', 'Store'].filter(uses).map((name) => `import type { ${name} } from 'valetkey'`)
  const declared = Object.entries(given)
    .filter(([name]) => uses(name))
    .map(([name, type]) => `declare const ${name}: ${type}`)
  return [...imports, ...types, ...declared, example, 'export {}', ''].join('\n')
}
