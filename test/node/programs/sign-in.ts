// A tool without a browser: says the address, waits for the answer, and has nothing more to do.
import { loopback } from '../../../src/node/loopback.js'

const userAgent = loopback({ show: (address) => void process.stdout.write(`${address.href}\n`) })
const response = await userAgent.authorize(
  async (redirectUri) => new URL(`https://as.example/?state=s&redirect_uri=${encodeURIComponent(redirectUri)}`),
  {},
)
process.stdout.write(`${response.searchParams.get('code')}\n`)
