import { type MailDelivery, MailError } from '../mail-delivery.ts'
import { type JobContext, type JobDefinition, JobFailed } from './port.ts'

/** The kind of the jobs that send mails. */
export const mailKind = 'mail'

/** The input of a job of kind `mail`, checked by whoever adds it: addresses without a name, 1 to 5 of them. */
export interface MailJobInput {
  to: string[]
  subject: string
  html: string
  replyTo?: string
}

/** What stands in the progress of the job: the mark of a start that has begun to send, and of one that has sent. */
const SENDING = 'sending'
const SENT = 'sent'

// Together at least 85 minutes: a mail server may be down for an hour.
const mostAttempts = 24
const backoffMs = { first: 5_000, most: 600_000 }

/**
 * Sends a mail at most once. Whether a mail is out is not known when the process dies, or the connection breaks, between the last byte
 * and the answer: the job then fails with `mail.unknown`, and only a person sends it again, by `Jobs.retry`. What the server
 * certainly has not taken is sent again by itself; what it refused for good fails with `mail.refused`.
 */
export function mailJob({ deliver }: Pick<MailDelivery, 'deliver'>): JobDefinition {
  return {
    kind: mailKind,
    mostAttempts,
    backoffMs,
    async run(context) {
      const { id, signal } = context
      const mail = context.input as MailJobInput
      const job = await context.app.collection('jobs').get(id)
      if (job?.progress.status === SENT) return undefined
      if (job?.progress.status === SENDING) throw unknownFate()
      await mark(context)
      try {
        const { rejected } = await deliver({ ...mail, id }, signal)
        // The end of the job says the same, and is written as long as this takes.
        await context.progress({ completed: 1, total: 1, status: SENT }).catch(() => undefined)
        return { output: { rejected } }
      } catch (error) {
        if (!(error instanceof MailError)) throw error
        if (error.fate === 'unknown') throw unknownFate(error)
        await context.progress({ completed: 0, total: 1, status: 'waiting' })
        if (error.fate === 'refused') throw new JobFailed('mail.refused', error.message, { cause: error })
        if (context.attempt >= mostAttempts) throw new JobFailed('mail.not-taken', error.message, { cause: error })
        throw error
      }
    },
  }
}

/** Resolves when the mark is in the store, put there by a start that still has the job. */
async function mark(context: JobContext): Promise<void> {
  await context.progress({ completed: 0, total: 1, status: SENDING })
  // Progress may be written later; a write takes it along at once.
  await context.write([])
}

function unknownFate(cause?: unknown): JobFailed {
  const message = 'Whether the mail was delivered is not known. Queue the job again to send it (once more)'
  return new JobFailed('mail.unknown', message, { cause })
}
