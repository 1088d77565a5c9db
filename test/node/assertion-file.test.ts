import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { assertionFile } from '../../src/node/assertion-file.js'
import { clientAssertion } from '../../src/protocol/client-assertion.js'
import { metadata, testClient } from '../support/client.js'
import { faultServer, json } from '../support/fault-server.js'
import { marker } from '../support/marker.js'
import { renewal } from '../support/renewal.js'
import { failure } from '../support/sign-in.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'valetkey-'))
  onTestFinished(() => rm(folder, { recursive: true }))
})

function read(path: string): Promise<string> {
  return (assertionFile(path) as () => Promise<string>)()
}

test('it is trimmed, for files end with a line break', async () => {
  await writeFile(join(folder, 'token'), 'eyJ.one.sig\n')
  expect(await read(join(folder, 'token'))).toBe('eyJ.one.sig')
})

test('a projected token that is exchanged under its name is the one that is used from then on', async () => {
  const server = await faultServer({ '/token': json({ access_token: 'at', token_type: 'Bearer' }) })
  // As Kubernetes does it: a link to a folder that is replaced.
  for (const turn of ['one', 'two']) await writeFile(join(folder, turn), `eyJ.${turn}.sig`)
  await symlink(join(folder, 'one'), join(folder, 'token'))
  const clientAuthentication = clientAssertion(assertionFile(join(folder, 'token')))
  const client = testClient({ authorizationServer: metadata(server.origin), clientAuthentication })
  await renewal(client)
  await symlink(join(folder, 'two'), join(folder, 'next'))
  await rename(join(folder, 'next'), join(folder, 'token'))
  await renewal(client)
  expect(server.received.map(({ form }) => form.get('client_assertion'))).toEqual(['eyJ.one.sig', 'eyJ.two.sig'])
})

test.for([
  ['is not there', async () => {}, /ENOENT/],
  ['is empty', () => writeFile(join(folder, 'token'), ' \n'), /is empty/],
] as const)('a file that %s is invalid_configuration, which names the path', async ([, make, message]) => {
  await make()
  const path = join(folder, 'token')
  const error = await failure(read(path))
  expect(error).toMatchObject({ name: 'OAuthError', code: 'invalid_configuration', message: expect.stringMatching(message) as string })
  expect(error.message).toContain(path)
  expect(error.cause).toBeUndefined()
})

test('a file that holds no assertion is refused, and its content is not in the error', async () => {
  await writeFile(join(folder, 'token'), `${marker} and more`)
  const server = await faultServer()
  const clientAuthentication = clientAssertion(assertionFile(join(folder, 'token')))
  const error = await failure(renewal(testClient({ authorizationServer: metadata(server.origin), clientAuthentication })))
  expect(error).toMatchObject({ code: 'invalid_configuration' })
  expect(`${error.stack}`).not.toContain(marker)
  expect(server.received).toEqual([])
})

test('a file that is missing when a request is made ready reaches the caller as it is, with its path', async () => {
  const clientAuthentication = clientAssertion(assertionFile(join(folder, 'token')))
  const error = await failure(renewal(testClient({ authorizationServer: metadata('https://as.example'), clientAuthentication })))
  expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining(folder) as string })
})

test.for([undefined, '', 7])('a path that is %s is refused at once', (path) => {
  expect(() => assertionFile(path as string)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
})
