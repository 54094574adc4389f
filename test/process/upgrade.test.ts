import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { type Client, clientOf } from '../helpers/client.ts'
import { mailsTo } from '../helpers/outbox.ts'
import { PASSWORD } from '../helpers/server.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { type Cli, cli } from './server-process.ts'

/** What each of them saw in the release that wrote the store. */
const seenBefore = {
  'user1@example.com': ['Guest house', 'House', 'Workshop'],
  'user2@example.com': ['Boat house', 'Cottage'],
  // In the group above the one of user2.
  'region@example.com': ['Boat house', 'Cottage'],
  'both@example.com': ['Boat house', 'Cottage', 'Guest house', 'House', 'Workshop'],
}

/** What goes on by itself: jobs, timers and what they report. */
const moving = /^(c_jobs|c_schedules|c_runs|points|last_points|sources|attributes|vals)$/

/** Cookies of sessions, by e-mail address: who has none signs in. */
type Sessions = Record<string, Client['cookies']>

async function started(DATA_DIR: string, sessions: Sessions) {
  const server = cli(['start', '--password', PASSWORD], { DATA_DIR })
  const port = await server.port()
  const lists = Object.keys(seenBefore).map(async (email) => {
    const client = clientOf(port, 'one-to-many.localhost')
    for (const [name, value] of sessions[email] ?? []) client.cookies.set(name, value)
    if (!sessions[email]) expect(await client.login(email, PASSWORD)).toMatchObject({ status: 302 })
    sessions[email] = client.cookies
    const answer = await client.get('/api/devices?perPage=100')
    expect(answer).toMatchObject({ status: 200 })
    return [email, (JSON.parse(answer.text) as { name: string }[]).map(({ name }) => name).sort()] as const
  })
  return { server, seen: Object.fromEntries(await Promise.all(lists)) }
}

async function stopped(server: Cli): Promise<void> {
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.err).toEqual([])
}

/** The schema, and the rows of every table, of a server that does not run. */
function contentOf(file: string): Record<string, unknown> {
  const database = new DatabaseSync(file, { readOnly: true })
  const schema = database.prepare('SELECT name, type, sql FROM sqlite_master ORDER BY name').all()
  const tables = schema.filter(({ name, type }) => type === 'table' && !moving.test(String(name)))
  const rows = tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${name}"`).all()] as const)
  const version = database.prepare('PRAGMA user_version').get()?.user_version
  database.close()
  return { version, schema, ...Object.fromEntries(rows) }
}

function get(file: string, sql: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const row = database.prepare(sql).get()
  database.close()
  return Object.values(row ?? {})[0]
}

test('a store of the first release goes on: same devices for everyone, jobs and timers run, once', {
  timeout: 120_000,
}, async () => {
  const DATA_DIR = await temporaryFolder()
  const file = join(DATA_DIR, 'headgate.db')
  const old = new DatabaseSync(file)
  old.exec(await readFile(join(import.meta.dirname, 'fixtures/store-of-version-1.sql'), 'utf8'))
  old.close()
  expect(get(file, 'PRAGMA user_version')).toBe(1)
  const timers = get(file, 'SELECT group_concat(id) FROM c_schedules')

  const sessions: Sessions = {}
  const first = await started(DATA_DIR, sessions)
  expect(first.seen).toEqual(seenBefore)
  const outbox = join(DATA_DIR, 'outbox')
  await expect.poll(() => mailsTo(outbox, 'late@customer.example'), { timeout: 20_000 }).toHaveLength(1)
  // The timer that the old release left reports for the devices of this application, every ten seconds.
  const reports = "SELECT count(*) FROM points JOIN apps USING (app) JOIN hosts USING (app) WHERE name = 'one-to-many'"
  await expect.poll(() => get(file, reports), { timeout: 30_000 }).toBeGreaterThan(0)
  await stopped(first.server)
  const upgraded = contentOf(file)
  expect(upgraded.version).toBeGreaterThan(1)

  const second = await started(DATA_DIR, sessions)
  expect(second.seen).toEqual(seenBefore)
  await stopped(second.server)
  expect(contentOf(file)).toEqual(upgraded)
  expect(get(file, `SELECT group_concat(id) FROM c_schedules WHERE id IN ('${timers}')`)).toBe(timers)
  expect(await readdir(outbox)).toHaveLength(1)
})
