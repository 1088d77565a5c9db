// @ts-check
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * What a script of this folder writes to its standard output.
 * @param {string} script
 * @param {readonly string[]} [parameters]
 * @param {readonly string[]} [flags] of node
 * @returns {Promise<string>}
 */
export function childOutput(script, parameters = [], flags = []) {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [...flags, path, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [text, complaint] = ['', '']
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (complaint += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0
        ? resolve(text)
        : reject(
            new Error(
              complaint
                .trim()
                .split('\n')
                .find((line) => line.includes('Error')) ?? complaint,
            ),
          ),
    )
  })
}
