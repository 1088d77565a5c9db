/** A resource server as the authorization server knows it (RFC 8707). */
export interface DemoResource {
  /** The resource indicator, which is also the `aud` of its tokens. */
  readonly identifier: string
  /** `opaque`: a random string, checked by introspection. `jwt`: signed, checked by its signature (RFC 9068). */
  readonly format: 'opaque' | 'jwt'
  readonly scope: readonly string[]
}

export const notesResource: DemoResource = {
  identifier: 'https://notes.example/',
  format: 'opaque',
  scope: ['notes:read', 'notes:write'],
}

export const mailResource: DemoResource = {
  identifier: 'https://mail.example/',
  format: 'jwt',
  scope: ['mail:read', 'mail:send'],
}

/** What a person is told on the consent page. */
export const scopeInWords: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your e-mail address',
  offline_access: 'Stay signed in while you are away',
  'notes:read': 'Read your notes',
  'notes:write': 'Write notes',
  'mail:read': 'Read your mail',
  'mail:send': 'Send mail as you',
}
