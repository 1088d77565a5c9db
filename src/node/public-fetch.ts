import { lookup as systemLookup } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, type LookupFunction, isIP } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** Addresses that are not of the public Internet (RFC 6890 and its registries): this machine, networks behind it, and the metadata of a cloud. */
const special = new BlockList()
for (const [address, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24],
  ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24],
  ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) special.addSubnet(address, bits, 'ipv4') // prettier-ignore
for (const [address, bits] of [
  ['::', 128], ['::1', 128], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2002::', 16],
  ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8],
] as const) special.addSubnet(address, bits, 'ipv6') // prettier-ignore

/** Whether it is an address of the public Internet. An IPv4 address that is written as IPv6 is the one that it is. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !special.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

type Lookup = typeof systemLookup

/**
 * A `fetch` that goes to public addresses only, for URLs that were learned at run time. A name is resolved once, checked, and connected to as it was
 * checked, so that no second answer of a name server leads elsewhere. It follows no redirect.
 *
 * @param except an origin that may be anywhere: the one that the program itself named
 */
export function publicFetch(except?: string, lookup: Lookup = systemLookup): typeof fetch {
  return (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const isNamed = url.origin === except
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // A lookup is made for names only.
    if (!isNamed && isIP(host) !== 0 && !isPublicAddress(host)) return Promise.reject(refused(url))
    return send(request, url, isNamed ? undefined : guarded(lookup, url))
  }
}

function send(request: Request, url: URL, lookup: LookupFunction | undefined): Promise<Response> {
  const { method, signal } = request
  const headers = Object.fromEntries(request.headers)
  return new Promise((resolve, reject) => {
    const begin = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = begin(url, { method, headers, signal, ...(lookup === undefined ? {} : { lookup }) }, (incoming) => {
      const { statusCode = 502, headersDistinct } = incoming
      const pairs = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
        values.map((value) => [name, value] as [string, string]),
      )
      const hasBody = ![101, 204, 205, 304].includes(statusCode)
      const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream<Uint8Array> as unknown as BodyInit) : null
      if (!hasBody) incoming.resume()
      resolve(new Response(body, { status: statusCode, headers: pairs }))
    })
    outgoing.on('error', reject)
    request.arrayBuffer().then((body) => outgoing.end(Buffer.from(body)), reject)
  })
}

/** Of all that a name resolves to only what is public is left to connect to. */
function guarded(lookup: Lookup, url: URL): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const found = error === null || error === undefined ? addresses.filter(({ address }) => isPublicAddress(address)) : []
      const [first] = found
      if (first === undefined) callback(error ?? refused(url), '', 0)
      else if (options.all === true) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(url: URL): TypeError {
  return new TypeError(`${url.hostname} is no address of the public Internet, and was not asked.`)
}
