/** The look of the authorization server's pages: set apart from the demo page's on purpose, for they are another party's. */
export const interactionStyle = `
:root {
  color-scheme: light dark;
  --paper: #f4f2ee; --card: #fff; --ink: #22201c; --soft: #6a655c; --line: #ddd8ce; --accent: #7a4a12; --on-accent: #fff;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #171512; --card: #211e1a; --ink: #eeeae3; --soft: #a9a297; --line: #3a362f; --accent: #e3b06f; --on-accent: #221806; }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
main { width: 100%; max-width: 26rem; padding: 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
p { margin: 0 0 1rem; }
.server { margin-bottom: 1.25rem; font-size: .8125rem; color: var(--soft); }
.lead { color: var(--soft); } .lead strong { color: var(--ink); }
.where { font-size: .875rem; color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; }
.code { margin: 0 0 1.25rem; text-align: center; font: 650 1.75rem/1.2 ui-monospace, monospace; letter-spacing: .08em; }
#op\\.deviceInputForm { display: flex; margin-bottom: 1rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.accounts { display: grid; gap: .5rem; margin-bottom: 1.25rem; }
.account { display: flex; align-items: center; gap: .75rem; width: 100%; text-align: start; }
.initial { display: grid; place-items: center; width: 2rem; height: 2rem; border-radius: 50%; background: var(--accent); color: var(--on-accent); font-weight: 650; }
.scopes { border: 1px solid var(--line); border-radius: 10px; }
.scopes li + li { border-top: 1px solid var(--line); }
.scopes label { display: flex; gap: .75rem; align-items: flex-start; padding: .7rem .875rem; cursor: pointer; }
.scopes input { width: 1.125rem; height: 1.125rem; margin: .2rem 0 0; accent-color: var(--accent); flex: none; }
code { font: .8125rem/1.4 ui-monospace, monospace; color: var(--soft); overflow-wrap: anywhere; }
.scopes code { display: block; }
.other label { display: block; margin-bottom: .375rem; font-size: .875rem; color: var(--soft); }
.row { display: flex; gap: .5rem; } .row.end { justify-content: flex-end; }
input:not([type]), input[type='text'] {
  flex: 1; min-width: 0; padding: .55rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: 8px;
}
button { padding: .55rem 1rem; font: inherit; font-weight: 550; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
button:hover { border-color: var(--soft); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.quiet { margin-top: 1rem; padding-inline: 0; border-color: transparent; color: var(--soft); font-weight: 400; text-decoration: underline; }
.quiet:hover { border-color: transparent; color: var(--ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`
