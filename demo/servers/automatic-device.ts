/**
 * Does with a device's code what a person would do in a browser: types it, confirms it (or says that the device is not theirs), and lets the
 * automatic user do the rest. For tests.
 */
export async function useDeviceCode(issuer: string, userCode: string, deny: boolean): Promise<void> {
  const cookies = new Map<string, string>()
  const visit = async (address: URL, form?: Readonly<Record<string, string>>): Promise<Response> => {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; '), accept: 'text/html' },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    return location === null ? response : visit(new URL(location, address))
  }
  const address = new URL('/device', issuer)
  const [, xsrf = ''] = /name="xsrf" value="([^"]*)"/.exec(await (await visit(address)).text()) ?? []
  await visit(address, { xsrf, user_code: userCode, ...(deny ? { abort: 'yes' } : { confirm: 'yes' }) })
}
