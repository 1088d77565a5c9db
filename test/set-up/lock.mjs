// @ts-check
// `npm run lock`, after dependencies have changed: writes package-lock.json and completes it.
// Some of our tools have one optional package for each platform. A registry that does not carry them all makes npm leave those out of the
// lock, and `npm ci` then refuses it, on every platform. So each gets its entry: the version is exact in the package that wants it, and
// the platform is said by its name.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('../../', import.meta.url)))

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

/** @param {string} name such as @rollup/rollup-linux-x64-musl */
function platformOf(name) {
  const parts = name.split(/[/-]/)
  const os = systems.find((system) => parts.includes(system))
  const cpu = processors.find((processor) => parts.includes(processor))
  if (os === undefined || cpu === undefined) return undefined
  const libc =
    os !== 'linux' ? undefined : parts.at(-1)?.startsWith('musl') ? ['musl'] : parts.at(-1)?.startsWith('gnu') ? ['glibc'] : undefined
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc }) }
}

function install() {
  const { status } = spawnSync('npm', ['install', '--ignore-scripts', '--omit-lockfile-registry-resolved'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('`npm install` failed.')
}

install()

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
let added = 0
for (const owner of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`
    const platform = platformOf(name)
    if (lock.packages[path] !== undefined || platform === undefined) continue
    if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name} is wanted as ${version}, which is not an exact version.`)
    lock.packages[path] = { version, ...platform, ...(owner.dev ? { dev: true } : {}), optional: true }
    added += 1
  }
}
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
// Once more, so that npm puts them where it would have put them.
install()
console.log(`package-lock.json: ${added} packages of other platforms added.`)
