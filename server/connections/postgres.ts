import type { Payload } from '../../engine/payload.ts'
import type { SqlRequest } from '../../nodes/services/connections.ts'
import type { Guard } from '../egress-guard.ts'
import { MOST_BYTES, MOST_ROWS, tooLarge, tooMany } from './answers.ts'
import { metered } from './meter.ts'
import { type Link, unlessAborted } from './pool.ts'
import { leavesNothing } from './sql-session.ts'

export interface SqlLink extends Link {
  /** The rows; undefined for a statement that has none. */
  run(query: string): Promise<Payload[] | undefined>
}

/** Opens a connection to PostgreSQL. Whoever opens it closes it. */
export async function openPostgres(target: Omit<SqlRequest, 'query'>, guard: Guard): Promise<SqlLink> {
  const { Client, Query } = await import('pg')
  const { host, port = 5432, user, password, database, tls, signal } = target
  const socket = await guard.connect({ host, port, signal })
  // The client is given a connection that stands, and would make it once more.
  socket.connect = () => {
    setImmediate(() => socket.emit('connect'))
    return socket
  }
  const { verify, ...pems } = tls ?? { verify: true }
  const client = new Client({
    ...{ host, port, user, database: database || user, stream: () => socket, application_name: 'headgate' },
    // What is left out would be read from the environment of this server, and from a file of its user.
    ...{
      password: () => password,
      ssl: tls ? { rejectUnauthorized: verify, ...pems } : false,
      options: '-c lock_timeout=0',
    },
  })
  let reusable = true
  const close = () => {
    reusable = false
    socket.destroy()
  }
  client.on('error', close)
  client.on('end', close)
  try {
    await unlessAborted(signal, () => client.connect())
  } catch (error) {
    close()
    throw error
  }
  return {
    get reusable() {
      return reusable
    },
    close,
    async run(text) {
      if (!leavesNothing(text)) reusable = false
      const ask = () =>
        new Promise<Payload[] | undefined>((resolve, reject) => {
          const rows: Payload[] = []
          const query = new Query(text)
          query.on('row', (row: Payload) => {
            if (rows.push(row) <= MOST_ROWS) return
            reject(tooMany())
            close()
          })
          query.on('error', reject)
          query.on('end', (result) => {
            const results = Array.isArray(result) ? result : [result]
            resolve(results.some(({ fields }) => fields.length > 0) ? rows : undefined)
          })
          client.query(query)
        })
      return await metered([socket], { mostBytes: MOST_BYTES, error: tooLarge }, ask)
    },
  }
}
