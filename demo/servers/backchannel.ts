import type { BackchannelAuthenticationRequest, CIBAConfiguration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AutomaticUser } from './interactions.js'
import { quietProvider } from './quiet-provider.js'

/** A request that a user's own device would show (OpenID Connect CIBA). */
export interface BackchannelPrompt {
  readonly loginHint: string
  readonly bindingMessage?: string
}

export interface Backchannel {
  readonly feature: CIBAConfiguration
  /** What devices were shown, in order. */
  readonly prompts: readonly BackchannelPrompt[]
  /** The automatic user answers what waits; where there is none, everything waits. */
  answer(provider: Provider): Promise<void>
}

/** The user's own device: whoever the login hint names, answered by the automatic user alone. `nobody` is nobody. */
export function backchannel(automatic: () => AutomaticUser | undefined): Backchannel {
  const prompts: BackchannelPrompt[] = []
  const waiting = new Set<BackchannelAuthenticationRequest>()

  async function answer(provider: Provider): Promise<void> {
    const user = automatic()
    if (user === undefined) return
    for (const request of waiting) {
      waiting.delete(request)
      await provider.backchannelResult(request, user.deny === true ? await accessDenied() : await granted(provider, request, user))
    }
  }

  return {
    prompts,
    answer,
    feature: {
      enabled: true,
      processLoginHint: (_ctx: KoaContextWithOIDC, hint: string | undefined) => (hint === 'nobody' ? undefined : hint),
      validateBindingMessage: (_ctx, message) => checkMessage(message),
      validateRequestContext: () => {},
      verifyUserCode: () => {},
      async triggerAuthenticationDevice(ctx, request) {
        const { login_hint: loginHint, binding_message: bindingMessage } = request.params ?? {}
        prompts.push({ loginHint: String(loginHint), ...(typeof bindingMessage === 'string' ? { bindingMessage } : {}) })
        waiting.add(request)
        await answer(ctx.oidc.provider)
      },
    },
  }
}

async function granted(
  provider: Provider,
  { clientId, accountId, scope = '', resource = [] }: BackchannelAuthenticationRequest,
  user: AutomaticUser,
) {
  const grant = new provider.Grant({ clientId: String(clientId), ...(accountId === undefined ? {} : { accountId }) })
  const allowed = scope.split(' ').filter((one) => one === 'openid' || user.scope === undefined || user.scope.includes(one))
  grant.addOIDCScope(allowed)
  for (const one of [resource].flat()) grant.addResourceScope(one, allowed)
  await grant.save()
  return grant
}

async function accessDenied() {
  const { errors } = await quietProvider()
  return new errors.AccessDenied('The user did not consent.')
}

/** No device shows more. */
async function checkMessage(message: string | undefined): Promise<void> {
  const { errors } = await quietProvider()
  if ((message ?? '').length > 20) throw new errors.InvalidBindingMessage('The message is too long to be shown.')
}
