import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HttpError } from '../errors.ts'
import type { Answer } from '../experience/reply.ts'
import { storeFailure } from '../outage.ts'

/** Answers a request for a connection by HTTP, and ends it. */
export function answerSocket(socket: Duplex, { status, headers, body }: Answer): void {
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) })
    .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`))
    .join('\r\n')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n\r\n${body}`)
}

/** What a caller is told of a failure; undefined: it is ours. */
export function refusalOf(error: unknown): Answer | undefined {
  const known = storeFailure(error) ?? error
  if (!(known instanceof HttpError)) return undefined
  const { status, type, message, headers } = known
  return toJson(status, { type, message }, headers)
}

export const ourFault: Answer = toJson(500, { type: 'InternalError', message: 'Something went wrong on our side' })

function toJson(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  }
}
