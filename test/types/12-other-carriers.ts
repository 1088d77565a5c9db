// WebSocket, gRPC, axios, ky, openapi-fetch, GraphQL, an AWS-like client.
import { oauthFetch, type TokenSource } from 'valetkey'
declare const source: TokenSource
declare const ky: { create(options: { fetch?: typeof globalThis.fetch }): unknown }
declare function createClient(options: { baseUrl: string; fetch?: (input: Request) => Promise<Response> }): unknown
declare class GraphQLClient {
  constructor(url: string, options: { fetch?: typeof fetch })
}
declare const axios: {
  interceptors: {
    request: { use(run: (config: { url: string; method: string; headers: Record<string, string> }) => Promise<unknown>): void }
  }
}
declare class AwsLikeClient {
  constructor(options: { token: () => Promise<{ token: string; expiration?: Date }> })
}
declare class Metadata {
  set(name: string, value: string): void
}
const api = oauthFetch(source, { resources: ['https://api.example.com/'] })
export const clients = [
  ky.create({ fetch: api }),
  createClient({ baseUrl: 'https://api.example.com', fetch: api }),
  new GraphQLClient('https://api.example.com/graphql', { fetch: api }),
]
export async function socket() {
  return new WebSocket('wss://api.example.com/live', ['bearer', (await source.token()).reveal()])
}
axios.interceptors.request.use(async (config) => {
  Object.assign(config.headers, await (await source.token()).headersFor(config.method, config.url))
  return config
})
export async function grpcMetadata(url: string) {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(await (await source.token()).headersFor('POST', url))) metadata.set(name, value)
  return metadata
}
export const aws = new AwsLikeClient({
  token: async () => {
    const token = await source.token()
    return { token: token.reveal(), ...(token.expiresAt === undefined ? {} : { expiration: new Date(token.expiresAt) }) }
  },
})
