import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { entries, top } from './published.js'

// The public surface, as it is emitted. A change of it is a change of these files, so that whoever reviews it sees it:
// npm run api. CI writes nothing.

/** The declarations of an entry and of every file of ours that it re-exports, each once. */
async function surface(path: string, seen: Set<string> = new Set()): Promise<readonly string[]> {
  if (seen.has(path)) return []
  seen.add(path)
  const text = await readFile(join(top, path), 'utf8')
  const parts = [`// ${path}\n${text.trim()}\n`]
  for (const [, specifier] of text.matchAll(/^export [^;]*?\bfrom '(\.[^']+)\.js'/gms)) {
    parts.push(...(await surface(join(dirname(path), `${specifier}.d.ts`), seen)))
  }
  return parts
}

test.for(entries)('the public surface of $name is the one that was reviewed', async ({ name, types }) => {
  const parts = await surface(types)
  await expect(parts.join('\n')).toMatchFileSnapshot(`./api/${name.replace('/', '-')}.snap`)
})
