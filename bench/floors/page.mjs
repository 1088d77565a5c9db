// What the floors with a library share in a page. `keep` and `kept` are how tokens are at rest.
export function pageOf({ authorizationRequest, redeem, renew, keep, kept, send }) {
  async function token() {
    const living = await kept()
    if (living?.expires - 30_000 > Date.now()) return living
    return navigator.locks.request('tokens', async () => {
      const now = await kept()
      if (now === undefined) throw new Error('sign in')
      if (now.expires - 30_000 > Date.now()) return now
      const next = await renew(now)
      await keep(next)
      return next
    })
  }
  return {
    async signIn() {
      const { url, pending } = await authorizationRequest()
      sessionStorage.setItem('pending', JSON.stringify(pending))
      location.assign(url)
    },
    async resume() {
      const address = new URL(location.href)
      const pending = sessionStorage.getItem('pending')
      if (!address.searchParams.has('state') || pending === null) return (await kept()) !== undefined
      sessionStorage.removeItem('pending')
      history.replaceState(null, '', '/')
      await keep(await redeem(address, JSON.parse(pending)))
      return true
    },
    async api(url, init) {
      if (new URL(url, location.href).origin !== 'https://api.example.com') throw new Error('not listed')
      return send(url, init, await token())
    },
  }
}

export const bearer = (url, init, { access_token }) =>
  fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${access_token}` } })
