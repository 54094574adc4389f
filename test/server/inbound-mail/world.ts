import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import type { RunJobInput } from '../../../server/flows/run-job.ts'
import { type DeliveryDeps, openDelivery } from '../../../server/inbound-mail/deliver.ts'
import { openMailReader } from '../../../server/inbound-mail/reader.ts'
import { openReceiver, type Receiver, type ReceiverDeps } from '../../../server/inbound-mail/receiver.ts'
import { openQueue } from '../../../server/jobs/queue.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { openApplication, scope, type TestApplication } from '../../helpers/application.ts'

export const DOMAIN = 'in.example.com'
export const address = (sub?: string) => `${scope.application}${sub === undefined ? '' : `+${sub}`}@${DOMAIN}`

export interface MailWorld extends TestApplication {
  receiver: Receiver
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[]
  clock: { now: number }
  /** What runs were begun with, in their order. */
  begun(app?: AppStore): Promise<RunJobInput[]>
  /** Sends as a mail client does. Gives the code of the answer. */
  send(mail: SendMailOptions): Promise<number>
  /** Speaks for itself. */
  talk(): Promise<RawClient>
}

export interface RawClient {
  socket: Socket
  /** Sends a line; gives the code of the answer. */
  say(line: string): Promise<number>
  /** All that has come. */
  heard(): string
  closed: Promise<unknown>
}

/** An application that mails reach, on a receiver of its own; closed with the test. */
export async function openMailWorld(
  change: { deps?: Partial<ReceiverDeps>; delivery?: Partial<DeliveryDeps> } = {},
): Promise<MailWorld> {
  const world = await openApplication()
  const { store, app, plans } = world
  const clock = { now: Date.UTC(2026, 0, 1) }
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const now = () => clock.now
  const dispatch = {
    wake: () => undefined,
    onWake: () => undefined,
    check: async () => undefined,
    close: async () => undefined,
  }
  const queue = openQueue({ store, dispatch, log, now, concurrency: 1, perApplication: 1, leaseMs: 30_000 })
  const receiver = await openReceiver({
    ...{ host: '127.0.0.1', port: 0, domain: DOMAIN, now, log },
    application: async (id) => (id === scope.application ? { store: app } : undefined),
    delivery: openDelivery({ plans, queue, now, ...change.delivery }),
    reader: openMailReader(),
    ...change.deps,
  })
  onTestFinished(() => receiver.close())
  const transport = createTransport({ host: '127.0.0.1', port: receiver.port, secure: false, ignoreTLS: true })
  onTestFinished(() => transport.close())
  return {
    ...{ ...world, receiver, log: lines, clock },
    begun: async (of = app) =>
      (await of.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: 'run' } })).map(
        ({ input }) => input as RunJobInput,
      ),
    async send(mail) {
      try {
        const { response } = await transport.sendMail({ from: 'ann@example.com', ...mail })
        return Number(response.slice(0, 3))
      } catch (error) {
        return (error as { responseCode?: number }).responseCode ?? Number.NaN
      }
    },
    talk: () => openRawClient(receiver.port),
  }
}

export async function openRawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  let text = ''
  let wake = () => undefined as void
  socket.setEncoding('latin1')
  socket.on('data', (part) => {
    text += part
    wake()
  })
  const closed = once(socket, 'close').finally(() => wake())
  let read = 0
  const answer = async (): Promise<number> => {
    for (;;) {
      const [, line] = /^((?:\d{3}-.*\r\n)*\d{3} .*\r\n)/.exec(text.slice(read)) ?? []
      if (line !== undefined) {
        read += line.length
        return Number(line.split('\r\n').at(-2)!.slice(0, 3))
      }
      if (socket.destroyed) return Number.NaN
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const client: RawClient = {
    ...{ socket, closed, heard: () => text },
    say(line) {
      socket.write(`${line}\r\n`)
      return answer()
    },
  }
  await answer()
  return client
}

/** Says everything up to the mail itself. Gives the code of the last answer. */
export async function begin(client: RawClient, to: string): Promise<number> {
  await client.say('EHLO tester')
  await client.say('MAIL FROM:<ann@example.com>')
  const code = await client.say(`RCPT TO:<${to}>`)
  return code === 250 ? await client.say('DATA') : code
}
