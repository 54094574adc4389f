import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAddress, toHeaderText } from './mail-header.ts'

export interface MailMessage {
  /** Names the mail in its Message-ID and in the outbox: the same id again is the same mail. */
  id: string
  to: readonly string[]
  subject: string
  html: string
  replyTo?: string
}

/** What became of a mail that was not simply taken. `unknown`: it may have been taken; sending it again could double it. */
export type MailFate = 'not-taken' | 'refused' | 'unknown'

export class MailError extends Error {
  readonly fate: MailFate
  constructor(fate: MailFate, message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'MailError'
    this.fate = fate
  }
}

export interface MailDelivery {
  /**
   * Resolves when the server has taken the mail for at least one recipient, with those that it refused; throws MailError. The signal stops it
   * only as long as the server certainly has not the whole mail.
   */
  deliver(message: MailMessage, signal: AbortSignal): Promise<{ rejected: string[] }>
}

export interface MailDeliveryOptions {
  /** `smtp://` or `smtps://`; undefined: each mail becomes a file in `outbox`. */
  smtpUrl: string | undefined
  outbox: string
  from: string
  timeouts?: { connectionMs: number; answerMs: number; wholeMs: number }
}

const defaultTimeouts = { connectionMs: 15_000, answerMs: 60_000, wholeMs: 180_000 }

/** Opens the way out for mail. Without an SMTP server every mail is kept as an `.eml` file that any mail program opens. */
export function openMailDelivery(options: MailDeliveryOptions): MailDelivery {
  const { smtpUrl, outbox, from, timeouts = defaultTimeouts } = options
  const domain = /@([^\s<>]+)/.exec(from)?.[1] ?? 'localhost'
  const compose = ({ id, to, subject, html, replyTo }: MailMessage) => ({
    to: to.filter(isAddress),
    subject: toHeaderText(subject),
    html,
    ...(replyTo !== undefined && isAddress(replyTo) ? { replyTo } : {}),
    messageId: `<${id}@${domain}>`,
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  if (smtpUrl === undefined) {
    return {
      async deliver(message) {
        const { createTransport } = await library()
        const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' }, { from })
        const { message: bytes } = await composer.sendMail(compose(message))
        await keep(outbox, `${message.id}.eml`, bytes as Buffer)
        return { rejected: [] }
      },
    }
  }

  return {
    async deliver(message, signal) {
      let whole = false
      const stop = new AbortController()
      const onAbort = () => whole || stop.abort()
      signal.addEventListener('abort', onAbort)
      const { createTransport } = await library()
      // One for each mail: it keeps no connection, and knows how far this mail has come.
      const transport = createTransport({ url: smtpUrl, ...limitsOf(timeouts) }, { from })
      transport.use('stream', (mail, done) => {
        const create = mail.message.createReadStream.bind(mail.message)
        // The server takes a mail at the mark that follows its last byte: before that it certainly has not.
        mail.message.createReadStream = (given) => create(given).once('end', () => (whole = true))
        done()
      })
      try {
        signal.throwIfAborted()
        const limit = AbortSignal.any([stop.signal, AbortSignal.timeout(timeouts.wholeMs)])
        const sent = await transport.sendMail(Object.assign(compose(message), { signal: limit }))
        return { rejected: sent.rejected.map(String) }
      } catch (cause) {
        throw toMailError(cause, whole)
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}

// Loaded with the first mail: it is large.
const library = () => import('nodemailer')

function limitsOf({ connectionMs, answerMs }: { connectionMs: number; answerMs: number }) {
  return { connectionTimeout: connectionMs, greetingTimeout: connectionMs, socketTimeout: answerMs }
}

// The messages are for whoever asked for the mail: what the server says may tell of the inside of the network.
function toMailError(cause: unknown, whole: boolean): MailError {
  const { responseCode, command } = cause as { responseCode?: unknown; command?: unknown }
  const answered = typeof responseCode === 'number' && responseCode >= 400
  if (whole && !answered) {
    return new MailError('unknown', 'The mail server did not say whether it took the mail', cause)
  }
  const about = command === 'RCPT TO' || command === 'DATA'
  if (answered && responseCode >= 500 && about) {
    return new MailError('refused', 'The mail server refused the mail for good', cause)
  }
  return new MailError('not-taken', 'Expected the mail server to take the mail, but it did not', cause)
}

// Renamed into place, so that whoever watches the folder never reads half a mail.
async function keep(outbox: string, name: string, message: Buffer): Promise<void> {
  await mkdir(outbox, { recursive: true })
  await writeFile(join(outbox, `.${name}.part`), message)
  await rename(join(outbox, `.${name}.part`), join(outbox, name))
}
