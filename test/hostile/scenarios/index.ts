import type { Scenario } from '../scenario.js'
import { answers } from './answers.js'
import { boundTokens } from './bound-tokens.js'
import { discovery } from './discovery.js'
import { fapiModules } from './fapi-modules.js'
import { frontChannel } from './front-channel.js'
import { leakage } from './leakage.js'
import { oidcModules } from './oidc-modules.js'

/** All scenarios, by theme. */
export const themes: Readonly<Record<string, readonly Scenario[]>> = {
  'OpenID Connect client modules': oidcModules,
  'FAPI 2.0 client modules': fapiModules,
  'front channel': frontChannel,
  'token leakage': leakage,
  'bound tokens': boundTokens,
  'hostile answers': answers,
  'discovery, keys, clocks': discovery,
}
