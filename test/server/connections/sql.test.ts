import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { createServer as createMysql } from 'mysql2'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { SqlRequest } from '../../../nodes/services/connections.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import {
  type ConnectionsOptions,
  type OpenConnections,
  openConnections,
} from '../../../server/connections/connections.ts'
import { freePort } from '../../services/redis.ts'

const opened: OpenConnections[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
  vi.unstubAllEnvs()
})

function open(options: ConnectionsOptions = {}) {
  const connections = openConnections({ allowPrivate: ['127.0.0.1'], ...options })
  opened.push(connections)
  return connections.of('app')
}

function asking(fixed: Pick<SqlRequest, 'system' | 'port'> & Partial<SqlRequest>) {
  return (query: string, more: Partial<SqlRequest> & { options?: ConnectionsOptions } = {}) => {
    const { options, ...rest } = more
    const { signal } = new AbortController()
    const whole = { host: '127.0.0.1', user: 'ada', password: 'secret-word', database: '', tls: undefined, signal }
    return open(options).sql({ ...whole, ...fixed, query, ...rest })
  }
}

async function refusal(answer: Promise<unknown>): Promise<Refusal> {
  const error = await answer.then(
    (value) => expect.unreachable(`an answer: ${JSON.stringify(value)}`),
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(Refusal)
  expect((error as Error).message).not.toContain('secret-word')
  return error as Refusal
}

describe('PostgreSQL', () => {
  let db: PGlite
  let server: PGLiteSocketServer
  let ask: ReturnType<typeof asking>
  beforeAll(async () => {
    db = await PGlite.create()
    const port = await freePort()
    server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 10 })
    await server.start()
    ask = asking({ system: 'pg', port, user: 'postgres', database: 'postgres' })
  }, 60_000)
  afterAll(async () => {
    await server.stop()
    await db.close()
  })

  test('gives rows as JSON, and nothing for a statement without rows', async () => {
    expect(
      await ask('CREATE TABLE pumps (id bigint, name text, data jsonb, raw bytea, at timestamptz)'),
    ).toBeUndefined()
    const values = `(9007199254740993, 'ä', '{"a":[1]}', '\\x00ff', '2024-01-02T03:04:05Z')`
    expect(await ask(`INSERT INTO pumps VALUES ${values}`)).toBeUndefined()
    expect(await ask('SELECT * FROM pumps')).toEqual([
      { id: '9007199254740993', name: 'ä', data: { a: [1] }, raw: 'AP8=', at: '2024-01-02T03:04:05.000Z' },
    ])
    expect(await ask('SELECT 1 AS a WHERE false')).toEqual([])
    expect(await ask('UPDATE pumps SET id = 2 RETURNING id')).toEqual([{ id: '2' }])
  })

  test('a column named __proto__ changes no object', async () => {
    const rows = (await ask(`SELECT '{"polluted":1}'::json AS "__proto__"`))!
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('what it refuses is told', async () => {
    expect(await refusal(ask('SELEC 1'))).toMatchObject({ type: 'Validation' })
    expect((await refusal(ask("SELECT 'secret-word' || nothing"))).message).toBe(
      'PostgreSQL: column "nothing" does not exist',
    )
    expect(await ask('SELECT 1 AS a')).toEqual([{ a: 1 }])
  })

  test('more rows than 10,000 or more bytes than 5 MB are refused, and the next question is answered', async () => {
    expect(await ask('SELECT g FROM generate_series(1, 10000) g')).toHaveLength(10_000)
    expect((await refusal(ask('SELECT g FROM generate_series(1, 10001) g'))).message).toContain('10000 rows')
    expect((await refusal(ask("SELECT repeat('x', 6000000) AS a"))).message).toContain('5242880 bytes')
    expect(await ask('SELECT 1 AS a')).toEqual([{ a: 1 }])
  })

  test('a transaction that is left open is not gone on with', async () => {
    const connections = open()
    const { signal } = new AbortController()
    const port = Number(server.getServerConn().split(':').at(-1))
    const target = {
      system: 'pg' as const,
      host: '127.0.0.1',
      port,
      user: 'postgres',
      password: '',
      database: '',
      tls: undefined,
    }
    const run = (query: string) => connections.sql({ ...target, query, signal })
    await run('CREATE TABLE kept (n int)')
    await run('BEGIN; INSERT INTO kept VALUES (1)')
    expect(await run('SELECT n FROM kept')).toEqual([])
  })

  test('an address inside the network is refused', async () => {
    const answer = await refusal(ask('SELECT 1', { options: { allowPrivate: false } }))
    expect(answer.message).toBe('PostgreSQL cannot be reached: its address is not on the public internet')
    expect((await refusal(ask('SELECT 1', { port: 1 }))).type).toBe('Unavailable')
  })

  test('a server without TLS is not spoken to where TLS is asked for', async () => {
    expect((await refusal(ask('SELECT 1', { tls: { verify: true } }))).message).toContain('SSL')
  })
})

describe('a server that only wants to know', () => {
  const sockets = new Set<Socket>()
  let heard = ''
  let port = 0
  // Asks for the password in clear, and then says nothing more.
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('data', () => {
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
      socket.on('data', (data) => {
        heard += data
      })
    })
    socket.on('error', () => undefined)
  })
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  test('hears nothing of the environment of this machine, and is left when its time is over', async () => {
    vi.stubEnv('PGPASSWORD', 'of-the-server')
    heard = ''
    const ask = asking({ system: 'pg', port })
    const answer = await refusal(ask('SELECT 1', { password: '', options: { mostMs: 300 } }))
    expect(answer).toMatchObject({ type: 'Unavailable', message: 'PostgreSQL did not answer within 0.3 seconds' })
    expect(heard).not.toContain('of-the-server')
    await expect.poll(() => [...sockets].every((socket) => socket.destroyed || socket.readableEnded)).toBe(true)
  })

  test('is left when the run is over', async () => {
    const run = new AbortController()
    const answer = asking({ system: 'mysql', port })('SELECT 1', { signal: run.signal })
    const why = new Error('the run is over')
    run.abort(why)
    await expect(answer).rejects.toBe(why)
  })
})

describe('MySQL', () => {
  const heard: string[] = []
  let connects = 0
  let raw = ''
  let port = 0
  let user: string | undefined
  const server = createMysql(() => undefined) as unknown as MysqlServer
  server.on('connection', (wire: ServerSide) => {
    connects++
    wire.serverHandshake({
      ...{ protocolVersion: 10, serverVersion: '8.0.0', connectionId: connects, statusFlags: 2, characterSet: 45 },
      capabilityFlags: 0xffffff ^ 0x800,
      authCallback(given, done) {
        user = given.user
        if (given.user === 'mallory')
          done(null, { message: `Access denied for 'mallory' with secret-word`, code: 1045 })
        else done(null)
        wire.sequenceId = 0
      },
    })
    wire.on('error', () => undefined)
    wire.stream.on('data', (data) => {
      raw += data
    })
    wire.on('query', (sql: string) => {
      heard.push(sql)
      answer(sql, wire)
      // A command begins to count anew, which this side of the library forgets.
      wire.sequenceId = 0
    })
  })
  const ask = (query: string, more: Parameters<ReturnType<typeof asking>>[1] = {}) =>
    asking({ system: 'mysql', port })(query, more)

  beforeAll(async () => {
    port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

  test('gives rows, and nothing for a statement without rows', async () => {
    expect(await ask('SELECT pumps')).toEqual([
      { id: '9007199254740993', name: 'ä', raw: 'QUI=' },
      { id: 2, name: null, raw: null },
    ])
    expect(user).toBe('ada')
    expect(await ask('SELECT none')).toEqual([])
    expect(await ask('INSERT one')).toBeUndefined()
  })

  test('what it refuses is told, without the password', async () => {
    expect(await refusal(ask('SELEC 1'))).toMatchObject({ type: 'Validation', message: 'MySQL: no such statement' })
    expect((await refusal(ask('SELECT none', { user: 'mallory' }))).message).toContain(
      "denied for 'mallory' with *****",
    )
  })

  test('more rows than 10,000 are refused', async () => {
    expect((await refusal(ask('SELECT many'))).message).toContain('10000 rows')
  })

  test('a server that loses count does not fill the log', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    expect((await refusal(ask('SELECT disorder'))).message).toContain('out of order')
    expect(logged.mock.calls.length).toBe(1)
    logged.mockRestore()
  })

  test('reads no file for a server that asks for one', async () => {
    await refusal(ask('SELECT file', { options: { mostMs: 500 } }))
    expect(heard.at(-1)).toBe('SELECT file')
    expect(raw).toContain('SELECT file')
    expect(raw).not.toContain('root:')
  })

  test('one connection is kept for statements that leave nothing behind', async () => {
    const mysql = open()
    const { signal } = new AbortController()
    const target = {
      system: 'mysql' as const,
      host: '127.0.0.1',
      port,
      user: 'ada',
      password: '',
      database: 'x',
      tls: undefined,
    }
    const run = (query: string) => mysql.sql({ ...target, query, signal })
    const before = connects
    for (const query of ['SELECT none', 'SELECT none', 'INSERT one']) await run(query)
    expect(connects).toBe(before + 1)
    await run('BEGIN')
    await run('SELECT none')
    expect(connects).toBe(before + 2)
  })

  test('an address inside the network is refused, and one where nothing listens is Unavailable', async () => {
    const { message } = await refusal(ask('SELECT none', { options: { allowPrivate: false } }))
    expect(message).toBe('MySQL cannot be reached: its address is not on the public internet')
    expect((await refusal(ask('SELECT none', { port: 1 }))).type).toBe('Unavailable')
  })
})

interface MysqlServer extends NodeJS.EventEmitter {
  listen(port: number, host: string, listening: () => void): void
  close(closed: () => void): void
}

// What the library has for the side of a server, and no types.
interface ServerSide extends NodeJS.EventEmitter {
  serverHandshake(options: {
    [name: string]: unknown
    authCallback(given: { user: string }, done: (error: null, refusal?: object) => void): void
  }): void
  writeColumns(columns: object[]): void
  writeTextRow(row: unknown[]): void
  writeTextResult(rows: object[], columns: object[]): void
  writeEof(): void
  writeOk(result: object): void
  writeError(error: object): void
  stream: Socket
  sequenceId: number
}

const [LONGLONG, VARCHAR, BLOB] = [8, 253, 252]
const column = (name: string, columnType: number, characterSet = 45) => ({
  ...{ catalog: 'def', schema: 's', table: 't', orgTable: 't', name, orgName: name },
  ...{ characterSet, columnLength: 255, columnType, flags: 0, decimals: 0 },
})

function answer(sql: string, wire: ServerSide): void {
  const columns = [column('id', LONGLONG), column('name', VARCHAR), column('raw', BLOB, 63)]
  if (sql === 'SELECT pumps') {
    const first = { id: '9007199254740993', name: 'ä', raw: 'AB' }
    wire.writeTextResult([first, { id: 2, name: null, raw: null }], columns)
  } else if (sql === 'SELECT none') wire.writeTextResult([], columns)
  else if (sql === 'SELECT many') {
    wire.writeTextResult(
      Array.from({ length: 10_001 }, (_, id) => ({ id, name: 'a', raw: null })),
      columns,
    )
  } else if (sql === 'SELECT disorder') {
    wire.sequenceId = 7
    wire.writeTextResult(
      Array.from({ length: 1_000 }, (_, id) => ({ id, name: 'a', raw: null })),
      columns,
    )
  } else if (sql === 'SELECT file') wire.stream.write(Buffer.from([12, 0, 0, 1, 0xfb, ...Buffer.from('/etc/passwd')]))
  else if (sql === 'SELEC 1') wire.writeError({ code: 1064, message: 'no such statement' })
  else wire.writeOk({ affectedRows: 1 })
}
