import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository. */
export const top: string = fileURLToPath(new URL('../../', import.meta.url))

interface Target {
  readonly types: string
  /** Not for a page. */
  readonly browser?: null
  readonly default: string
}

interface PackageFile {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | Target>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  /** The most that a program may weigh, minified and compressed by brotli, in bytes: what it loads at once (`first`), until a stored session gives its token (`resumed`), in the end (`bearer`), with `dpop` (`all`). */
  readonly size: readonly { readonly program: string; readonly loaded: 'all' | 'first' | 'resumed' | 'bearer'; readonly limit: number }[]
}

export const packageFile: PackageFile = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as PackageFile

/** What a program can import: its name (`valetkey/browser`), the built file and its declarations, from the top. */
export interface Entry {
  readonly name: string
  readonly file: string
  readonly types: string
}

export const entries: readonly Entry[] = Object.entries(packageFile.exports).flatMap(([subpath, target]) =>
  typeof target === 'string'
    ? []
    : [{ name: packageFile.name + subpath.slice(1), file: target.default.slice(2), types: target.types.slice(2) }],
)

/** Every file of dist/, from the top. */
export function distFiles(): readonly string[] {
  return readdirSync(join(top, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(top, join(entry.parentPath, entry.name)))
    .toSorted()
}
