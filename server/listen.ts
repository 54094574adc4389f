import { once } from 'node:events'
import type { Server } from 'node:http'
import { type Config, ConfigError } from './config.ts'

/** Listens where the settings say. Throws ConfigError with what to do when the address is taken or cannot be used. */
export async function listen(server: Server, { port, host }: Pick<Config, 'port' | 'host'>): Promise<void> {
  server.headersTimeout = 15_000
  server.requestTimeout = 120_000
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
