// @ts-check
// `npm run docs`: writes docs/reference/ from the docstrings, a page for each entry of the exports map. `npm run docs:check` fails where what is there is
// not what they make. TypeDoc needs a TypeScript that still has a compiler API, so both are installed beside, in node_modules/.cache.
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { installedAside } from './aside.mjs'

/** Exactly these, so that the pages change when it is meant to. */
const packages = ['typedoc@0.28.20', 'typedoc-plugin-markdown@4.14.1', 'typescript@6.0.3']

const top = fileURLToPath(new URL('../../', import.meta.url))
const reference = join(top, 'docs/reference')

/** What a program can import, and from which source it is made. A name that several entries export is described by `valetkey`; the others refer to it. */
async function entries() {
  const { name, exports } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8'))
  return Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === 'string'
      ? []
      : [
          {
            name: name + subpath.slice(1),
            folder: subpath.slice(2) || 'index',
            source: target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts'),
          },
        ],
  )
}

/** @param {string} out the folder that is written */
async function generate(out) {
  const aside = await installedAside('docs', packages)
  const from = (/** @type {string} */ name) => join(aside, 'node_modules', name, 'dist/index.js')
  const { Application, ReflectionKind, TSConfigReader, UnknownType } = await import(pathToFileURL(from('typedoc')).href)
  const all = await entries()
  const app = await Application.bootstrapWithPlugins(
    {
      name: 'Reference',
      entryPoints: all.map(({ source }) => join(top, source)),
      tsconfig: join(top, 'tsconfig.json'),
      plugin: [from('typedoc-plugin-markdown')],
      out,
      router: 'module',
      readme: 'none',
      sort: ['source-order'],
      groupOrder: ['Functions', 'Classes', 'Interfaces', '*'],
      disableSources: true,
      excludeInternal: true,
      excludeExternals: true,
      skipErrorChecking: true,
      hideGenerator: true,
      hideBreadcrumbs: true,
      hidePageHeader: true,
      useCodeBlocks: true,
      useHTMLAnchors: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      propertyMembersFormat: 'table',
      typeDeclarationFormat: 'table',
      tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideOverrides: true, hideSources: true },
      logLevel: 'Warn',
      treatWarningsAsErrors: true,
    },
    [new TSConfigReader()],
  )
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the sources.')
  for (const module of project.children) {
    const entry = all.find(({ folder }) => folder === module.name)
    if (entry === undefined) throw new Error(`${module.name} is no entry.`)
    const source = await readFile(join(top, entry.source), 'utf8')
    module.name = entry.name
    withoutNamesOnly(source, module, project, ReflectionKind.Function | ReflectionKind.Class)
    inTheOrderOf(source, module)
  }
  sayTypeofFetch(project, new UnknownType('typeof fetch'))
  app.validate(project)
  await app.generateOutputs(project)
  for (const [name, text] of await pages(out)) await writeFile(join(out, name), withShortReferences(text))
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('The reference is not as it should be.')
}

/**
 * What comes by `export type *` can be named in a type, and a function cannot be called by that: it is none of this entry's.
 * @param {string} source of the entry
 * @param {any} module
 * @param {any} project
 * @param {number} values the kinds of what a program can call
 */
function withoutNamesOnly(source, module, project, values) {
  if (!source.includes('export type *')) return
  const isNameOnly = (/** @type {any} */ child) =>
    child.isReference() && child.getTargetReflection().kindOf(values) && !new RegExp(`\\b${child.name}\\b`).test(source)
  const taken = new Set(module.children.filter(isNameOnly))
  for (const child of taken) project.removeReflection(child)
  for (const group of module.groups) group.children = group.children.filter((/** @type {any} */ child) => !taken.has(child))
}

/**
 * The entry's own order, which is that of the README.
 * @param {string} source of the entry
 * @param {any} module
 */
function inTheOrderOf(source, module) {
  const place = (/** @type {{ name: string }} */ { name }) => source.search(new RegExp(`\\b${name}\\b`))
  for (const { children } of [module, ...(module.groups ?? [])])
    children?.sort((/** @type {any} */ one, /** @type {any} */ other) => place(one) - place(other))
}

/**
 * `typeof fetch` by that name: TypeDoc writes it out, in two signatures.
 * @param {any} project
 * @param {object} named
 */
function sayTypeofFetch(project, named) {
  for (const reflection of Object.values(project.reflections)) {
    const { declaration } = reflection.type ?? {}
    if (declaration?.signatures?.length !== 2 || declaration.signatures[0].parameters?.[0]?.name !== 'input') continue
    reflection.type = named
    project.removeReflection(declaration)
  }
}

/** What an entry exports that is described elsewhere: a line, not a heading for each. @param {string} page */
function withShortReferences(page) {
  const [before = '', references] = page.split('\n## References\n')
  if (references === undefined) return page
  const links = [...references.matchAll(/(?:Re-exports|Renames and re-exports) (\[\S+\]\(\S+\))/g)].map(([, link]) => link)
  return `${before}\n## Described elsewhere\n\n${links.join(', ')}\n`
}

/** @param {string} folder @returns {Promise<Map<string, string>>} */
async function pages(folder) {
  const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.md'))
  return new Map(await Promise.all(names.map(async (name) => /** @type {const} */ ([name, await readFile(join(folder, name), 'utf8')]))))
}

const made = await mkdtemp(join(tmpdir(), 'valetkey-reference-'))
try {
  await generate(made)
  if (process.argv.includes('--check')) {
    const [now, before] = [await pages(made), await pages(reference)]
    const differing = [...new Set([...now.keys(), ...before.keys()])].filter((name) => now.get(name) !== before.get(name))
    if (differing.length > 0) {
      console.error(
        `docs/reference is not what the docstrings make: ${differing.join(', ')}. Run \`npm run docs\`, and look at what changed.`,
      )
      process.exitCode = 1
    }
  } else {
    await rm(reference, { recursive: true, force: true })
    await cp(made, reference, { recursive: true })
  }
} finally {
  await rm(made, { recursive: true, force: true })
}
