// Nothing but what decides about a session's tokens: the engine and the renewal, with neither a protocol, a store, nor a page.
export { tokenEngine } from '../../dist/engine/token-engine.js'
export { renewal } from '../../dist/engine/renewal.js'
