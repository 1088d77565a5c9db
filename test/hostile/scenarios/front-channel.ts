import { type Scenario, accepted, authorize, code, metadata, refusedMetadata, refusedResponse, refusedTokens } from '../scenario.js'
import { withParameter, withoutParameter } from './fapi-modules.js'

// Attacks on the way through the user agent: section 2.1 of the requirements.

const invalid = 'authorization_response_invalid'
const stillPending = { kept: 'a pending request' }

/** What no program should show: markup, a terminal's escapes, a line that reads the other way, and much of it. */
const loud = `<img src=x onerror=alert(1)>\u001b[31m\u202e${'x'.repeat(3_000)}`

export const frontChannel: readonly Scenario[] = [
  refusedResponse('attack 1 a code without state', invalid, withoutParameter('state'), stillPending),
  refusedResponse('attack 1 a code with a state that was guessed', invalid, withParameter('state', 'AAAAAAAAAAAAAAAAAAAAAA'), stillPending),
  refusedResponse(
    "attack 1 the attacker's own code and state",
    invalid,
    (parameters, place) => withParameter('state', place.secret('state'))(withParameter('code', place.foreignCode())(parameters)),
    stillPending,
  ),
  refusedResponse('attack 1 an empty state', invalid, withParameter('state', ''), stillPending),
  refusedTokens(
    'attack 2 a code of another user agent, with the right state, is tried once and never without its verifier',
    'authorization_failed',
    {
      authorize: (parameters, place) => withParameter('code', place.foreignCode())(parameters),
    },
  ),
  refusedResponse('attack 3 a response of another issuer, with the same state', invalid, (parameters, place) =>
    withParameter('iss', place.other)(parameters),
  ),
  refusedResponse('attack 3 an issuer that is written otherwise', invalid, (parameters, place) =>
    withParameter('iss', `${place.issuer}/`)(parameters),
  ),
  {
    ...refusedResponse('attack 3 an iss that is another, though the server promises none', invalid, (parameters, place) =>
      withParameter('iss', place.other)(parameters),
    ),
    fault: {
      discovery: (document) => ({ ...document, authorization_response_iss_parameter_supported: false }),
      authorize: (parameters, place) => withParameter('iss', place.other)(parameters),
    },
  },
  refusedResponse('attack 6 a server that does not like the challenge is not asked without', 'authorization_failed', (parameters) => [
    ['error', 'invalid_request'],
    ['error_description', 'transform algorithm not supported'],
    ...withoutParameter('code')(parameters),
  ]),
  refusedMetadata('attack 6 a server that knows only plain is not asked at all', 'not_supported', (document) => ({
    ...document,
    code_challenge_methods_supported: ['plain'],
  })),
  accepted('attack 6 a server that says nothing of PKCE gets it all the same', {
    discovery: ({ code_challenge_methods_supported: _, ...document }) => document,
  }),
  refusedResponse('attack 8 two codes', invalid, (parameters, place) => [...parameters, ['code', place.foreignCode()]]),
  refusedResponse('attack 8 two states', invalid, (parameters) => [...parameters, ['state', 'another']], stillPending),
  refusedResponse('attack 8 two issuers', invalid, (parameters, place) => [...parameters, ['iss', place.other]]),
  refusedResponse('attack 8 a code and an error', 'access_denied', (parameters) => [...parameters, ['error', 'access_denied']]),
  refusedResponse('attack 8 a code in the fragment only', invalid, (parameters) =>
    parameters.map(([name, value]) => [name === 'code' ? '#code' : name, value]),
  ),
  refusedResponse('attack 9 a token in the query', invalid, (parameters, place) => [...parameters, ['access_token', place.secret('evil')]]),
  refusedResponse('attack 9 a token by another name', invalid, (parameters, place) => [...parameters, ['token', place.secret('evil')]]),
  refusedResponse('attack 9 an ID token in the query', invalid, (parameters, place) => [...parameters, ['id_token', place.secret('evil')]]),
  refusedResponse('attack 9 a token in the fragment, and no code', invalid, (parameters, place) => [
    ...withoutParameter('code')(parameters),
    ['#access_token', place.secret('evil')],
  ]),
  accepted(
    'attack 9 a token in the fragment beside a code is not used',
    { authorize: (parameters, place) => [...parameters, ['#access_token', place.secret('evil')]] },
    { tempts: true },
  ),
  ...['access_denied', 'login_required', 'server_error', loud].map((error, index) =>
    refusedResponse(
      `attack 10 what an error response says is not repeated (${['access_denied', 'login_required', 'server_error', 'an error of 3 KB'][index]})`,
      (['access_denied', 'interaction_required', 'authorization_failed', 'authorization_failed'] as const)[index] ?? invalid,
      (parameters, place) => [
        ['error', error],
        ['error_description', `${loud}${place.secret('text')}`],
        ['error_uri', `javascript:alert('${place.secret('uri')}')`],
        ...withoutParameter('code')(parameters),
      ],
    ),
  ),
  refusedResponse("attack 10 an error of another issuer is nobody's", invalid, (parameters, place) => [
    ['error', 'access_denied'],
    ['error_description', place.secret('text')],
    ...withParameter('iss', place.other)(withoutParameter('code')(parameters)),
  ]),
  ...['authorization_endpoint', 'end_session_endpoint', 'token_endpoint', 'jwks_uri', 'device_authorization_endpoint'].flatMap((member) =>
    ['javascript:alert(1)', 'data:text/html,x', 'http://auth.example/x', 'ftp://auth.example/x'].map((address) =>
      refusedMetadata(`attack 18 75 ${member} ${address.replace(/:.*/, ':')}`, 'discovery_failed', (document) => ({
        ...document,
        [member]: address,
      })),
    ),
  ),
  refusedResponse('attack 1 no parameter at all', invalid, () => [], stillPending),
  refusedTokens(
    'attack 2 a code that was made up',
    'authorization_failed',
    { authorize: withParameter('code', 'made-up') },
    { requests: [metadata, authorize, code] },
  ),
]
