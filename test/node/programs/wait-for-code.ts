// Shows a code that lives for an hour, and has nothing else to do.
import { terminalPrompt } from '../../../src/node/terminal-prompt.js'

terminalPrompt({ userCode: 'WDJBMJHT', verificationUri: 'https://as.example/device', expiresAt: Date.now() + 3_600_000 })
