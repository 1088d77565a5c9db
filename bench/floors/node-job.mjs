import { jobOf } from './job.mjs'

export const api = jobOf({
  issuer: 'https://auth.example.com',
  clientId: 'job',
  secret: process.env.SECRET,
  resource: 'https://api.example.com/',
})
