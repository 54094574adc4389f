import { lookup as systemLookup } from 'node:dns'
import { once } from 'node:events'
import { connect as connectTo, isIP, type LookupFunction, type Socket } from 'node:net'
import type { Agent } from 'undici'
import { FlowError } from '../engine/errors.ts'
import { bareHost, isPublicAddress, openExceptions } from './egress-address.ts'

export interface GuardOptions {
  /** Whether connections may go to addresses that are not public: all, or the addresses, networks and host names listed. */
  allowPrivate?: boolean | readonly string[]
  /** Default: that of the system. */
  lookup?: LookupFunction
}

export type TlsOptions = { rejectUnauthorized?: boolean; ca?: string; cert?: string; key?: string }

export interface Guard {
  /** Throws `http.refused` for a URL that names an address which is not open. Names are checked when they are looked up. */
  checkUrl(url: URL): void
  /** Connections that only reach open addresses. Whoever opens it destroys it. */
  openAgent(tls: TlsOptions): Promise<Agent>
  /** Connects to an open address; whoever gets the socket destroys it. Rejects with `http.refused`, what the system says, or the signal's reason. */
  connect(target: { host: string; port: number; signal: AbortSignal }): Promise<Socket>
  /** True for a name, and for an address that is open. Names are for `lookup`. */
  opensHost(host: string): boolean
  /** Gives open addresses only; for clients that connect by themselves. */
  lookup: LookupFunction
}

/** Decides which addresses may be connected to. */
export function openGuard({ allowPrivate = false, lookup = systemLookup as LookupFunction }: GuardOptions): Guard {
  const exceptions = openExceptions(typeof allowPrivate === 'boolean' ? [] : allowPrivate)
  const opens = (host: string, address: string) =>
    allowPrivate === true || isPublicAddress(address) || exceptions.hasHost(host) || exceptions.hasAddress(address)

  // The answer is what is connected to: a name that changes its address between check and use gains nothing.
  const guarded: LookupFunction = (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const all = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const open = all.filter(({ address }) => opens(host, address))
      if (open.length === 0) return callback(refused(host), [])
      if (options.all) callback(null, open)
      else callback(null, open[0]!.address, open[0]!.family)
    })
  }

  const opensHost = (host: string) => isIP(host) === 0 || opens(host, host)

  return {
    lookup: guarded,
    opensHost,
    checkUrl(url) {
      const host = bareHost(url.hostname)
      if (!opensHost(host)) throw refused(host)
    },
    async connect({ host, port, signal }) {
      signal.throwIfAborted()
      if (!opensHost(host)) throw refused(host)
      const socket = connectTo({ host, port, lookup: guarded, noDelay: true })
      const stop = () => socket.destroy(signal.reason as Error)
      signal.addEventListener('abort', stop, { once: true })
      try {
        await once(socket, 'connect')
      } finally {
        signal.removeEventListener('abort', stop)
      }
      // Whoever speaks over it listens, too: until then an error must not end the process.
      socket.on('error', () => undefined)
      if (socket.remoteAddress !== undefined && opens(host, socket.remoteAddress)) return socket
      socket.destroy()
      throw refused(host)
    },
    async openAgent(tls) {
      // Loaded for the first request: the library is a tenth of all that a server holds.
      const { openAgent } = await import('./egress-agent.ts')
      return openAgent(tls, { lookup: guarded, opens, refused })
    },
  }
}

function refused(host: string): FlowError {
  return new FlowError(
    'http.refused',
    `Requests to "${host.slice(0, 100)}" are refused: its address is not on the public internet`,
  )
}
