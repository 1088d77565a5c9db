import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthorizationDetail, Grant, Interaction, Provider } from 'oidc-provider'
import { signInFor, strongSignIn } from './authentication.js'
import { consentPage, signInPage, troublePage } from './interaction-pages.js'
import { interactionStyle } from './interaction-style.js'
import { readForm } from './loopback.js'

/** Signs in and consents without asking anybody, for tests. */
export interface AutomaticUser {
  readonly account: string
  /** What is consented to; left out, everything that is asked for. */
  readonly scope?: readonly string[] | undefined
  /** Consents to nothing: the client gets `access_denied`. */
  readonly deny?: boolean | undefined
  /** What is consented to of the authorization details that are asked for (RFC 9396). Default: all. */
  readonly details?: ((asked: readonly AuthorizationDetail[]) => readonly AuthorizationDetail[]) | undefined
  /** How the user signs in, whatever was asked for. */
  readonly acr?: string | undefined
}

/** The pages on which a person signs in and consents, scope by scope. */
export function interactions(
  provider: Provider,
  automatic: () => AutomaticUser | undefined,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', provider.issuer)
    if (pathname === '/interaction.css') {
      response.writeHead(200, { 'content-type': 'text/css; charset=utf-8' }).end(interactionStyle)
      return true
    }
    if (!pathname.startsWith('/interaction/')) return false
    try {
      const interaction = await provider.interactionDetails(request, response)
      const user = automatic()
      if (user !== undefined) await answerAlone(provider, request, response, interaction, user)
      else if (request.method === 'POST') await answer(provider, request, response, interaction)
      else await show(provider, response, interaction)
    } catch {
      sendPage(response, 400, troublePage('This request is over', 'Go back to the application and start again.'))
    }
    return true
  }
}

async function show(provider: Provider, response: ServerResponse, interaction: Interaction): Promise<void> {
  const { params, prompt, session } = interaction
  const client = await provider.Client.find(String(params['client_id']))
  const name = client?.clientName ?? client?.clientId ?? 'An application'
  // Browsers hold the redirect that follows a form against form-action too. A tool's redirect URI has a port that no registration knows.
  const redirectUri = text(params['redirect_uri'])
  const origins = redirectUri === undefined ? [] : [new URL(redirectUri).origin]
  const html =
    prompt.name === 'login'
      ? signInPage(name, text(params['login_hint']), signInFor(params['acr_values']) === strongSignIn)
      : consentPage(name, session?.accountId ?? '', asked(interaction), resourcesOf(interaction))
  sendPage(response, 200, html, origins)
}

async function answer(provider: Provider, request: IncomingMessage, response: ServerResponse, interaction: Interaction): Promise<void> {
  const form = await readForm(request)
  if (form.get('answer') === 'deny') return deny(provider, request, response)
  if (interaction.prompt.name === 'login') {
    // A person's own name, or a button's; it becomes the account's id.
    const account = (form.get('account') || form.get('name') || '').trim().toLowerCase().slice(0, 40)
    if (account === '') return show(provider, response, interaction)
    return signIn(provider, request, response, { account, acr: signInFor(interaction.params['acr_values']) })
  }
  return consent(provider, request, response, interaction, form.getAll('scope'))
}

async function answerAlone(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  interaction: Interaction,
  user: AutomaticUser,
): Promise<void> {
  if (user.deny === true) return deny(provider, request, response)
  if (interaction.prompt.name === 'login') {
    const { account, acr = signInFor(interaction.params['acr_values']) } = user
    return signIn(provider, request, response, { account, acr })
  }
  return consent(provider, request, response, interaction, user.scope ?? asked(interaction), user.details)
}

function deny(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const result = { error: 'access_denied', error_description: 'The user did not consent.' }
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

function signIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  { account, acr }: { readonly account: string; readonly acr: string },
): Promise<void> {
  return provider.interactionFinished(request, response, { login: { accountId: account, acr } }, { mergeWithLastSubmission: false })
}

/** Each consent makes a grant of its own, so that it may also be narrower than an earlier one. */
async function consent(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  interaction: Interaction,
  chosen: readonly string[],
  chosenDetails: AutomaticUser['details'] = (all) => all,
): Promise<void> {
  const granted = asked(interaction).filter((scope) => scope === 'openid' || chosen.includes(scope))
  if (granted.length === 0) return deny(provider, request, response)
  const declined = asked(interaction).filter((scope) => !granted.includes(scope))
  const accountId = interaction.session?.accountId
  const grant = new provider.Grant({ clientId: String(interaction.params['client_id']), ...(accountId === undefined ? {} : { accountId }) })
  record(grant, resourcesOf(interaction), granted, declined)
  for (const detail of chosenDetails(detailsOf(interaction))) grant.addRar(detail)
  const grantId = await grant.save()
  await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true })
}

function record(grant: Grant, resources: readonly string[], granted: readonly string[], declined: readonly string[]): void {
  grant.addOIDCScope([...granted])
  if (declined.length > 0) grant.rejectOIDCScope([...declined])
  for (const resource of resources) {
    grant.addResourceScope(resource, [...granted])
    if (declined.length > 0) grant.rejectResourceScope(resource, [...declined])
  }
}

function asked({ params }: Interaction): readonly string[] {
  return (text(params['scope']) ?? '').split(' ').filter((scope) => scope !== '')
}

/** oidc-provider has checked them. */
function detailsOf({ params }: Interaction): readonly AuthorizationDetail[] {
  return JSON.parse(text(params['authorization_details']) ?? '[]') as AuthorizationDetail[]
}

function resourcesOf({ params }: Interaction): readonly string[] {
  return [params['resource'] ?? []].flat().map(String)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function sendPage(response: ServerResponse, status: number, html: string, formTargets: readonly string[] = []): void {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(html)
}
