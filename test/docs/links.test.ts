import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const top = fileURLToPath(new URL('../../', import.meta.url))

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'demo/samples/README.md',
  ...readdirSync(join(top, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`),
]

/** What stands between fences is not read as prose. */
function prose(path: string): string {
  return readFileSync(join(top, path), 'utf8').replaceAll(/^\s*```.*?^\s*```$/gms, '')
}

/** The anchors of a page: those that it sets, and those that a forge gives its headings: lower case, no punctuation, blanks as dashes. */
function anchors(path: string): ReadonlySet<string> {
  const text = prose(path)
  const set = [...text.matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id = '']) => id)
  const headings = [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )
  return new Set([...set, ...headings])
}

test('every link of the README, of the guides and of the reference leads to a page and a heading that are there', () => {
  const lost: string[] = []
  for (const page of pages) {
    for (const [, target = ''] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : relative(top, join(top, dirname(page), path))
      if (!existsSync(join(top, file))) lost.push(`${page}: ${target}`)
      else if (anchor !== undefined && !anchors(file).has(anchor)) lost.push(`${page}: ${target}`)
    }
  }
  expect(lost).toEqual([])
})

test('every guide and every page of the reference is reached from the README', () => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    for (const [, target = ''] of prose(page).matchAll(/\]\(([^)\s#]+\.md)/g)) {
      if (!/^[a-z]+:/.test(target)) reached.add(relative(top, join(top, dirname(page), target)))
    }
  }
  expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([])
})

test('every file and folder of the repository that a page names is there', () => {
  const lost = pages.flatMap((page) =>
    [...prose(page).matchAll(/`((?:src|test|demo|bench|docs)\/[\w./-]*)`/g)]
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(join(top, path)))
      .map((path) => `${page}: ${path}`),
  )
  expect(lost).toEqual([])
})
