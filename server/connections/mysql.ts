import type { Payload } from '../../engine/payload.ts'
import type { SqlRequest } from '../../nodes/services/connections.ts'
import type { Guard } from '../egress-guard.ts'
import { MOST_BYTES, MOST_ROWS, tooLarge, tooMany } from './answers.ts'
import { metered } from './meter.ts'
import { unlessAborted } from './pool.ts'
import type { SqlLink } from './postgres.ts'
import { leavesNothing } from './sql-session.ts'

/** Opens a connection to MySQL or MariaDB. Whoever opens it closes it. */
export async function openMysql(target: Omit<SqlRequest, 'query'>, guard: Guard): Promise<SqlLink> {
  const { createConnection } = await import('mysql2')
  const { host, port = 3306, user, password, database, tls, signal } = target
  const socket = await guard.connect({ host, port, signal })
  const { verify, ...pems } = tls ?? { verify: true }
  const client = createConnection({
    ...{ host, port, user, password, stream: socket, supportBigNumbers: true },
    ...(database === '' ? {} : { database }),
    ...(tls ? { ssl: { rejectUnauthorized: verify, verifyIdentity: verify, ...pems } } : {}),
    // Names of columns are the server's: no code is made of them. And no file of this machine is read for it.
    ...{ disableEval: true, multipleStatements: false, flags: ['-LOCAL_FILES'] },
  })
  let reusable = true
  const close = () => {
    reusable = false
    client.destroy()
    socket.destroy()
  }
  const failed = Promise.withResolvers<never>()
  // Also where nobody waits for an answer.
  failed.promise.catch(close)
  client.on('error', failed.reject)
  client.on('end', close)
  // Packets out of order: each of them would be a line in the log.
  client.on('warn', (error: unknown) => {
    client.pause()
    failed.reject(error)
  })
  try {
    const connected = () =>
      new Promise<void>((resolve, reject) => client.connect((error) => (error ? reject(error) : resolve())))
    await unlessAborted(signal, () => Promise.race([connected(), failed.promise]))
  } catch (error) {
    close()
    throw error
  }
  return {
    get reusable() {
      return reusable
    },
    close,
    async run(sql) {
      if (!leavesNothing(sql)) reusable = false
      const ask = () =>
        new Promise<Payload[] | undefined>((resolve, reject) => {
          const rows: Payload[] = []
          let hasRows = false
          const query = client.query({ sql })
          query.on('fields', (fields: unknown) => {
            hasRows ||= fields !== undefined
          })
          query.on('result', (row: Payload) => {
            if (!hasRows || rows.push(row) <= MOST_ROWS) return
            reject(tooMany())
            close()
          })
          query.on('error', reject)
          query.on('end', () => resolve(hasRows ? rows : undefined))
        })
      return await metered([socket], { mostBytes: MOST_BYTES, error: tooLarge }, () =>
        Promise.race([ask(), failed.promise]),
      )
    },
  }
}
