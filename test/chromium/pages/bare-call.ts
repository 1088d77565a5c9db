import { accessToken, oauthFetch } from '../../../src/browser/index.js'

/** A page that has nothing but a token, and calls what it is told. */
export interface BareCall {
  /** Resolves with the status, or with the code of the failure. */
  call(url: string, token: string, init?: RequestInit): Promise<unknown>
}

const bareCall: BareCall = {
  call: (url, token, init) =>
    oauthFetch({ token: async () => accessToken(token) }, { resources: [`${location.origin}/api/`] })(url, init).then(
      ({ status }) => status,
      ({ code }: { code: unknown }) => code,
    ),
}
Object.assign(globalThis, { bareCall })
