export interface Mail {
  /**
   * Resolves when the mail is queued for good; it is then sent at most once, as soon as the mail server takes it. With `key`
   * (at most 200 characters) only the first mail of the flow that has it is sent. Throws Refusal when over the limit, or
   * without a valid address.
   */
  send(mail: { to: string[]; from?: string; subject: string; html: string; key?: string }): Promise<void>
}

export interface Sms {
  /**
   * Sends a text message to one number, as the server is set up to; resolves when it is taken. Throws Refusal when over the limit, for
   * what is no number, and when it cannot be sent.
   */
  send(sms: { to: string; text: string; signal: AbortSignal }): Promise<void>
}
