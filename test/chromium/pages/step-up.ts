import { challengeOf, oauthFetch } from '../../../src/browser/index.js'
import { app, config } from './app.js'

// A page whose button pays. An API that wants more than the token has gets it in a window, and the call is repeated once: the program of the README.

const api = oauthFetch(app.session, { resources: [`${config.otherApi}/`] })
const pay = () => api(`${config.otherApi}/payments`, { method: 'POST', body: 'one coin' })

async function payOnceMoreIfAsked(): Promise<Response> {
  const response = await pay()
  const challenge = challengeOf(response)
  if (challenge === undefined) return response
  await app.session.signIn(challenge)
  return pay()
}

/** Shows what became of it. */
function button(name: string, run: () => Promise<Response>): void {
  const element = document.createElement('button')
  element.id = name
  element.addEventListener('click', () => {
    element.textContent = 'under way'
    void run().then(
      ({ status }) => (element.textContent = `${status}`),
      (error: unknown) => (element.textContent = (error as { code?: string }).code ?? String(error)),
    )
  })
  document.body.append(element)
}

app.inWindow = true
button('pay', pay)
button('pay-stepping-up', payOnceMoreIfAsked)
