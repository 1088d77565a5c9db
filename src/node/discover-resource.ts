import { parseUrl } from '../core/address.js'
import type { DiscoveredResource } from '../core/discovered-resource.js'
import { discoverResource as discover } from '../protocol/resource-metadata.js'
import { publicFetch } from './public-fetch.js'

/**
 * From a bare URL to its resource's authorization servers and scope (RFC 9728), as `discoverResource` of `valetkey`. On a server it goes to public
 * addresses only, and to the origin of the URL itself: a name is checked when it is connected to, so that no challenge and no metadata leads into the
 * network behind it (RFC 9728 section 7.7). A `fetch` of yours is used as it is.
 *
 * Rejects as that one does; a place that is not public is `network`.
 *
 * @example
 * const { authorizationServers } = await discoverResource('https://api.example.com/notes')
 */
export function discoverResource(url: string | URL, options: { readonly fetch?: typeof fetch } = {}): Promise<DiscoveredResource> {
  return discover(url, { fetch: publicFetch(parseUrl(String(url))?.origin), ...options })
}
