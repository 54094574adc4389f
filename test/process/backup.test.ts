import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqlite } from '../../server/store/sqlite.ts'
import { type Client, clientOf } from '../helpers/client.ts'
import { PASSWORD } from '../helpers/server.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { cli } from './server-process.ts'

const host = 'generators.localhost'
const people = ['support@kanarra.example', 'global@tekton.example', 'norcal@tekton.example', 'ops@sadler.example']

async function stopped(server: ReturnType<typeof cli>) {
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
}

/** What each of them sees, by e-mail address. */
async function seen(port: number): Promise<Record<string, string[]>> {
  const lists = people.map(async (email) => {
    const client = clientOf(port, host)
    expect(await client.login(email, PASSWORD)).toMatchObject({ status: 302 })
    const devices = JSON.parse((await client.get('/api/devices?perPage=100')).text) as { name: string }[]
    return [email, devices.map(({ name }) => name).sort()] as const
  })
  return Object.fromEntries(await Promise.all(lists))
}

async function groupIn(file: string, name: string): Promise<string> {
  const store = await openSqlite({ file })
  const app = store.app((await store.hosts.find('generators'))!.scope)
  const group = await app.collection('groups').first({ field: 'name', op: 'eq', value: name })
  await store.close()
  return group!.id
}

/** Adds users until it is told to stop; gives those that were acknowledged. */
async function addUsers(client: Client, groupId: string, state: { on: boolean; added: string[] }): Promise<void> {
  for (let n = 0; state.on; n++) {
    const email = `u${n}@tekton.example`
    const json = { email, password: 'A-first-password', groupId }
    const answer = await client.send({ method: 'POST', path: '/admin/users', json })
    expect(answer).toMatchObject({ status: 201 })
    state.added.push(email)
  }
}

test('a backup made while people write is whole, and a new server starts on it', { timeout: 120_000 }, async () => {
  const [DATA_DIR, other] = [await temporaryFolder(), await temporaryFolder()]
  const server = cli(['start', '--password', PASSWORD], { DATA_DIR })
  const port = await server.port()
  const before = await seen(port)
  expect(before[people[0]!]).toHaveLength(17)
  const writer = clientOf(port, host)
  await writer.login('global@tekton.example', PASSWORD)
  const state = { on: true, added: [] as string[] }
  const writing = addUsers(writer, await groupIn(join(DATA_DIR, 'headgate.db'), 'San Bruno'), state)
  await expect.poll(() => state.added.length, { timeout: 30_000 }).toBeGreaterThan(1)

  const acknowledged = [...state.added]
  const copy = join(other, 'headgate.db')
  const backup = cli(['backup', copy], { DATA_DIR })
  expect(await backup.ended, backup.err.join('\n')).toBe(0)
  const again = cli(['backup', copy], { DATA_DIR })
  expect(await again.ended).toBe(1)
  expect(again.err).toEqual([`headgate: Expected the name of a new file, got ${copy}, which exists.`])
  const count = state.added.length
  await expect.poll(() => state.added.length, { timeout: 30_000 }).toBeGreaterThan(count)
  state.on = false
  await writing
  await stopped(server)

  await copyFile(join(DATA_DIR, 'secret-key'), join(other, 'secret-key'))
  const restored = cli(['start', '--password', PASSWORD], { DATA_DIR: other })
  const restoredPort = await restored.port()
  expect(await seen(restoredPort)).toEqual(before)
  const last = clientOf(restoredPort, host)
  expect(await last.login(acknowledged.at(-1)!, 'A-first-password')).toMatchObject({ status: 302 })
  await stopped(restored)
})
