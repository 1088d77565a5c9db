import { parseUrl } from '../core/address.js'
import type { Resource, ResourceOf } from '../core/resource.js'

/** An address as fetch would read it, and the resource that it belongs to. */
export type Listed = { readonly url: URL; readonly resource: Resource } | { readonly url: URL | undefined; readonly resource: undefined }

/** Reads an address: relative to `base`, in a page by default to the page. */
export type Listing = (address: string, base?: URL) => Listed

/** How many addresses are remembered with their resource. Parsing one costs more than all else that a call does. */
const most = 64

export function listing(resourceOf: ResourceOf): Listing {
  const remembered = new Map<string, Listed>()
  const read = (address: string, base: string | URL | undefined): Listed => {
    const url = parseUrl(address, base)
    const resource = url === undefined ? undefined : resourceOf(url)
    return url === undefined || resource === undefined ? { url, resource: undefined } : { url, resource }
  }
  return (address, base) => {
    const known = remembered.get(address)
    if (known !== undefined) return known
    // Only these say the same wherever they are, and are remembered.
    if (!/^https?:\/\//i.test(address)) return read(address, base ?? pageAddress())
    const listed = read(address, undefined)
    if (remembered.size === most) remembered.clear()
    remembered.set(address, listed)
    return listed
  }
}

/** A form field named `baseURI` would stand in for the page's own: only a string is believed. */
function pageAddress(): string | undefined {
  const base: unknown = globalThis.document?.baseURI
  return typeof base === 'string' ? base : globalThis.location?.href
}
