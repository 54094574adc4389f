import { createHash } from 'node:crypto'
import { FlowError } from '../../engine/errors.ts'
import { hide } from '../../nodes/network/provider.ts'
import type { Connections, MongoRequest, SqlRequest } from '../../nodes/services/connections.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { type GuardOptions, openGuard } from '../egress-guard.ts'
import { toPayload } from './answers.ts'
import { openMongo } from './mongo.ts'
import { openMysql } from './mysql.ts'
import { type Link, openPool } from './pool.ts'
import { openPostgres } from './postgres.ts'
import { openRedis } from './redis.ts'

export interface OpenConnections {
  /** The databases of one application, named by its scope: nothing is shared with another. */
  of(application: string): Connections
  /** Ends all connections; what is under way fails. */
  close(): void
}

export interface ConnectionsOptions extends GuardOptions {
  /** Default 8. */
  perApplication?: number
  /** How long a connection waits for its next use; default 30 seconds. */
  idleMs?: number
  /** How long a question may take, its connection included; default 30 seconds. */
  mostMs?: number
}

interface Question<L extends Link> {
  name: string
  /** What tells one connection from another. */
  target: object
  secrets: string[]
  signal: AbortSignal
  open(signal: AbortSignal): Promise<L>
  work(link: L): Promise<unknown>
}

/** Opens the way to databases of others. Their libraries are loaded with the first question. Whoever opens it closes it. */
export function openConnections({
  perApplication,
  idleMs,
  mostMs = 30_000,
  ...rest
}: ConnectionsOptions = {}): OpenConnections {
  const guard = openGuard(rest)
  const pool = openPool({
    ...(perApplication === undefined ? {} : { perApplication }),
    ...(idleMs === undefined ? {} : { idleMs }),
  })

  async function ask<L extends Link>(application: string, question: Question<L>): Promise<unknown> {
    const { name, target, secrets, work } = question
    const timeout = AbortSignal.timeout(mostMs)
    const signal = AbortSignal.any([question.signal, timeout])
    // Passwords are a part of it: it is kept as a hash alone.
    const key = createHash('sha256')
      .update(JSON.stringify([name, target]))
      .digest('base64')
    try {
      const open = () => question.open(signal)
      return toPayload(await pool.lease({ application, key, signal, open, work }))
    } catch (error) {
      question.signal.throwIfAborted()
      if (timeout.aborted) throw new Refusal('Unavailable', `${name} did not answer within ${mostMs / 1000} seconds`)
      throw refusalOf(error, { name, secrets })
    }
  }

  return {
    of: (application) => ({
      redis({ command, args, signal, ...target }) {
        return ask(application, {
          ...{ name: 'Redis', target, signal, secrets: [target.password, target.tls?.key ?? ''] },
          open: (whole) => openRedis({ ...target, signal: whole }, guard),
          work: (link) => link.run(command, args),
        })
      },
      async sql({ query, signal, ...target }) {
        const { name, open } = systems[target.system]
        return (await ask(application, {
          ...{ name, target, signal, secrets: [target.password, target.tls?.key ?? ''] },
          open: (whole) => open({ ...target, signal: whole }, guard),
          work: (link) => link.run(query),
        })) as Awaited<ReturnType<Connections['sql']>>
      },
      mongo({ uri, signal, ...request }: MongoRequest) {
        return ask(application, {
          ...{ name: 'MongoDB', target: { uri }, signal, secrets: secretsOf(uri) },
          open: (whole) => openMongo({ uri, signal: whole }, guard),
          work: (link) => link.run(request),
        })
      },
    }),
    close: () => pool.close(),
  }
}

const systems: Record<SqlRequest['system'], { name: string; open: typeof openPostgres }> = {
  pg: { name: 'PostgreSQL', open: openPostgres },
  mysql: { name: 'MySQL', open: openMysql },
}

/** What a client or a server says is wrong, for the author of the flow; without the cause, which may hold a password. */
function refusalOf(error: unknown, { name, secrets }: { name: string; secrets: string[] }): unknown {
  if (error instanceof Refusal) return error
  if (error instanceof FlowError) {
    if (error.code !== 'http.refused') return error
    return new Refusal('Unavailable', `${name} cannot be reached: its address is not on the public internet`)
  }
  const { message = String(error), code } = error as { message?: string; code?: unknown }
  const said = message || String(code ?? 'no reason given')
  return new Refusal(isOutage(error) ? 'Unavailable' : 'Validation', hide(`${name}: ${said}`, secrets))
}

/** True for what the system says of connections, and what clients say of those that ended. */
function isOutage(error: unknown): boolean {
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown }
  if (typeof code === 'string' && /^(E[A-Z]+|PROTOCOL_CONNECTION_LOST|ERR_SOCKET_\w+)$/.test(code)) return true
  if (typeof name === 'string' && /^Mongo(Network|ServerSelection|TopologyClosed)/.test(name)) return true
  return (
    typeof message === 'string' &&
    /^(failed to refresh slots|connection (is closed|terminated)|client has encountered a connection error)/i.test(
      message,
    )
  )
}

/** The URI and the password in it, as it is written and as it is meant. */
function secretsOf(uri: string): string[] {
  const written = /:\/\/[^/?]*?:([^/?]*)@/.exec(uri)?.[1] ?? ''
  return [uri, written, URL.parse(`x://h/?${new URLSearchParams({ p: written })}`)?.searchParams.get('p') ?? '']
}
