import { createHash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'

/** What the listener answers: whole, so that nothing of a request is in it. */
export interface Page {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

/** The answer has come; what it says, the program will. */
export const answered = (): Page =>
  page(200, 'That is all here.', 'You may close this window and go back to the program that sent you here.')

export const answeredWithError = (): Page =>
  page(200, 'The sign-in was not finished.', 'You may close this window. The program that sent you here says what happened.')

export const notTheAnswer = (): Page =>
  page(400, 'Nothing waits for this here.', 'This is no answer to the sign-in that is under way. You may close this window.')

export const notFound = (): Page => page(404, 'There is nothing here.', 'You may close this window.')

export const notAllowed = (): Page => page(405, 'That is not how to get here.', 'You may close this window.', { allow: 'GET' })

/** Self-contained, without script, in the light and in the dark. */
function page(status: number, heading: string, text: string, headers: OutgoingHttpHeaders = {}): Page {
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${heading}</h1>
<p>${text}</p>
</main>
</body>
</html>
`
  const ofStyle = createHash('sha256').update(style).digest('base64')
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'content-security-policy': `default-src 'none'; style-src 'sha256-${ofStyle}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      // The address of this page has the code in it.
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...headers,
    },
    body,
  }
}

const style = `
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1.125rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 32rem; padding: 2rem; text-align: center; text-wrap: balance; }
h1 { margin: 0 0 0.5rem; font-size: 1.5rem; font-weight: 600; }
p { margin: 0; opacity: 0.75; }
`
