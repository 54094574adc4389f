import { expect, onTestFinished, test, vi } from 'vitest'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD } from '../helpers/server.ts'
import { shared } from '../helpers/stacks.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { openStallingMongo } from '../services/stalling-mongo.ts'
import { cli, root } from './server-process.ts'

test.skipIf(!shared)('a store that answers nothing keeps no process from ending', { timeout: 90_000 }, async () => {
  const mongo = await openStallingMongo()
  onTestFinished(() => mongo.close())
  const env = { STORE_URL: `${mongo.url}headgate`, DATA_DIR: await temporaryFolder(), SECRET_KEY: 'k'.repeat(64) }
  const server = cli(['start', '--app', `${root}/examples/generators`, '--password', PASSWORD], env)
  const port = await server.port()
  const client = clientOf(port, 'generators.localhost')
  expect(await client.login('norcal@tekton.example', PASSWORD)).toMatchObject({ status: 302 })
  mongo.stall()
  const cut = client.get('/api/devices').catch((error: NodeJS.ErrnoException) => error.code)
  const admin = clientOf(port, 'localhost')
  await vi.waitUntil(async () => (await admin.get('/readyz')).status === 503, { timeout: 30_000 })
  server.child.kill('SIGTERM')
  // It would wait a minute for each of its questions.
  expect(await server.ended).toBe(1)
  expect(server.err.join('\n')).toContain('the store did not answer')
  await cut
})
