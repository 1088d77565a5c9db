import { execFile } from 'node:child_process'
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Application, makeApplication } from './application.js'
import { packageFile, top } from './published.js'

// The package as a user gets it: packed, installed in a folder of its own, and the programs of the README and of the guides written against it.
// A block ```ts is a whole program and must type-check. What it takes for granted may stand before it in a comment that nobody sees:
//   <!-- declare const report: string -->
// A block ```ts run (or one whose first line is `// run`) is run too, and must end without an error.
// A block ```js is of another library, shown by docs/moving.md beside ours, and is only read.

const run = promisify(execFile)

interface Program {
  readonly name: string
  readonly text: string
  readonly runs: boolean
}

async function programsOf(path: string): Promise<readonly Program[]> {
  const page = await readFile(join(top, path), 'utf8')
  const blocks = page.matchAll(/(?:<!--\s*(?<given>(?:declare|import)\b.*?)-->\s*)?^```ts(?<info>[^\n]*)\n(?<text>.*?)^```$/gms)
  return [...blocks].map(({ index, groups = {} }) => {
    const line = page.slice(0, index).split('\n').length
    const text = groups['text'] ?? ''
    return {
      name: `${basename(path, '.md').toLowerCase()}-line-${line}`,
      text: `${groups['given'] ?? ''}\n${text}\nexport {}\n`,
      runs: /\brun\b/.test(groups['info'] ?? '') || /^\/\/ run\b/.test(text),
    }
  })
}

let application: Application
let folder = ''
let programs: readonly Program[] = []

beforeAll(async () => {
  application = await makeApplication()
  folder = application.folder
  const guides = (await readdir(join(top, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  programs = (await Promise.all(['README.md', ...guides].map(programsOf))).flat()
})

afterAll(() => application.remove())

/** Type-checks files of the application; what the compiler says, empty when it is content. */
async function check(files: Readonly<Record<string, string>>, lib: readonly string[]): Promise<string> {
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  for (const name of ['@types/node', 'undici-types', '@types/react', 'csstype'])
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

test('every program of the README and of the guides type-checks against the installed package', async () => {
  expect(new Set(programs.map(({ name }) => name.replace(/-line-\d+$/, '')))).toEqual(new Set(['readme', 'cli', 'moving', 'node', 'spa']))
  const files = Object.fromEntries(programs.map(({ name, text }) => [`${name}.ts`, text]))
  expect(await check(files, ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'])).toBe('')
})

test('every program of them that can run does', async () => {
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
