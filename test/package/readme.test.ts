import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageFile, top } from './published.js'

// The package as a user gets it: packed, installed in a folder of its own, and the README's programs written against it.
// A block ```ts is a whole program and must type-check. What it takes for granted may stand before it in a comment that nobody sees:
//   <!-- declare const report: string -->
// A block ```ts run (or one whose first line is `// run`) is run too, and must end without an error.

const run = promisify(execFile)

interface Program {
  readonly name: string
  readonly text: string
  readonly runs: boolean
}

function programsOf(readme: string): readonly Program[] {
  const blocks = readme.matchAll(/(?:<!--\s*(?<given>(?:declare|import)\b.*?)-->\s*)?^```ts(?<info>[^\n]*)\n(?<text>.*?)^```$/gms)
  return [...blocks].map(({ index, groups = {} }) => {
    const line = readme.slice(0, index).split('\n').length
    const text = groups['text'] ?? ''
    return {
      name: `readme-line-${line}`,
      text: `${groups['given'] ?? ''}\n${text}\nexport {}\n`,
      runs: /\brun\b/.test(groups['info'] ?? '') || /^\/\/ run\b/.test(text),
    }
  })
}

let folder = ''
let programs: readonly Program[] = []

/** Packs a folder into the application's folder; the name of the archive. */
async function pack(source: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', source, '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: folder })
  const [packed] = JSON.parse(stdout) as [{ filename: string }]
  return `./${packed.filename}`
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'valetkey-application-'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }))
  // The dependencies come from what is installed here, so that this needs no network.
  const archives: string[] = []
  for (const source of [top, ...Object.keys(packageFile.dependencies).map((name) => join(top, 'node_modules', name))])
    archives.push(await pack(source))
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', ...archives], { cwd: folder })
  programs = programsOf(await readFile(join(top, 'README.md'), 'utf8'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Type-checks files of the application; what the compiler says, empty when it is content. */
async function check(files: Readonly<Record<string, string>>, lib: readonly string[]): Promise<string> {
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  for (const name of ['@types/node', 'undici-types'])
    await symlink(join(top, 'node_modules', name), join(folder, 'node_modules', name)).catch(() => {})
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const compilerOptions = {
    target: 'ES2022',
    lib,
    module: 'NodeNext',
    types: ['node'],
    noEmit: true,
    preserveSymlinks: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }))
  return run(process.execPath, [join(top, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

test('the installed package brings its dependencies and nothing else', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: folder })
  const installed = stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((path) => path.replace(/^.*node_modules\//, ''))
  expect(installed.toSorted()).toEqual([packageFile.name, ...Object.keys(packageFile.dependencies)].toSorted())
})

test('every program of the README type-checks against the installed package', async () => {
  expect(programs.length).toBeGreaterThan(0)
  const files = Object.fromEntries(programs.map(({ name, text }) => [`${name}.ts`, text]))
  expect(await check(files, ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'])).toBe('')
})

test('every program of the README that can run does', async () => {
  for (const { name, text } of programs.filter((program) => program.runs)) {
    await writeFile(join(folder, `${name}.mjs`), (await transform(text, { loader: 'ts', format: 'esm', target: 'es2022' })).code)
    await expect(run(process.execPath, [`${name}.mjs`], { cwd: folder, timeout: 60_000 }), name).resolves.toBeDefined()
  }
})

test('the programs of users without a page type-check without the types of the DOM', async () => {
  const names = [
    '06-next-express',
    '07-node-job',
    '08-private-key-jwt',
    '09-workload-identity',
    '10-fleet-redis',
    '11-cli',
    '12-other-carriers',
    '13-testing',
    '14-github',
    '16-sign-out',
    '17-custom-store',
    '18-user-agent',
    '23-device',
  ]
  const files: Record<string, string> = {}
  for (const name of names) files[`${name}.ts`] = await readFile(join(top, `test/types/${name}.ts`), 'utf8')
  expect(await check(files, ['ES2023'])).toBe('')
})
