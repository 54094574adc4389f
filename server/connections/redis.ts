import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionTls, RedisRequest } from '../../nodes/services/connections.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Guard } from '../egress-guard.ts'
import { MOST_BYTES, tooLarge } from './answers.ts'
import { metered } from './meter.ts'
import { type Link, unlessAborted } from './pool.ts'

export interface RedisLink extends Link {
  /** The reply as it came. Throws Refusal for a command that never has one. */
  run(command: string, args: readonly string[]): Promise<unknown>
}

// They have no reply, or one without an end.
const endless = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR', 'SYNC', 'PSYNC'])

// What they change stays with the connection.
const lasting = new Set([
  'SELECT',
  'MULTI',
  'EXEC',
  'WATCH',
  'AUTH',
  'HELLO',
  'CLIENT',
  'RESET',
  'QUIT',
  'READONLY',
  'ASKING',
])

type RedisTarget = Omit<RedisRequest, 'command' | 'args'>

/** Opens a connection to Redis, signed in, at its database; or to a cluster. Whoever opens it closes it. */
export async function openRedis(target: RedisTarget, guard: Guard): Promise<RedisLink> {
  const { AbstractConnector, Cluster, Redis } = await import('ioredis')
  const { hosts, cluster, user, password, database, tls, signal } = target
  const sockets: Socket[] = []
  // Members of a cluster are connected to when a command is theirs: by then the signal of this run may have aborted.
  let reusable = !cluster

  // The client makes one for each server, and asks it for the connection.
  class GuardedConnector extends AbstractConnector {
    readonly at: { host?: string; port?: number }
    constructor(options: unknown) {
      super(0)
      this.at = options as { host?: string; port?: number }
    }
    async connect() {
      const { host = '', port = 6379 } = this.at
      const socket = await guard.connect({ host, port, signal })
      sockets.push(socket)
      this.stream = tls ? await secured(socket, { host, tls, signal }) : socket
      return this.stream
    }
  }

  const options = {
    ...{ Connector: GuardedConnector, protocol: 2 as const, lazyConnect: true, disableClientInfo: true },
    // A reply is waited for on the connection that was asked, and on no other.
    ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, enableReadyCheck: false },
  }
  const signIn = password === '' ? {} : { password, ...(user === '' ? {} : { username: user }) }
  const client = cluster
    ? new Cluster(hosts, {
        ...{ lazyConnect: true, clusterRetryStrategy: () => null, enableReadyCheck: false },
        redisOptions: { ...options, ...signIn },
      })
    : new Redis({ ...options, ...hosts[0] })
  const failed = Promise.withResolvers<never>()
  client.on('error', (error) => failed.reject(ofMember(error)))
  failed.promise.catch(() => {
    reusable = false
  })
  client.on('end', () => {
    reusable = false
  })
  const close = () => {
    reusable = false
    client.disconnect()
    for (const socket of sockets) socket.destroy()
  }
  try {
    await unlessAborted(signal, async () => {
      // What went wrong is told by an event; the call may only say that the connection is closed.
      await client.connect().catch((error) => Promise.race([failed.promise, Promise.reject(ofMember(error))]))
      if (!(client instanceof Redis)) return
      if (password !== '') await client.call('AUTH', ...(user === '' ? [password] : [user, password]))
      if (database !== 0) await client.call('SELECT', database)
    })
  } catch (error) {
    close()
    throw error
  }
  return {
    get reusable() {
      return reusable
    },
    close,
    async run(command, args) {
      const [name = '', ...more] = command.trim().split(/\s+/)
      const upper = name.toUpperCase()
      if (endless.has(upper)) throw new Refusal('Validation', `Expected a command with one reply, got ${upper}`)
      if (lasting.has(upper)) reusable = false
      // In capitals, so that the client does not turn the reply into something else.
      const ask = () => client.call(upper, ...more, ...args)
      return await metered(sockets, { mostBytes: MOST_BYTES, error: tooLarge }, ask)
    },
  }
}

/** A cluster only says that it failed; what one of its members met says why. */
function ofMember(error: Error & { lastNodeError?: Error }): Error {
  return error.lastNodeError ?? error
}

/** TLS over a connection, once the other side has shown who it is. */
async function secured(
  socket: Socket,
  { host, tls, signal }: { host: string; tls: ConnectionTls; signal: AbortSignal },
): Promise<Socket> {
  const { verify, ...pems } = tls
  // The name is that of the author: the address is only where it was found. An address must stand in the certificate, too.
  const servername = isIP(host) === 0 ? host : ''
  const secure = connectTls({ socket, host, servername, rejectUnauthorized: verify, ...pems })
  // As with the connection below it: an error must not end the process when nobody waits any more.
  secure.on('error', () => undefined)
  await once(secure, 'secureConnect', { signal })
  return secure
}
