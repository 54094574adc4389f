import { createHash, randomBytes } from 'node:crypto'

/** A new secret for the address of a webhook. It begins with the application's id, by which a call finds its application. */
export function newWebhookToken(application: string): string {
  return `${application}-${randomBytes(24).toString('base64url')}`
}

/** What a token is looked up by: nothing that is compared with it tells how much of a guess was right. */
export function webhookTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The application that a token names; undefined when it names none. */
export function applicationOfToken(token: string): string | undefined {
  return /^([0-9a-f]{24})-/.exec(token)?.[1]
}
