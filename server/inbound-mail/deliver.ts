import { createHash } from 'node:crypto'
import type { AppFlows, Plans, RunnableFlow } from '../flows/plans.ts'
import type { RunJobInput } from '../flows/run-job.ts'
import type { Queue } from '../jobs/port.ts'
import { anyone } from '../resources/happenings.ts'
import { newId } from '../store/id.ts'
import { type AppStore, StoreError } from '../store/port.ts'
import { keyOf } from './address.ts'
import { keepAttachments } from './attachments.ts'
import type { ReadMail } from './read-mail.ts'
import { MailRefusal, unknownRecipient } from './refusal.ts'

/** A mail that has come in whole. */
export interface InboundMail {
  app: AppStore
  /** What its recipients in this application name. */
  keys: ReadonlySet<string>
  mail: ReadMail
  raw: Uint8Array
  /** What the connection said, where the mail itself says nothing. */
  envelopeFrom: string
  senderIp: string
}

export interface Delivery {
  /** True when some flow listens to the key. */
  listens(app: AppStore, key: string): Promise<boolean>
  /**
   * Resolves once all runs stand in the queue: all or none, and once for each mail, however often it is sent. Throws
   * MailRefusal, StoreError, and Refusal where there is no room for attachments.
   */
  deliver(inbound: InboundMail): Promise<void>
}

const mostAttachments = 10
/** Of what flows get of the mail, as JSON, without its attachments; of all runs that one mail begins together. */
const mostPayloadBytes = 1_000_000
const mostRunsBytes = 8_000_000

export interface DeliveryDeps {
  plans: Plans
  queue: Pick<Queue, 'of'>
  now(): number
}

export function openDelivery({ plans, queue, now }: DeliveryDeps): Delivery {
  return {
    listens: async (app, key) => listeners(await plans.of(app), new Set([key])).length > 0,

    async deliver({ app, keys, mail, raw, envelopeFrom, senderIp }) {
      const heard = listeners(await plans.of(app), keys)
      if (heard.length === 0) throw unknownRecipient()
      const { attachments, ...rest } = mail
      if (attachments.length > mostAttachments) {
        throw new MailRefusal(552, `Expected at most ${mostAttachments} attachments, got ${attachments.length}`)
      }
      const data = { ...rest, from: mail.from ?? { email: envelopeFrom }, messageId: mail.messageId ?? '', senderIp }
      checkSize(data, heard.length)
      const jobs = queue.of(app)
      const digest = digestOf(mail, raw)
      const keyOfRun = ({ flow, index, key }: Listener) => `inbound-mail:${digest}:${flow.id}:${index}:${key}`
      if ((await jobs.byKey(keyOfRun(heard[0]!))) !== undefined) return
      const time = now()
      const kept = await keepAttachments(attachments, { app, jobs, now })
      const relay = { type: anyone.type, id: anyone.id }
      const insertions = heard.map((one) => {
        const { flow, index, key, published } = one
        const input: RunJobInput = {
          ...{ flowId: flow.id, triggerKey: key, triggerType: published, index, triggerId: key },
          ...{ time, data: { ...data, attachments: kept }, relay, depth: 1 },
        }
        return jobs.insertion({ kind: 'run', key: keyOfRun(one), input, requestedBy: relay })
      })
      try {
        await app.write(insertions)
      } catch (error) {
        // Sent twice at the same time: the other one stands.
        if (!(error instanceof StoreError) || error.code !== 'duplicate') throw error
      }
      jobs.wake()
    },
  }
}

interface Listener {
  flow: RunnableFlow
  index: number
  key: string
  published: string
}

function listeners({ flows }: AppFlows, keys: ReadonlySet<string>): Listener[] {
  return flows.flatMap((flow) =>
    flow.plan.triggers.flatMap(({ type, key, published }, index) =>
      type === 'inbound-email' && keys.has(keyOf(key)) ? [{ flow, index, key, published }] : [],
    ),
  )
}

function checkSize(data: object, runs: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(data))
  const most = Math.floor(Math.min(mostPayloadBytes, mostRunsBytes / runs))
  if (bytes <= most) return
  throw new MailRefusal(552, `Expected text, HTML and addresses of at most ${most} bytes together, got ${bytes}`)
}

// A sender that did not hear our answer sends the same mail again. One without a name of its own may be meant twice.
function digestOf({ messageId }: ReadMail, raw: Uint8Array): string {
  return messageId === undefined ? newId() : createHash('sha256').update(raw).digest('hex')
}
