/** A key and a certificate for 127.0.0.1 that it vouches for itself: of no worth but to be refused. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg97I8pkbvJvudHkN/
S/mKhWC/OT1o5zlc7N2CYTpTamyhRANCAAR6pNMAcSKzrFwRl0IjZxvZ4cm2aH8B
MC8IdoBvHmF87wY9OF/n1T40zJOA378jKnzEicXS6XdCm9rpAr3pPET6
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUJvwxr7b0cbSjwhZwopWI2IGA718wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjEwMDUzOFoYDzIxMjYxMDI5
MTAwNTM4WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAR6pNMAcSKzrFwRl0IjZxvZ4cm2aH8BMC8IdoBvHmF87wY9OF/n1T40
zJOA378jKnzEicXS6XdCm9rpAr3pPET6o2QwYjAdBgNVHQ4EFgQUz7fYw/4oTxl4
ONDkm8vDE2oc8QMwHwYDVR0jBBgwFoAUz7fYw/4oTxl4ONDkm8vDE2oc8QMwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
ICF2v4yjdKnBP3swVBFjokBMjFMCGwOHsl5Fn41THXt7AiBPVykpBXt3tZJolEYo
i/RxmOmnW4Jmf/s3CgI0MrtV+A==
-----END CERTIFICATE-----`,
}

/** Another key, and a certificate that it vouches for itself: a client's, `CN=nightly`. */
export const clientCertificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQguGzwqfK9q435rLIY
k0Fb2k3LCja3swvBJwP9KZ/aMeqhRANCAAQhu6StxuhMePG9XK5iro3cdapF6HzG
kvg0hUVym9qMiOe2dyyWrtRtTWsNw/MhzbvftRG20JnmU5ipGbcSigaq
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmDCCAT2gAwIBAgIUGfCq8Pmr7drQrizCrg9JhO4PgdcwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHbmlnaHRseTAgFw0yNjExMjIxMDQzMzlaGA8yMTI2MTAyOTEw
NDMzOVowEjEQMA4GA1UEAwwHbmlnaHRseTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABCG7pK3G6Ex48b1crmKujdx1qkXofMaS+DSFRXKb2oyI57Z3LJau1G1Naw3D
8yHNu9+1EbbQmeZTmKkZtxKKBqqjbzBtMB0GA1UdDgQWBBR+rfmMCRpzq9brCrSp
7Ui4sZy+rTAfBgNVHSMEGDAWgBR+rfmMCRpzq9brCrSp7Ui4sZy+rTAPBgNVHRMB
Af8EBTADAQH/MBoGA1UdEQQTMBGCD25pZ2h0bHkuZXhhbXBsZTAKBggqhkjOPQQD
AgNJADBGAiEAjF4FECppHeLHJZx7fyTpyZC2n6ywDhftK5sj0RyN2SICIQC4sma1
HnaqXe17c29aHgiSjCr+SoxdP98Uw89AbqjDaw==
-----END CERTIFICATE-----`,
}

type Dispatching = new (options: object) => object

/** Node's `fetch` with a certificate to present, and with those that it is to believe: what a program does with undici's Agent. */
export function fetchWith(tls: { readonly ca: string; readonly cert?: string; readonly key?: string }): typeof fetch {
  // Node makes its undici on the first use.
  void fetch('data:,').catch(() => {})
  const dispatcher = (globalThis as unknown as Record<symbol, { constructor: Dispatching }>)[Symbol.for('undici.globalDispatcher.1')]
  if (dispatcher === undefined) throw new Error('This Node has no undici to be configured.')
  const agent = new dispatcher.constructor({ connect: tls })
  return (input, init) => fetch(input, { ...init, dispatcher: agent } as RequestInit)
}
