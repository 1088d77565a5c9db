// What a call with a bound token costs, beside a bare fetch, the same by hand, and oauth4webapi's. Everything is measured in one run, in turn and in
// short blocks, so that a busy machine is busy for all. The ratios are the figures: of the fast tenth of the blocks, which is what a call costs while
// nobody disturbs it; of the medians; and of the processor's time, threads included. Microseconds are not.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { token } from './dpop-server.mjs'
import { isMissed } from './reach.mjs'

const rounds = Number(process.env.BENCH_ROUNDS ?? 150)

/** @param {(text: string) => void} say */
export async function measure(say) {
  const child = fork(fileURLToPath(new URL('dpop-server.mjs', import.meta.url)), { stdio: 'inherit' })
  const [port] = await once(child, 'message')
  const origin = `http://127.0.0.1:${port}`
  const key = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const [ours, hand, library] = [await valetkey(origin), await byHand(key), await oauth4webapi(key)]
  const url = `${origin}/notes`
  const bytes = new TextEncoder().encode('x'.repeat(500))

  const proofs = {
    'one WebCrypto ES256 signature': () => crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, bytes),
    'by hand': () => hand(url),
    oauth4webapi: () => library.proof(url),
    valetkey: () => ours.token.headersFor('GET', url),
  }
  const calls = {
    'bare fetch': () => read(fetch(url)),
    'by hand': async () => read(fetch(url, { headers: { authorization: `DPoP ${token}`, dpop: await hand(url) } })),
    oauth4webapi: () => read(library.call(url)),
    'valetkey, Bearer': () => read(ours.bearer(url)),
    valetkey: () => read(ours.dpop(url)),
  }
  say(`${rounds} rounds of each`)
  const rows = [
    ...(await table(proofAtOnce, proofs, 16, 64)),
    ...(await table(callAlone, calls, 1, 8)),
    // Many in a block: at its end some wait for nobody.
    ...(await table(callsAtOnce, calls, 16, 128)),
  ]
  child.disconnect()
  const ratio = (name, who) => rows.find((row) => row.name === name && row.who === who).fast
  const proof = ratio(proofAtOnce, 'valetkey')
  const wanted = [
    ['proof / signature', proof, 1.9],
    ['proof / oauth4webapi’s proof', proof / ratio(proofAtOnce, 'oauth4webapi'), 0.75],
    ['call / bare fetch, one at a time', ratio(callAlone, 'valetkey'), 2.1],
    ['call / bare fetch, 16 at once', ratio(callsAtOnce, 'valetkey'), 1.5],
  ]
  return [
    {
      title: '4a. DPoP',
      head: ['× the first of each', '', 'fast tenth', 'median', 'processor', 'microseconds'],
      rows: rows.map(({ name, who, fast, median, processor, cost }) => [
        name,
        who.startsWith('valetkey') ? `**${who}**` : who,
        ...[fast, median, processor].map((one) => one.toFixed(2)),
        cost.toFixed(0),
      ]),
    },
    {
      title: '4b. DPoP: what is aimed at',
      head: ['valetkey, fast tenth', 'is', 'reach'],
      rows: wanted.map(([name, is, reach]) => [name, is.toFixed(2), isMissed(Number(is.toFixed(2)), reach)]),
      notes: ['What a call costs by hand, in the same run (4a), is the least that there is to reach on the machine.'],
    },
  ]
}

const [proofAtOnce, callAlone, callsAtOnce] = ['A proof, 16 at once', 'A call, one at a time', 'A call, 16 at once']

async function read(response) {
  await (await response).arrayBuffer()
}

async function table(name, contenders, atOnce, count) {
  const names = Object.keys(contenders)
  for (const who of names) for (let block = 0; block < 10; block += 1) await costOf(contenders[who], atOnce, count)
  const costs = Object.fromEntries(names.map((who) => [who, []]))
  for (let round = 0; round < rounds; round += 1) {
    // Nobody always comes after the same.
    const order = names.map((_, index) => names[(index * (round % 2 === 0 ? 1 : names.length - 1) + round) % names.length])
    for (const who of order) costs[who].push(await costOf(contenders[who], atOnce, count))
  }
  const figures = (who) => {
    const [time, processor] = ['time', 'processor'].map((member) => costs[who].map((cost) => cost[member]))
    return { fast: at(time, 0.1), median: at(time, 0.5), processor: processor.reduce((sum, one) => sum + one, 0) }
  }
  const first = figures(names[0])
  return names.map((who) => {
    const own = figures(who)
    const ratios = Object.fromEntries(Object.keys(own).map((member) => [member, own[member] / first[member]]))
    return { name, who, ...ratios, cost: own.fast }
  })
}

/** Microseconds a run. */
async function costOf(run, atOnce, count) {
  let left = count
  const one = async () => {
    while (left > 0) {
      left -= 1
      await run()
    }
  }
  const [began, usage] = [performance.now(), process.cpuUsage()]
  await Promise.all(Array.from({ length: atOnce }, one))
  const time = (performance.now() - began) * 1_000
  const { user, system } = process.cpuUsage(usage)
  return { time: time / count, processor: (user + system) / count }
}

function at(values, share) {
  return values.toSorted((one, other) => one - other)[Math.floor(share * (values.length - 1))]
}

async function valetkey(origin) {
  const { clientCredentials, clientSecretPost, oauthFetch } = await import('valetkey')
  const source = (dpop) =>
    clientCredentials({
      authorizationServer: { issuer: origin, token_endpoint: `${origin}/token` },
      clientId: 'bench',
      clientAuthentication: clientSecretPost('secret'),
      dpop,
    })
  const bound = source(true)
  const fetching = (from) => oauthFetch(from, { resources: [`${origin}/`] })
  return { token: await bound.token(), dpop: fetching(bound), bearer: fetching(source(false)) }
}

function base64url(bytes) {
  return Buffer.from(bytes).toString('base64url')
}

/** The least that a right proof needs, its header and the hash of its token made once. */
async function byHand({ publicKey, privateKey }) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const header = base64url(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }))
  const ath = base64url(await crypto.subtle.digest('SHA-256', Buffer.from(token)))
  return async (url) => {
    const claims = { jti: crypto.randomUUID(), htm: 'GET', htu: url, iat: Math.floor(Date.now() / 1_000), ath }
    const input = `${header}.${base64url(JSON.stringify(claims))}`
    return `${input}.${base64url(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(input)))}`
  }
}

async function oauth4webapi(key) {
  const oauth = await import('oauth4webapi')
  const handle = oauth.DPoP({ client_id: 'bench' }, key)
  const options = { DPoP: handle, [oauth.allowInsecureRequests]: true }
  return {
    call: (url) => oauth.protectedResourceRequest(token, 'GET', new URL(url), undefined, undefined, options),
    proof: (url) => handle.addProof(new URL(url), new Headers(), 'GET', token),
  }
}
