import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { onTestFinished } from 'vitest'

export interface SmtpStandIn {
  url: string
  port: number
  /** Raw texts of the mails that the server has taken, in their order, with their recipients. */
  mails: { to: string[]; raw: string }[]
  close(): Promise<void>
}

export interface SmtpAnswers {
  /** 0: taken; a reply code: refused; `drop`: the connection breaks; `silence`: no answer ever comes. */
  onConnect?: Answer
  onRcpt?(address: string): Answer
  /** After the last byte of the mail. With `drop` and `silence` the mail counts as taken. */
  onData?(): Answer
  port?: number
}

type Answer = 0 | 421 | 451 | 550 | 554 | 'drop' | 'silence'

/** A mail server on loopback that speaks SMTP; closed at the end of the test, or before. */
export async function openSmtp({ onConnect = 0, onRcpt, onData, port = 0 }: SmtpAnswers = {}): Promise<SmtpStandIn> {
  const sockets = new Set<Socket>()
  const mails: SmtpStandIn['mails'] = []
  const give = (answer: Answer, done: (error?: Error) => void) => {
    if (answer === 'drop') for (const socket of sockets) socket.destroy()
    else if (answer === 0) done()
    else if (answer !== 'silence') done(Object.assign(new Error('secret reason'), { responseCode: answer }))
  }
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    onConnect: (_session, done) => give(onConnect, done),
    onRcptTo: ({ address }, _session, done) => give(onRcpt?.(address) ?? 0, done),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const answer = onData?.() ?? 0
        const taken = typeof answer === 'string' || answer === 0
        const to = session.envelope.rcptTo.map(({ address }) => address)
        if (taken) mails.push({ to, raw: Buffer.concat(chunks).toString() })
        give(answer, done)
      })
    },
  })
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  // A connection that the test broke is no fault of the server.
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.server.address() as AddressInfo
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise((resolve) => {
      server.close(resolve)
      for (const socket of sockets) socket.destroy()
    })
    return closed
  }
  onTestFinished(close)
  return { url: `smtp://127.0.0.1:${address.port}`, port: address.port, mails, close }
}

/** The header lines of a raw mail, folded ones as one, by lower-case name. */
export function headersOf(raw: string): Map<string, string[]> {
  const head = raw.slice(0, raw.search(/\r?\n\r?\n/)).replace(/\r?\n[ \t]+/g, ' ')
  const headers = new Map<string, string[]>()
  for (const line of head.split(/\r?\n/)) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(line.indexOf(':') + 1).trim()])
  }
  return headers
}
