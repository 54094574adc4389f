import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sendByTwilio } from '../nodes/output/twilio.ts'
import type { HttpClient } from '../nodes/services/http.ts'
import { Refusal } from '../nodes/services/listing.ts'
import type { Sms } from '../nodes/services/mail.ts'
import { countSent } from './mail.ts'
import { twilioOf } from './sms-url.ts'
import { newId } from './store/id.ts'
import type { AppStore } from './store/port.ts'

export interface Texter {
  /** The text messages of one flow: at most 10 in each ten minutes of the clock, over all processes. */
  forFlow(app: AppStore, flowId: string): Sms
}

export interface TexterOptions {
  /** Undefined: each message becomes a file in `outbox`. */
  smsUrl: string | undefined
  outbox: string
  http: HttpClient
  now(): number
}

const MOST = 10
const SPAN_MS = 600_000
const MOST_CHARS = 1_600

/** Opens text messages. Holds nothing open; a message is sent while the flow waits, and never again by itself. */
export function openTexter({ smsUrl, outbox, http, now }: TexterOptions): Texter {
  const sender = smsUrl === undefined ? undefined : twilioOf(smsUrl)
  return {
    forFlow: (app, flowId) => ({
      async send({ to, text, signal }) {
        const number = to.replace(/[\s().-]/g, '')
        if (!/^\+[1-9]\d{4,14}$/.test(number)) {
          throw new Refusal('Validation', `Expected a phone number like +15551234567, got "${to.slice(0, 50)}"`)
        }
        if (text === '' || text.length > MOST_CHARS) {
          throw new Refusal('Validation', `Expected a text of 1 to ${MOST_CHARS} characters, got ${text.length}`)
        }
        if ((await countSent(app, `sms:${flowId}`, Math.floor(now() / SPAN_MS))) > MOST) {
          const expected = `Expected at most ${MOST} text messages in ten minutes from one flow`
          throw new Refusal('RateLimit', `${expected}; try again later`)
        }
        if (!sender) return await keep(outbox, `To: ${number}\n\n${text}\n`)
        const { account, token, from } = sender
        await sendByTwilio({ http, signal, account, user: account, token }, { To: number, From: from, Body: text })
      },
    }),
  }
}

async function keep(outbox: string, text: string): Promise<void> {
  await mkdir(outbox, { recursive: true })
  await writeFile(join(outbox, `${newId()}.sms.txt`), text)
}
