// The import law (which room may import which), what core/ may touch, and where a secret may be revealed: oxlint's rules `law/…`.
import { posix, sep } from 'node:path'

/**
 * What a room may import. `later` may only be imported by `import()` (types excepted), so that a page loads it when it first needs it.
 * `atOnce`: nothing by `import()`, which a service worker does not have.
 * @typedef {{ readonly may: readonly string[], readonly later?: readonly string[], readonly atOnce?: boolean, readonly packages?: RegExp }} Room
 */

const wherever = ['core', 'protocol', 'grants', 'token-source', 'oauth-fetch', 'stores', 'session', 'system-clock']
const machine = ['system-clock']

/** Every room of src/ and what it may import besides itself. @type {Readonly<Record<string, Room>>} */
export const rooms = {
  core: { may: [] },
  'system-clock': { may: ['core'] },
  protocol: { may: ['core', ...machine], packages: /^oauth4webapi$/ },
  grants: { may: ['core', 'protocol', ...machine] },
  'token-source': { may: ['core', ...machine] },
  'oauth-fetch': { may: ['core', ...machine] },
  stores: { may: ['core', ...machine] },
  session: { may: ['core', 'token-source', ...machine], later: ['grants', 'protocol'] },
  sources: { may: ['core', 'token-source', 'session', 'stores', ...machine], later: ['grants', 'protocol'] },
  browser: { may: wherever, packages: /^idb-keyval$/ },
  worker: { may: [...wherever, 'browser'], atOnce: true, packages: /^idb-keyval$/ },
  node: { may: [...wherever, 'sources'], packages: /^node:/ },
  redis: { may: ['core', 'stores', ...machine] },
  postgres: { may: ['core', 'stores', ...machine] },
  'resource-server': { may: ['core', 'protocol', ...machine] },
  testing: { may: ['core', 'stores', ...machine] },
  index: { may: [...wherever, 'sources'] },
}

/** Names that a file has inside src/, where it says another room: the engine may take more than one file. */
const asRoom = /** @type {Readonly<Record<string, string>>} */ ({
  engine: 'token-source',
  'user-session': 'sources',
  'server-sign-in': 'sources',
})

/** Where a secret's text may be seen. */
const mayReveal = [/^protocol\//, /^oauth-fetch\.ts$/, /^core\/(access-token|secret|codec)\.ts$/]

/** What core/ may name: the language without its clock, its dice and its way to everything else; and two globals that are only values. */
const pure = new Set(
  (
    'undefined NaN Infinity isNaN isFinite parseInt parseFloat encodeURIComponent decodeURIComponent encodeURI decodeURI Object Array String ' +
    'Number Boolean Symbol BigInt Math JSON Map Set WeakMap WeakSet WeakRef Promise Proxy Reflect RegExp Error TypeError RangeError SyntaxError ' +
    'AggregateError ArrayBuffer DataView Uint8Array Uint16Array Uint32Array Iterator arguments URL AbortSignal'
  ).split(' '),
)

/** The path of a file inside src/, or undefined. @param {{ filename: string }} context */
function inside({ filename }) {
  const path = filename.split(sep).join('/')
  const at = path.lastIndexOf('/src/')
  return at < 0 ? undefined : path.slice(at + '/src/'.length)
}

/** @param {string} path inside src/ */
function roomOf(path) {
  const name = (path.split('/')[0] ?? '').replace(/\.[jt]s$/, '')
  return asRoom[name] ?? name
}

/**
 * Why a file may not import this, or undefined when it may.
 * @param {string} path of the file inside src/
 * @param {string} specifier
 * @param {'static' | 'type' | 'dynamic'} kind
 */
function breach(path, specifier, kind) {
  const from = roomOf(path)
  const room = rooms[from]
  if (room === undefined)
    return `src/${path} is in no room that the import law knows: put it into one, or add its room to test/lint/law.mjs.`
  if (room.atOnce === true && kind === 'dynamic') return `${from} may not use import(): a service worker has none.`
  if (!specifier.startsWith('.')) {
    return room.packages?.test(specifier) ? undefined : `${from} may not import '${specifier}'.`
  }
  const target = posix.join(posix.dirname(path), specifier)
  if (target.startsWith('..')) return `${from} may not import '${specifier}' from outside src/.`
  const to = roomOf(target)
  if (to === from || room.may.includes(to)) return undefined
  // A room's index.ts re-exports what every place can import.
  if (to === 'index' && /^(browser|node)\/index\.ts$/.test(path)) return undefined
  if (room.later?.includes(to)) {
    return kind === 'static' ? `${from} may import ${to} only by import(), or types of it.` : undefined
  }
  return `${from} may not import ${to}.`
}

const imports = {
  create(context) {
    const path = inside(context)
    if (path === undefined) return {}
    const judge = (node, source, kind) => {
      if (typeof source?.value !== 'string') {
        if (kind === 'dynamic')
          context.report({ node, message: 'import() of anything but a literal cannot be held against the import law.' })
        return
      }
      const message = breach(path, source.value, kind)
      if (message !== undefined) context.report({ node, message })
    }
    const ofTypes = (node) => (node.importKind === 'type' || node.exportKind === 'type' ? 'type' : 'static')
    return {
      Program(node) {
        if (rooms[roomOf(path)] !== undefined) return
        context.report({
          node,
          message: `src/${path} is in no room that the import law knows: put it into one, or add its room to test/lint/law.mjs.`,
        })
      },
      ImportDeclaration: (node) => judge(node, node.source, ofTypes(node)),
      ExportNamedDeclaration: (node) => node.source && judge(node, node.source, ofTypes(node)),
      ExportAllDeclaration: (node) => judge(node, node.source, ofTypes(node)),
      ImportExpression: (node) => judge(node, node.source, 'dynamic'),
      TSImportType: (node) => judge(node, node.source ?? node.argument?.literal ?? node.argument, 'type'),
    }
  },
}

const globals = {
  create(context) {
    const path = inside(context)
    if (path === undefined || roomOf(path) !== 'core') return {}
    return {
      'Program:exit'(program) {
        const global = context.sourceCode.scopeManager.globalScope ?? context.sourceCode.getScope(program)
        // The language's own names are variables without a definition; all other globals are found nowhere.
        const language = global.variables.filter((variable) => variable.defs.length === 0).flatMap((variable) => variable.references)
        for (const reference of new Set([...global.through, ...language])) {
          const { name } = reference.identifier
          // `typeof fetch` in a type names a type; only what is there at run time counts.
          const onlyType = !reference.isValueReference || reference.identifier.parent.type === 'TSTypeQuery'
          if (!onlyType && !pure.has(name))
            context.report({
              node: reference.identifier,
              message: `core may not use the global '${name}': it comes in as a value or a port.`,
            })
        }
      },
      MemberExpression(node) {
        if (node.object.type === 'Identifier' && node.object.name === 'Math' && node.property.name === 'random') {
          context.report({ node, message: 'core draws no random number: it comes in as a value.' })
        }
      },
    }
  },
}

const reveal = {
  create(context) {
    const path = inside(context)
    if (path === undefined || mayReveal.some((file) => file.test(path))) return {}
    const message = 'reveal() is for protocol/, oauth-fetch.ts and the codec of a store: hand the Secret on, or compare by Secret.equals.'
    const named = (key) => (key.type === 'Identifier' ? key.name : key.value) === 'reveal'
    return {
      MemberExpression: (node) => named(node.property) && context.report({ node, message }),
      ObjectPattern: (node) => node.properties.some((property) => property.key && named(property.key)) && context.report({ node, message }),
    }
  },
}

const classes = {
  create(context) {
    if (inside(context) === undefined) return {}
    const judge = (node) => {
      if (!node.superClass?.name?.endsWith('Error'))
        context.report({ node, message: 'Only errors are classes: make a function that makes a plain object.' })
    }
    return { ClassDeclaration: judge, ClassExpression: judge }
  },
}

export default { meta: { name: 'law' }, rules: { imports, globals, reveal, classes } }
