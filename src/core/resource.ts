import { isHttp, isSecure, parseAddress } from './address.js'
import { isObject, ownMembers, resourceIndicator, scopeValues, text, wrongOption } from './option.js'
import { bare, present } from './secret.js'
import type { TokenTarget } from './tokens.js'

/** A place that may get a token: an origin, and the path below which it lies. */
export interface Resource {
  readonly origin: string
  /** As the URL parser writes it; `/` is the whole origin. */
  readonly path: string
  /** What a call to it asks of its token. */
  readonly target: TokenTarget
}

/** Which resource a URL belongs to; `undefined`: none, and then it gets no token. */
export type ResourceOf = (url: URL) => Resource | undefined

/**
 * Reads the option `resources`: a list of URLs, or a map from URL to what its token must have.
 * A URL belongs to a resource of exactly its origin whose path holds it on a segment border; the longest path wins.
 */
export function readResources(option: unknown): ResourceOf {
  const byOrigin = new Map<string, Resource[]>()
  for (const resource of resourcesIn(option)) {
    const there = byOrigin.get(resource.origin) ?? []
    byOrigin.set(
      resource.origin,
      [...there, resource].toSorted((one, other) => other.path.length - one.path.length),
    )
  }
  return (url) => {
    // `origin` is asked after the scheme: that of `blob:https://api.example/…` is its page's.
    if (!isHttp(url) || url.username !== '' || url.password !== '') return undefined
    const resource = byOrigin.get(url.origin)?.find(({ path }) => isBelow(url.pathname, path))
    return resource === undefined || (resource.path !== '/' && mayClimb(url.pathname)) ? undefined : resource
  }
}

function resourcesIn(option: unknown): readonly Resource[] {
  if (!isObject(option))
    throw wrongOption('resources', 'must be a list of URLs that may get a token, or a map from URL to what its token must have.')
  const resources = Array.isArray(option)
    ? option.map((url: unknown) => readResource(url, nothingInParticular))
    : Object.keys(option).map((url) => readResource(url, readTarget(url, option[url])))
  if (resources.length === 0) throw wrongOption('resources', 'is empty: no URL would get a token. Name the URLs of your APIs.')
  if (!Array.isArray(option) && new Set(resources.map(({ origin, path }) => origin + path)).size < resources.length) {
    throw wrongOption('resources', 'names one URL twice, in two spellings. Say once what its token must have.')
  }
  return resources
}

const nothingInParticular: TokenTarget = Object.freeze(bare({}))

function readResource(written: unknown, target: TokenTarget): Resource {
  const url = parseAddress(written)
  // What was written may have a token in it by mistake; it is named only once it is known to be an address.
  if (url === undefined) throw wrongOption('resources', 'has an entry that is no absolute URL, such as https://api.example.com/.')
  const name = `${url.origin}${url.pathname}`
  if (!isSecure(url)) throw wrongOption('resources', `has ${name}: only https URLs get a token, and http ones on this machine.`)
  if (/[?#]/.test(String(written)))
    throw wrongOption('resources', `has ${name} with a query or a fragment. Leave it out: a resource is an origin and a path.`)
  if (url.hostname.includes('*')) throw wrongOption('resources', `has ${name}: there are no wildcards. Name each origin.`)
  if (url.hostname.endsWith('.')) throw wrongOption('resources', `has ${name}, whose host ends in a dot. Name it without.`)
  if (mayClimb(url.pathname)) throw wrongOption('resources', `has ${name}, which a server may read as another path.`)
  return Object.freeze({ origin: url.origin, path: url.pathname, target })
}

function readTarget(url: string, option: unknown): TokenTarget {
  const members = ownMembers(option, ['scope', 'resource', 'audience'], `an entry of \`resources\``)
  const resource = members['resource']
  const target = present<Required<TokenTarget>>({
    scope: scopeValues(members, 'scope'),
    resource: resource === undefined ? undefined : resourceIndicator(resource, `resources['${parseAddress(url)?.origin ?? ''}'].resource`),
    audience: text(members, 'audience'),
  })
  return Object.freeze(target)
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/')
}

/**
 * Whether a server may find `..` in a path in which the URL parser found none: one that decodes `%2f`, `%5c` and `%2e` before it routes,
 * once or more often, or that drops what follows a semicolon. Then the path may lead out of the prefix that it begins with.
 */
function mayClimb(path: string): boolean {
  if (!path.includes('%') && !path.includes('..')) return false
  const read = path
    .replace(/%(?:25)*(?:2f|5c)/gi, '/')
    .replace(/%(?:25)*2e/gi, '.')
    .replace(/%(?:25)*3b/gi, ';')
  return /(?:^|\/)\.\.(?:;[^/]*)?(?:\/|$)/.test(read)
}
