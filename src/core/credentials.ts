// What a program proves itself with. Given as a function, it is asked for anew at each request.

/** A JWT, or a function that reads a fresh one. */
export type Assertion = string | (() => string | Promise<string>)

/** A client secret, or a function that reads it. */
export type ClientSecret = string | (() => string | Promise<string>)

/** `CryptoKey`, also for projects without the DOM's types. */
export type WebCryptoKey = Awaited<ReturnType<(typeof crypto)['subtle']['importKey']>>

/** A CryptoKey, a JWK or a PKCS #8 PEM. */
export type PrivateKey = WebCryptoKey | Readonly<Record<string, unknown>> | string
