import type { Provider as ProviderClass, errors as Errors, interactionPolicy as InteractionPolicy } from 'oidc-provider'

interface QuietProvider {
  readonly Provider: typeof ProviderClass
  readonly interactionPolicy: typeof InteractionPolicy
  readonly errors: typeof Errors
}

let loaded: Promise<QuietProvider> | undefined

/** oidc-provider warns on the console when it is imported by a Node older than its own choice; a demo has nothing to say about that. */
export function quietProvider(): Promise<QuietProvider> {
  // oidc-provider calls URL.parse, which the first releases of Node 20 do not have.
  URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null)
  loaded ??= withoutWarnings(async () => {
    const { Provider, errors, interactionPolicy } = await import('oidc-provider')
    return { Provider, errors, interactionPolicy }
  })
  return loaded
}

async function withoutWarnings<T>(run: () => Promise<T>): Promise<T> {
  const { warn } = console
  console.warn = () => {}
  try {
    return await run()
  } finally {
    console.warn = warn
  }
}
