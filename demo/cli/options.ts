import { parseArgs } from 'node:util'

export const usage = `Usage: npm run demo:cli -- [--device] [--sign-out] [--folder PATH]
       npm run demo:cli -- --issuer URL --client-id ID --api URL [--scope 'openid …'] …
The client must be a public one, with the redirect URI http://127.0.0.1/callback (any port), or with the device authorization grant.`

export interface CliOptions {
  /** What the tool itself is told. */
  readonly flags: readonly string[]
  /** Where everything lives that outlives a run. */
  readonly folder: string | undefined
  /** A real authorization server and API in the place of the demo's own. */
  readonly real: { readonly issuer: string; readonly clientId: string; readonly api: string; readonly scope: string } | undefined
}

/** `undefined` where what was said makes no sense. */
export function readOptions(parameters: readonly string[]): CliOptions | undefined {
  const values = parse(parameters)
  if (values === undefined) return undefined
  const { issuer, 'client-id': clientId, api, scope, folder } = values
  const flags = [...(values.device === true ? ['--device'] : []), ...(values['sign-out'] === true ? ['--sign-out'] : [])]
  if (issuer === undefined && clientId === undefined && api === undefined && scope === undefined) return { flags, folder, real: undefined }
  if (!isWebUrl(issuer) || !isWebUrl(api) || clientId === undefined || clientId === '') return undefined
  return { flags, folder, real: { issuer, clientId, api, scope: scope ?? 'openid' } }
}

function parse(parameters: readonly string[]) {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean' }] as const
  try {
    const options = { issuer: text, 'client-id': text, api: text, scope: text, folder: text, device: flag, 'sign-out': flag }
    return parseArgs({ args: [...parameters], options }).values
  } catch {
    return undefined
  }
}

function isWebUrl(value: string | undefined): value is string {
  return value !== undefined && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}
