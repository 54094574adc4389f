import type { LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { bareHost } from './egress-address.ts'
import type { TlsOptions } from './egress-guard.ts'

export interface AgentRules {
  lookup: LookupFunction
  opens(host: string, address: string): boolean
  refused(host: string): Error
}

const CONNECT_MS = 30_000

/** Connections that only reach what the rules open. Whoever opens it destroys it. */
export function openAgent(tls: TlsOptions, { lookup, opens, refused }: AgentRules): Agent {
  const connect = buildConnector({ ...tls, lookup, allowH2: false, timeout: CONNECT_MS })
  return new Agent({
    connections: 256,
    connect(target, callback) {
      connect(target, (...answer) => {
        const [error, socket] = answer
        if (error) return callback(error, null)
        // Once more, on the connection itself, before a byte is sent.
        if (socket.remoteAddress !== undefined && opens(bareHost(target.hostname), socket.remoteAddress)) {
          return callback(null, socket)
        }
        socket.destroy()
        callback(refused(target.hostname), null)
      })
    },
  })
}
