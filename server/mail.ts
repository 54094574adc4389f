import { Refusal } from '../nodes/services/listing.ts'
import type { Mail } from '../nodes/services/mail.ts'
import { type MailJobInput, mailJob } from './jobs/mail-job.ts'
import type { JobDefinition, Jobs } from './jobs/port.ts'
import { type MailDelivery, type MailDeliveryOptions, MailError, openMailDelivery } from './mail-delivery.ts'
import { isAddress, toHeaderText } from './mail-header.ts'
import { newId } from './store/id.ts'
import type { AppStore } from './store/port.ts'

export interface Mailer {
  /** The mail service of one flow: at most 10 mails in each minute of the clock, over all processes. */
  forFlow(app: AppStore, flowId: string): Mail
  /** What sends the mails; for `Queue.work`. */
  job: JobDefinition
}

export interface MailerOptions extends MailDeliveryOptions {
  /** Undefined: there are no workers, as when a flow runs on the command line. A mail is then sent before `send` resolves. */
  queue?: { of(app: AppStore): Pick<Jobs, 'add'> }
  now(): number
  /** Default 10. */
  perMinute?: number
}

const MOST_RECIPIENTS = 5
const MOST_KEY_CHARS = 200
const MINUTE_MS = 60_000

/** Opens mail: what a flow sends becomes a job, and that goes to the SMTP server or the outbox. Holds nothing open. */
export function openMailer(options: MailerOptions): Mailer {
  const { queue, now, perMinute = 10 } = options
  const delivery = openMailDelivery(options)
  return {
    job: mailJob(delivery),
    forFlow: (app, flowId) => ({
      async send({ to, from, subject, html, key }) {
        const recipients = recipientsOf(to)
        if (key !== undefined && key.length > MOST_KEY_CHARS) {
          throw new Refusal('Validation', `Expected a key of at most ${MOST_KEY_CHARS} characters, got ${key.length}`)
        }
        if ((await countSent(app, `mail:${flowId}`, Math.floor(now() / MINUTE_MS))) > perMinute) {
          const expected = `Expected at most ${perMinute} mails a minute from one flow`
          throw new Refusal('RateLimit', `${expected}; try again in a minute`)
        }
        // A flow cannot speak for any sender it likes: its wish becomes the address that answers go to.
        const replyTo = from !== undefined && isAddress(from) ? { replyTo: from } : {}
        const input: MailJobInput = { to: recipients, subject: toHeaderText(subject), html, ...replyTo }
        if (queue === undefined) return await sendNow(delivery, input)
        const once = key === undefined ? {} : { key: `mail ${flowId} ${key}` }
        await queue.of(app).add({ kind: 'mail', input, requestedBy: { type: 'flow', id: flowId }, ...once })
      },
    }),
  }
}

async function sendNow({ deliver }: MailDelivery, input: MailJobInput): Promise<void> {
  try {
    await deliver({ ...input, id: newId() }, new AbortController().signal)
  } catch (error) {
    if (!(error instanceof MailError)) throw error
    throw new Refusal('Unavailable', error.message, { cause: error })
  }
}

/** Each address once, in their order. */
function recipientsOf(addresses: readonly string[]): string[] {
  const given = addresses
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const to = [...new Set(given)]
  if (to.length === 0 || to.length > MOST_RECIPIENTS) {
    throw new Refusal('Validation', `Expected 1 to ${MOST_RECIPIENTS} recipients, got ${to.length}`)
  }
  const wrong = to.find((one) => !isAddress(one))
  if (wrong !== undefined) throw new Refusal('Validation', `Expected an e-mail address, got "${wrong.slice(0, 100)}"`)
  return to
}

/** Counts what is sent, and gives the number of this span of time; forgets the spans before. `space` is its own in the values. */
export async function countSent({ values }: AppStore, space: string, span: number): Promise<number> {
  const sent = await values.add(space, String(span), 1)
  if (sent === 1) {
    for (const key of Object.keys(await values.entries(space))) if (Number(key) < span) await values.take(space, key)
  }
  return sent
}
