/** Whether tokens are to be bound to a key (RFC 9449): chosen at a sign-in, and known again after the way to the authorization server. */
export interface KeyBinding {
  readonly chosen: boolean
  readonly choose: (bound: boolean) => void
}

const place = 'valetkey-demo-bound'

export function keyBinding(): KeyBinding {
  const chosen = localStorage.getItem(place) === 'yes'
  // A session is made for one kind of tokens: for another tab's choice this one is loaded anew.
  addEventListener('storage', ({ key, newValue }) => {
    if (key === place && (newValue === 'yes') !== chosen) location.reload()
  })
  return { chosen, choose: (bound) => localStorage.setItem(place, bound ? 'yes' : 'no') }
}
