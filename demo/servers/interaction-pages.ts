import { scopeInWords } from './resources.js'

/** A name signs in; there are no passwords here. */
const accounts = ['ada', 'grace', 'katherine']

export function signInPage(client: string, hint: string | undefined, isStrong: boolean): string {
  const buttons = accounts
    .map(
      (account) => `<li><button class="account" name="account" value="${account}">
        <span class="initial" aria-hidden="true">${account.charAt(0).toUpperCase()}</span><span>${capital(account)}</span></button></li>`,
    )
    .join('')
  return layout(
    'Sign in',
    `<p class="lead"><strong>${escape(client)}</strong> would like you to sign in.${isStrong ? ' It needs to be sure that it is you: in this demo, to sign in once more counts for that.' : ''}</p>
    <form method="post">
      <ul class="accounts" aria-label="Demo accounts">${buttons}</ul>
    </form>
    <form method="post" class="other">
      <label for="name">Or with any name</label>
      <div class="row"><input id="name" name="name" autocomplete="off" required maxlength="40" value="${escape(hint ?? '')}">
      <button class="primary" name="answer" value="sign_in">Sign in</button></div>
    </form>
    <form method="post"><button class="quiet" name="answer" value="deny">Back to ${escape(client)}</button></form>`,
  )
}

export function consentPage(client: string, account: string, scope: readonly string[], resources: readonly string[]): string {
  const rows = scope.map(
    (value) => `<li><label><input type="checkbox" name="scope" value="${escape(value)}" checked${value === 'openid' ? ' disabled' : ''}>
      <span>${escape(scopeInWords[value] ?? value)}<code>${escape(value)}</code></span></label></li>`,
  )
  const where = resources.map((resource) => `<code>${escape(resource)}</code>`).join(' and ')
  return layout(
    'Allow access?',
    `<p class="lead"><strong>${escape(client)}</strong> asks for this, in the name of <strong>${escape(capital(account))}</strong>.
    Take away what you do not want to give.</p>
    <form method="post">
      <fieldset><legend class="hidden">What to allow</legend><ul class="scopes">${rows.join('')}</ul></fieldset>
      ${where === '' ? '' : `<p class="where">It is for ${where}.</p>`}
      <div class="row end"><button class="plain" name="answer" value="deny">Deny</button>
      <button class="primary" name="answer" value="allow">Allow selected</button></div>
    </form>`,
  )
}

/** `form` is oidc-provider's own, with its protection against forgery. */
export function signOutPage(form: string, automatic: boolean): string {
  const body = `<p class="lead">This ends your session at the demo authorization server.</p>${form}
    <div class="row end"><button class="plain" form="op.logoutForm">Stay signed in</button>
    <button class="primary" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button></div>`
  return layout('Sign out?', automatic ? `${body}<script>document.querySelector('[name=logout]').click()</script>` : body)
}

export function signedOutPage(): string {
  return layout('Signed out', '<p class="lead">Your session at the demo authorization server has ended. You may close this page.</p>')
}

/** Where someone types the code that their device shows; `form` is oidc-provider's own, and `problem` the name of what went wrong. */
export function enterCodePage(form: string, problem: string | undefined): string {
  return layout(
    'Connect a device',
    `<p class="lead"${problem === undefined ? '' : ' role="alert"'}>${problems[problem ?? ''] ?? 'Type the code that your device shows.'}</p>${form}
    <div class="row end"><button class="primary" form="op.deviceInputForm">Continue</button></div>`,
  )
}

const problems: Readonly<Record<string, string>> = {
  NotFoundError: 'There is no such code. Look at your device and type it again.',
  NoCodeError: 'Type the code that your device shows.',
  ExpiredError: 'This code has expired. Ask your device for a new one.',
  AlreadyUsedError: 'This code was used already. Ask your device for a new one.',
  AbortedError: 'The device was not connected. You may close this page.',
}

/** Shows the code once more, so that nobody connects a device that another has sent them to. */
export function confirmCodePage(form: string, client: string, code: string): string {
  return layout(
    'Connect this device?',
    `<p class="lead"><strong>${escape(client)}</strong> asks for access on a device. Go on only if that device is yours and shows this code:</p>
    <p class="code">${escape(code)}</p>${form}
    <div class="row end"><button class="plain" form="op.deviceConfirmForm" name="abort" value="yes">It is not mine</button>
    <button class="primary" form="op.deviceConfirmForm" autofocus>Continue</button></div>`,
  )
}

export function deviceDonePage(client: string): string {
  return layout(
    'Done',
    `<p class="lead">Go back to your device: <strong>${escape(client)}</strong> goes on there. You may close this page.</p>`,
  )
}

export function troublePage(title: string, description: string | undefined): string {
  return layout(title, `<p class="lead">${escape(description ?? 'Go back to the application and start again.')}</p>`)
}

function layout(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} · Demo authorization server</title>
<link rel="stylesheet" href="/interaction.css">
<link rel="icon" href="data:,">
</head>
<body>
<main>
<p class="server">Demo authorization server</p>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
