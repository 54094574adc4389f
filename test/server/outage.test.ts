import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { StoreError } from '../../server/store/port.ts'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'

let running: TestServer

beforeAll(async () => {
  running = await startServer({ folders: [join(import.meta.dirname, '../../examples/generators')] })
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
