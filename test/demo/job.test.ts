import { expect, test } from 'vitest'
import { start } from './started.js'

test('the job asks for one token in its own right, calls the API with it, says so in a few lines, and ends by itself', async () => {
  const job = start('job')
  expect(await job.exited).toBe(0)
  const lines = job.output().trim().split('\n')
  expect(lines.map((line) => line.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'ORIGIN'))).toEqual([
    'The job of demo/job/job.ts, a client of the authorization server ORIGIN, calls the API ORIGIN.',
    'POST ORIGIN/notes was answered with 201; the last of 4 notes is now: The nightly report is ready',
    'The authorization server saw a token request: client_credentials, scope notes:write, answered with 200.',
    'The API saw POST /notes with that token, answered with 201.',
  ])
})

test('stopped in the middle, it leaves no server behind', async () => {
  const job = start('job')
  const [, issuer = ''] = await job.said(/authorization server (\S+),/)
  job.child.kill('SIGINT')
  await job.exited
  await expect(fetch(issuer)).rejects.toThrow('fetch failed')
})
