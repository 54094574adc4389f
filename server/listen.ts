import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Config, ConfigError } from './config.ts'

type Limits = Pick<Config, 'requestTimeoutMs' | 'replyTimeoutMs'>

/** Takes over connections whose request asks for it. */
export interface Upgrades {
  /** False: it is a request like any other. */
  asks(request: IncomingMessage): boolean
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/**
 * A server that gives up on clients that dawdle: over their headers, their body, or the reading of their answer. Once it is told
 * to close, each answer ends its connection: a proxy that keeps connections asks another process next.
 */
export function openSocket(
  handle: RequestListener,
  { requestTimeoutMs, replyTimeoutMs, upgrades }: Limits & { upgrades: Upgrades },
): Server {
  const unanswered = new Set<ServerResponse>()
  const server = createServer(
    {
      maxHeaderSize: 32 * 1024,
      headersTimeout: Math.min(15_000, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(10_000, requestTimeoutMs),
      shouldUpgradeCallback: upgrades.asks,
    },
    (request, response) => {
      if (server.listening) {
        unanswered.add(response)
        response.once('close', () => unanswered.delete(response))
      } else response.shouldKeepAlive = false
      handle(request, response)
    },
  )
  const { close } = server
  server.close = (onClosed) => {
    for (const response of unanswered) response.shouldKeepAlive = false
    return close.call(server, onClosed)
  }
  server.on('upgrade', upgrades.upgrade)
  // Without traffic either way; a request that waits for its reply is silent too.
  server.timeout = replyTimeoutMs + 60_000
  return server
}

/** Listens where the settings say. Throws ConfigError with what to do when the address is taken or cannot be used. */
export async function listen(server: Server, { port, host }: Pick<Config, 'port' | 'host'>): Promise<void> {
  server.maxHeadersCount = 200
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new ConfigError(`PORT: expected a free port, got ${port}, which another program uses. Stop it or set PORT.`)
    }
    throw new ConfigError(`HOST, PORT: expected an address to listen on, got ${host}:${port} (${message})`)
  }
}
