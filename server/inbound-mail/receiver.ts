import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from 'pino'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { Refusal } from '../../nodes/services/listing.ts'
import { ConfigError } from '../config.ts'
import { HttpError } from '../errors.ts'
import { openRoom } from '../experience/room.ts'
import { openLoopGuard } from '../flows/loop-guard.ts'
import { type AppStore, StoreError } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { recipientOf } from './address.ts'
import type { Delivery } from './deliver.ts'
import type { MailReader } from './reader.ts'
import { MailRefusal, unknownRecipient } from './refusal.ts'

export interface ReceiverLimits {
  /** Of one mail, as it is sent. */
  mailBytes: number
  /** Mails to one application in 15 seconds. */
  mails: number
  connections: number
  connectionsOfAddress: number
  /** Without a byte, and of a connection in all. */
  idleMs: number
  connectionMs: number
  /** Memory for mails that come in, to one application and to all. */
  heldBytesPerApplication: number
  heldBytes: number
}

export const defaultReceiverLimits: ReceiverLimits = {
  mailBytes: 10_000_000,
  mails: 30,
  connections: 200,
  connectionsOfAddress: 20,
  idleMs: 60_000,
  connectionMs: 600_000,
  heldBytesPerApplication: 60_000_000,
  heldBytes: 150_000_000,
}

export interface Receiver {
  port: number
  /** Takes no more mails, lets those that are being stored be answered, then ends all connections. */
  close(): Promise<void>
}

export interface ReceiverDeps {
  host: string
  port: number
  /** Of the addresses that mails are taken for. */
  domain: string
  limits?: Partial<ReceiverLimits>
  /** The application with an id; undefined for an unknown one. */
  application(id: string): Promise<{ store: AppStore } | undefined>
  delivery: Delivery
  reader: MailReader
  now(): number
  log: Logger
}

/** Recipients of one mail in an application, each with triggers of its own; and strangers that one connection may ask for. */
const mostKeys = 20
const mostStrangers = 10
const closeMs = 10_000

interface Transaction {
  app: AppStore
  keys: Set<string>
}

/**
 * Listens for mails to `<application id>[+key]@<domain>`. A mail is acknowledged once it is in the store for all its
 * recipients; these belong to one application, the sender is asked to send to another one apart. Throws ConfigError when the
 * address is taken.
 */
export async function openReceiver(deps: ReceiverDeps): Promise<Receiver> {
  const { domain, delivery, reader, now, log } = deps
  const limits = { ...defaultReceiverLimits, ...deps.limits }
  const guard = openLoopGuard({ now, most: limits.mails })
  const room = openRoom(limits)
  const transactions = new WeakMap<object, Transaction>()
  const strangers = new WeakMap<SMTPServerSession, number>()
  const sockets = openSockets(limits)
  const working = new Set<Promise<void>>()
  let closing = false

  async function addRecipient(address: string, session: SMTPServerSession): Promise<void> {
    const found = recipientOf(address, domain)
    const app = found && (await deps.application(found.application))?.store
    if (!found || !app || !(await delivery.listens(app, found.key))) {
      const asked = (strangers.get(session) ?? 0) + 1
      strangers.set(session, asked)
      throw asked > mostStrangers ? new MailRefusal(421, 'Too many unknown addresses') : unknownRecipient()
    }
    const transaction = transactions.get(session.envelope)
    if (transaction === undefined) {
      if (!guard.take(scopeKey(app.scope)).allowed) {
        throw new MailRefusal(450, `Expected at most ${limits.mails} mails in 15 seconds. Try again later`)
      }
      transactions.set(session.envelope, { app, keys: new Set([found.key]) })
      return
    }
    const isOther = scopeKey(transaction.app.scope) !== scopeKey(app.scope)
    if (isOther || (transaction.keys.size >= mostKeys && !transaction.keys.has(found.key))) {
      throw new MailRefusal(452, 'Too many recipients: send to this one apart')
    }
    transaction.keys.add(found.key)
  }

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const { envelope, remoteAddress: senderIp } = session
    const transaction = transactions.get(envelope)
    if (transaction === undefined) throw unknownRecipient()
    const { app, keys } = transaction
    const hold = room.open(scopeKey(app.scope))
    const release = hold.share()
    try {
      const raw = await collect(stream, { most: limits.mailBytes, onBytes: (bytes) => hold.set(bytes) })
      const mail = await reader.read(raw)
      const envelopeFrom = envelope.mailFrom ? envelope.mailFrom.address : ''
      await delivery.deliver({ app, keys, mail, raw, envelopeFrom, senderIp })
    } finally {
      release()
    }
  }

  /** Calls `done` with the answer; never rejects. */
  async function answer(work: () => Promise<void>, done: (error?: Error | null) => void): Promise<void> {
    try {
      if (closing) throw new MailRefusal(421, 'The server stops. Try again in a moment')
      await work()
      done()
    } catch (error) {
      done(toRefusal(error, log))
    }
  }
  const track = (work: () => Promise<void>, done: (error?: Error | null) => void) => {
    const answered = answer(work, done)
    working.add(answered)
    void answered.finally(() => working.delete(answered))
  }

  const server = new SMTPServer({
    name: domain,
    banner: 'Headgate',
    size: limits.mailBytes,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    maxClients: limits.connections,
    socketTimeout: limits.idleMs,
    closeTimeout: 100,
    onRcptTo: ({ address }, session, done) => track(() => addRecipient(address, session), done),
    onData: (stream, session, done) => track(() => take(stream, session), done),
  })
  // What ends a connection early; the other side knows.
  server.on('error', (error) => log.debug({ err: error }, 'a connection with mail broke off'))
  server.server.on('connection', sockets.add)
  await listen(server, deps)

  return {
    port: (server.server.address() as AddressInfo).port,
    async close() {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const late = new Promise<void>((resolve) => setTimeout(resolve, closeMs).unref())
      await Promise.race([Promise.allSettled(working), late])
      sockets.close()
      await reader.close()
      await closed
    },
  }
}

/** The bytes of a mail. Throws MailRefusal for one that breaks off or is too large, having kept no more than that. */
async function collect(
  stream: SMTPServerDataStream,
  { most, onBytes }: { most: number; onBytes(bytes: number): void },
): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  let failure: unknown
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length
    // Read to its end all the same: only then does the sender listen.
    if (failure !== undefined) continue
    try {
      if (bytes > most) throw new MailRefusal(552, `Expected a mail of at most ${most} bytes, got more`)
      onBytes(bytes)
      parts.push(part)
    } catch (error) {
      failure = error
      parts.length = 0
      onBytes(0)
    }
  }
  if (failure !== undefined) throw failure
  return Buffer.concat(parts)
}

/** Connections, each for a limited time and few of one address. */
function openSockets({ connectionMs, connectionsOfAddress }: ReceiverLimits) {
  const open = new Set<Socket>()
  const perAddress = new Map<string, number>()
  return {
    add(socket: Socket) {
      const address = socket.remoteAddress ?? ''
      const others = perAddress.get(address) ?? 0
      if (others >= connectionsOfAddress) {
        socket.destroy()
        return
      }
      perAddress.set(address, others + 1)
      open.add(socket)
      const timer = setTimeout(() => socket.destroy(), connectionMs)
      socket.once('close', () => {
        clearTimeout(timer)
        open.delete(socket)
        const left = perAddress.get(address)! - 1
        if (left > 0) perAddress.set(address, left)
        else perAddress.delete(address)
      })
    },
    close() {
      for (const socket of open) socket.destroy()
    },
  }
}

/** What the sender is told: where the fault is ours, to try again. */
function toRefusal(error: unknown, log: Logger): MailRefusal {
  if (error instanceof MailRefusal) return error
  const options = { cause: error }
  if (error instanceof HttpError) return new MailRefusal(452, 'Too much is coming in. Try again later', options)
  if (error instanceof Refusal || (error instanceof StoreError && error.code === 'full')) {
    log.warn({ err: error }, 'there is no room for a mail that came in')
    return new MailRefusal(452, 'There is no room now. Try again later', options)
  }
  // The client broke off in the middle of its mail.
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ECONNECTION') {
    return new MailRefusal(451, 'The connection broke off', options)
  }
  const outage = error instanceof StoreError && error.code === 'unavailable'
  log[outage ? 'warn' : 'error']({ err: error }, 'a mail that came in could not be kept')
  return new MailRefusal(451, 'The mail cannot be kept now. Try again later', options)
}

async function listen(server: SMTPServer, { host, port }: { host: string; port: number }): Promise<void> {
  server.listen(port, host)
  try {
    await once(server.server, 'listening')
  } catch (error) {
    const { message } = error as Error
    throw new ConfigError(`INBOUND_SMTP_PORT: expected an address to listen on, got ${host}:${port} (${message})`)
  }
}
