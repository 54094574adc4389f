import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openLocalDispatch } from '../../server/jobs/local-dispatch.ts'
import { type AppStore, StoreError } from '../../server/store/port.ts'
import { openSqlite } from '../../server/store/sqlite.ts'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'
import { embedded, type Stack } from '../helpers/stacks.ts'

const generators = join(import.meta.dirname, '../../examples/generators')
let running: TestServer

beforeAll(async () => {
  running = await startServer({ folders: [generators] })
})
afterAll(() => running.close())

const away = new StoreError('unavailable', 'Expected an answer of db.internal:27017, got none.')
const full = new StoreError('full', 'No room left on /var/data.')

test('a request without the store is told when to come again, and nothing of the inside', async () => {
  const client = clientOf(running.port, 'generators.localhost')
  vi.spyOn(running.store.hosts, 'find').mockRejectedValueOnce(away)
  const answer = await client.get('/login')
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  expect(answer.text).not.toContain('db.internal')
  expect((await client.get('/login')).status).toBe(200)
})

test.each([
  [away, 503],
  [full, 507],
])('a flow that finds %s answers %d, and the next one goes on', async (error, status) => {
  const client = clientOf(running.port, 'generators.localhost')
  await client.login('sanbruno@tekton.example', PASSWORD)
  const app = running.store.app(running.applications[0]!.scope)
  const broken = vi.spyOn(app.collection('devices'), 'find').mockRejectedValue(error)
  const answer = await client.get('/api/devices')
  broken.mockRestore()
  expect(answer).toMatchObject({ status, headers: { 'retry-after': '5' } })
  expect(answer.text).not.toMatch(/db\.internal|\/var\/data/)
  expect((await client.get('/api/devices')).status).toBe(200)
})

test('a full disk of the embedded store refuses writes alone, and takes them again when there is room', async () => {
  const stack: Stack = {
    ...embedded,
    open: async (env) => ({ store: await small(env.DATA_DIR!), dispatch: openLocalDispatch() }),
  }
  const small = (folder: string) => openSqlite({ file: join(folder, 'headgate.db'), mostPages: 1_500 })
  const tight = await startServer({ folders: [generators], stack })
  const admin = clientOf(tight.port, 'generators.localhost')
  await admin.login('global@tekton.example', PASSWORD)
  const app = tight.store.app(tight.applications[0]!.scope)
  const groupId = (await app.collection('groups').first({ field: 'name', op: 'eq', value: 'San Bruno' }))!.id
  const add = (email: string) =>
    admin.send({ method: 'POST', path: '/admin/users', json: { email, password: PASSWORD, groupId } })
  expect(await add('before@tekton.example')).toMatchObject({ status: 201 })
  await expect(fill(app)).rejects.toMatchObject({ code: 'full' })
  // Pages that are not full yet take a few more.
  const kept = ['before@tekton.example']
  let refused = await add('person-0@tekton.example')
  for (let n = 1; refused.status === 201 && n < 200; n++) {
    kept.push(`person-${n - 1}@tekton.example`)
    refused = await add(`person-${n}@tekton.example`)
  }
  expect(refused).toMatchObject({ status: 507, headers: { 'retry-after': '5' } })
  expect((await admin.get('/')).status).toBe(200)
  expect(JSON.parse((await admin.get('/api/devices')).text)).toHaveLength(14)
  for (const key of Object.keys(await app.values.entries('filling'))) await app.values.set('filling', key, undefined)
  expect(await add('later@tekton.example')).toMatchObject({ status: 201 })
  const emails = (await app.collection('users').find({ limit: 1_000 })).map(({ email }) => email)
  expect(emails).toEqual(expect.arrayContaining([...kept, 'later@tekton.example']))
  expect(emails).not.toContain(`person-${kept.length - 1}@tekton.example`)
  await tight.close()
})

/** Writes until there is no room for the smallest part. */
async function fill(app: AppStore): Promise<void> {
  for (let size = 8_192, n = 0; ; n++) {
    try {
      await app.values.set('filling', String(n), 'x'.repeat(size))
    } catch (error) {
      if (size === 1) throw error
      size = Math.floor(size / 2)
    }
  }
}
