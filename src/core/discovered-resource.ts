/** What a protected resource says of itself (RFC 9728). Given to a client as `resource`, it is the resource indicator, and turns DPoP on where it must be. */
export interface DiscoveredResource {
  /** Its resource indicator. */
  readonly resource: string
  /** Issuers of the authorization servers whose tokens it takes. */
  readonly authorizationServers: readonly string[]
  /** All that it knows: ask for what you need, not for all (RFC 9728 section 7.2). */
  readonly scopesSupported: readonly string[]
  /** It takes sender-constrained tokens only (RFC 9449). */
  readonly dpopBoundAccessTokensRequired: boolean
}
