/** What the user is shown, to sign in on another device (RFC 8628 section 3.3). */
export interface DevicePrompt {
  /** What the user types. */
  readonly userCode: string
  /** Where they type it. */
  readonly verificationUri: string
  /** With the code in it: for a QR code or a link. */
  readonly verificationUriComplete?: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}
