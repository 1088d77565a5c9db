import type {
  AuthorizationDetail,
  AuthorizationDetailsForIntrospection,
  KoaContextWithOIDC,
  RichAuthorizationRequestsActiveConfiguration,
  RichAuthorizationRequestsDisabledConfiguration,
} from 'oidc-provider'

interface Active extends RichAuthorizationRequestsActiveConfiguration {
  readonly authorizationDetailsForIntrospection: AuthorizationDetailsForIntrospection
}

/** Rich authorization requests (RFC 9396) of these types; what was consented to is in the grant. */
export function richAuthorization(types: readonly string[]): Active | RichAuthorizationRequestsDisabledConfiguration {
  if (types.length === 0) return { enabled: false }
  return {
    enabled: true,
    types: Object.fromEntries(types.map((type) => [type, { validate: () => {} }])),
    authorizationDetailsForGrantSource: (ctx: KoaContextWithOIDC) => detailsOf(ctx.oidc.grant),
    authorizationDetailsForAccessToken: (_ctx, _token, source) => detailsOf(source),
    authorizationDetailsForIntrospection: (_ctx, token) => detailsOf(token),
  }
}

function detailsOf(of: unknown): AuthorizationDetail[] | undefined {
  return (of as { readonly rar?: AuthorizationDetail[] } | undefined)?.rar
}
