// Takes the place of node:fs/promises in a program that meets the folder of another that is making a store: while it is taken away the other writes.
import { createRequire } from 'node:module'

type Call = (...parameters: unknown[]) => Promise<unknown>
const real = createRequire(import.meta.url)('node:fs/promises') as Record<
  'chmod' | 'lstat' | 'mkdir' | 'mkdtemp' | 'open' | 'readdir' | 'rename' | 'rm',
  Call
>

export const { chmod, lstat, mkdir, mkdtemp, open, readdir, rename } = real

export const rm: Call = async (path, ...parameters) => {
  if (String(path).includes('/new-')) throw Object.assign(new Error('The folder is not empty.'), { code: 'ENOTEMPTY' })
  return real.rm(path, ...parameters)
}
