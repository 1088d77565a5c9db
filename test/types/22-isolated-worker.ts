// /tokens.js
import { serveCalls } from 'valetkey/worker'
serveCalls({
  issuer: 'https://auth.example.com',
  clientId: 'web',
  redirectUri: '/callback',
  scope: ['notes:read'],
  resources: ['https://api.example.com/'],
})
