import { readFile } from 'node:fs/promises'
import type { Assertion } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { isText, wrongOption } from '../core/option.js'

/**
 * A token in a file, such as a projected one of Kubernetes: read anew for each token request, so that a new one is used as soon as it is there.
 * A request rejects with `invalid_configuration`, which names the path, while the file cannot be read or is empty.
 *
 * @throws OAuthError `invalid_configuration` for a path that is empty or no string
 *
 * @example
 * const clientAuthentication = clientAssertion(assertionFile('/var/run/secrets/tokens/oauth'))
 */
export function assertionFile(path: string): Assertion {
  if (!isText(path)) throw wrongOption('path', 'must be the path of the file with the assertion.')
  return async () => {
    const text = (await read(path)).trim()
    if (text === '') throw new OAuthError('invalid_configuration', `The assertion file ${path} is empty. Check what writes it.`)
    return text
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    throw new OAuthError(
      'invalid_configuration',
      `The assertion file ${path} cannot be read (${String(code)}). Check that the volume with the token is mounted and readable.`,
    )
  }
}
