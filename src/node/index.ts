// What only Node has, and all that every place can import.

export * from '../index.js'

export { loopback } from './loopback.js'
export { fileStore } from './file-store.js'
export { terminalPrompt } from './terminal-prompt.js'
export { assertionFile } from './assertion-file.js'
export { githubActionsToken } from './github-actions-token.js'
export { discoverResource } from './discover-resource.js'
