import { deviceAuthorization, fileStore, loopback, userSession } from 'valetkey/node'
const device = process.argv.includes('--device')
const session = userSession({
  issuer: 'https://auth.example.com',
  clientId: 'notes-cli',
  scope: ['notes:read'],
  store: await fileStore('notes-cli'),
  userAgent: device ? deviceAuthorization((p) => console.log(`Open ${p.verificationUri} and type ${p.userCode}`)) : loopback(),
})
if (!(await session.resume())) await session.signIn()
