import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageFile, top } from './published.js'

const run = promisify(execFile)

/** An application in a folder of its own, which has installed the package as a user gets it: packed, and with its dependencies. */
export interface Application {
  readonly folder: string
  remove(): Promise<void>
}

export async function makeApplication(): Promise<Application> {
  const folder = await mkdtemp(join(tmpdir(), 'valetkey-application-'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }))
  // The dependencies come from what is installed here, so that this needs no network.
  const archives: string[] = []
  for (const source of [top, ...Object.keys(packageFile.dependencies).map((name) => join(top, 'node_modules', name))])
    archives.push(await pack(source, folder))
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', ...archives], { cwd: folder })
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Packs a folder into another; the name of the archive. */
async function pack(source: string, into: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', source, '--json', '--ignore-scripts', '--pack-destination', into], { cwd: into })
  const [packed] = JSON.parse(stdout) as [{ filename: string }]
  return `./${packed.filename}`
}
