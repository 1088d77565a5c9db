import { spawn } from 'node:child_process'

/** A program and what it is given, never by a shell: an address is data. */
export interface Launch {
  readonly command: string
  readonly parameters: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Opens an http or https address in the user's browser. Resolves false where that is known not to have worked, so that the address can be
 * shown instead; nothing else is known of it, for some browsers are their own opener and end when the user closes them.
 */
export async function openBrowser(address: URL): Promise<boolean> {
  const launch = browserLaunch(address, process.platform, process.env)
  return launch !== undefined && run(launch)
}

/** What opens the address on this platform; `undefined` where nobody would see it. */
export function browserLaunch(address: URL, platform: string, environment: Environment): Launch | undefined {
  if (address.protocol !== 'https:' && address.protocol !== 'http:') return undefined
  const { href } = address
  if (platform === 'win32') {
    // By its whole path, for Windows looks for programs in the working folder too. Its one parameter has no spaces or quotes: they are encoded.
    const folder = environment['SystemRoot'] ?? 'C:\\Windows'
    return { command: `${folder}\\System32\\rundll32.exe`, parameters: ['url.dll,FileProtocolHandler', href] }
  }
  // One program by its path, as remote editors set it; anything more would need a shell's rules.
  const own = environment['BROWSER']
  if (own !== undefined && /^\/[^:%\s]+$/.test(own)) return { command: own, parameters: [href] }
  if (isSet(environment['SSH_CONNECTION']) || isSet(environment['SSH_TTY'])) return undefined
  if (platform === 'darwin') return { command: '/usr/bin/open', parameters: [href] }
  const hasScreen = isSet(environment['DISPLAY']) || isSet(environment['WAYLAND_DISPLAY'])
  return hasScreen ? { command: 'xdg-open', parameters: [href] } : undefined
}

/** It may outlive this process, writes nothing here, and keeps nothing alive. */
export function run({ command, parameters }: Launch): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const child = spawn(command, parameters, { detached: true, stdio: 'ignore', shell: false, windowsHide: true })
      child.once('error', () => resolve(false))
      child.once('exit', (code) => resolve(code === 0))
      child.unref()
    } catch {
      resolve(false)
    }
  })
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== ''
}
