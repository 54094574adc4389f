import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { type Mail, Refusal } from '../nodes/services.ts'

export interface Mailer {
  /** The mail service of one flow: at most 10 mails at once and one more a minute, unless `perMinute` says otherwise. */
  forFlow(key: string): Mail
  close(): void
}

export interface MailerOptions {
  /** `smtp://` or `smtps://`; undefined: each mail becomes a file in `outbox`. */
  smtpUrl: string | undefined
  outbox: string
  from: string
  perMinute?: number
}

const MOST_RECIPIENTS = 5
const BURST = 10

/** Opens the way out for mail. Without an SMTP server every mail is kept as an `.eml` file that any mail program opens. */
export function openMailer(options: MailerOptions): Mailer {
  const transport = options.smtpUrl
    ? createTransport(options.smtpUrl, { from: options.from })
    : createTransport({ streamTransport: true, buffer: true, newline: 'unix' }, { from: options.from })
  const perMinute = options.perMinute ?? BURST
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 })
  return {
    forFlow: (key) => ({
      async send(mail) {
        const to = recipients(mail.to)
        await limiter.consume(key).catch(() => {
          throw new Refusal(
            'RateLimit',
            `Expected at most ${perMinute} mails a minute from one flow; try again in a minute`,
          )
        })
        const sending = transport.sendMail({
          to,
          subject: oneLine(mail.subject),
          html: mail.html,
          // A flow cannot speak for any sender it likes: its wish becomes the address that answers go to.
          ...(mail.from && isAddress(mail.from) ? { replyTo: mail.from } : {}),
          disableFileAccess: true,
          disableUrlAccess: true,
        })
        const sent = await sending.catch((cause: unknown) => {
          // What the mail server says may tell of the inside of the network: it stays with the cause.
          throw new Refusal('Unavailable', 'Expected the mail server to take the mail, but it did not', { cause })
        })
        if (!options.smtpUrl) await keep(options.outbox, sent.message as Buffer)
      },
    }),
    close: () => transport.close(),
  }
}

function recipients(addresses: readonly string[]): string[] {
  const to = addresses
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '')
  if (to.length === 0 || to.length > MOST_RECIPIENTS) {
    throw new Refusal('Validation', `Expected 1 to ${MOST_RECIPIENTS} recipients, got ${to.length}`)
  }
  const wrong = to.find((one) => !isAddress(one))
  if (wrong !== undefined) throw new Refusal('Validation', `Expected an e-mail address, got "${wrong.slice(0, 100)}"`)
  return to
}

function isAddress(text: string): boolean {
  return text.length <= 320 && /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/.test(text)
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').slice(0, 998)
}

// Renamed into place, so that whoever watches the folder never reads half a mail.
async function keep(outbox: string, message: Buffer): Promise<void> {
  await mkdir(outbox, { recursive: true })
  const name = `${new Date().toISOString().replaceAll(':', '-')}-${randomUUID().slice(0, 8)}.eml`
  await writeFile(join(outbox, `.${name}`), message)
  await rename(join(outbox, `.${name}`), join(outbox, name))
}
