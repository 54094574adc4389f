import type { WebSocket } from 'ws'
import type { ClientMessage } from '../../nodes/services/reply.ts'
import { openLoopGuard } from '../flows/loop-guard.ts'

export interface ClientLimits {
  /** Of one message, either way. */
  messageBytes: number
  /** Messages of one client in 10 seconds. */
  messagesPer10Seconds: number
  /** Messages of one client whose runs have not ended; then no more are read until some have. */
  unfinished: number
  /** What may wait to be sent to one that reads slowly. */
  bufferedBytes: number
  /** How long it gets to end its side of a connection. */
  closeMs: number
}

/** Why a connection ended (RFC 6455, 7.4). */
export interface Ending {
  reason: string
  statusCode: number
}

/** What a client does, in its order. */
export type ClientEvent =
  | { type: 'connect' }
  | { type: 'message'; bytes: Buffer; binary: boolean }
  | ({ type: 'disconnect' } & Ending)

export interface Client {
  /** Ends the connection of one that does not read. */
  send(message: ClientMessage): void
  /** The first reason stands. */
  end(statusCode: number, reason: string): void
  /** Ends the connection of one that has not answered the question before; asks again. */
  ping(): void
  /** Resolves when it is gone and all it did is told. */
  over: Promise<void>
}

/**
 * Tells `onEvent` what a client does, one after the other: each waits for the promise of the one before. `done` is to be called
 * once its runs have ended. When a promise rejects the connection ends with 1011.
 */
export function openClient(
  socket: WebSocket,
  {
    limits,
    now,
    onEvent,
  }: { limits: ClientLimits; now(): number; onEvent(event: ClientEvent, done: () => void): Promise<void> },
): Client {
  const guard = openLoopGuard({ now, most: limits.messagesPer10Seconds, spanMs: 10_000 })
  const gone = Promise.withResolvers<void>()
  let ending: Ending | undefined
  let answered = true
  let unfinished = 0
  let line = Promise.resolve()

  const endingSoon = () => {
    // Its side of the end is to be read; what else comes counts no more.
    if (socket.isPaused) socket.resume()
    const timer = setTimeout(() => socket.terminate(), limits.closeMs)
    void gone.promise.then(() => clearTimeout(timer))
  }
  const end = (statusCode: number, reason: string) => {
    if (ending !== undefined) return
    ending = { statusCode, reason }
    socket.close(statusCode, reason)
    endingSoon()
  }
  const finish = () => {
    unfinished -= 1
    if (unfinished < limits.unfinished && socket.isPaused) socket.resume()
  }
  const tell = (event: ClientEvent) => {
    line = line
      .then(() => onEvent(event, event.type === 'message' ? finish : () => undefined))
      .catch(() => end(1011, 'Try again later'))
  }

  socket.on('message', (data: Buffer, binary: boolean) => {
    if (ending !== undefined) return
    if (!guard.take('').allowed)
      return end(1008, `Expected at most ${limits.messagesPer10Seconds} messages in 10 seconds`)
    unfinished += 1
    if (unfinished >= limits.unfinished) socket.pause()
    tell({ type: 'message', bytes: data, binary })
  })
  socket.on('pong', () => {
    answered = true
  })
  socket.on('error', (error: Error & { code?: string }) => {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      ending ??= { statusCode: 1009, reason: `Expected at most ${limits.messageBytes} bytes` }
    }
    endingSoon()
  })
  socket.once('close', (statusCode: number, reason: Buffer) => {
    const { reason: text, statusCode: code } = ending ?? { reason: reason.toString(), statusCode }
    tell({ type: 'disconnect', reason: text, statusCode: code })
    gone.resolve()
  })
  tell({ type: 'connect' })

  return {
    end,
    send({ bytes, binary }) {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount + bytes.length > limits.bufferedBytes) {
        ending ??= { statusCode: 1008, reason: 'Reads too slowly' }
        socket.terminate()
        return
      }
      socket.send(bytes, { binary })
    },
    ping() {
      // What is not read cannot be answered.
      if (socket.isPaused || socket.readyState !== socket.OPEN) return
      if (!answered) return socket.terminate()
      answered = false
      socket.ping()
    },
    over: gone.promise.then(() => line),
  }
}
