import { pino } from 'pino'
import { deviceImportJob } from '../../../server/jobs/device-import.ts'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { openQueue } from '../../../server/jobs/queue.ts'
import { openImports } from '../../../server/resources/jobs-import.ts'
import { openResources } from '../../../server/resources/resources.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'

/** Imports 10,000 devices, prints how many are made, and waits for ever at the 3,000th; the test kills the process there. */
const [file = ''] = process.argv.slice(2)
const store = await openSqlite({ file })
const now = Date.now
const queue = openQueue({ store, dispatch: openLocalDispatch(), now, log: pino({ level: 'silent' }), leaseMs: 500 })
const app = store.app({ tenant: 'tenant-1', application: 'a'.repeat(24) })
await app.collection('application').insert({ name: 'App', globals: [], secret: 's' })
const { users, tenancy } = openResources({ app, now })
await users.create({ email: 'u@example.com', password: 'long enough 1!' })
const { importDevices } = openImports({ app, now, tenancy, jobs: queue.of(app) })
const csv = `name\n${Array.from({ length: 10_000 }, (_, n) => `Device ${n}`).join('\n')}\n`
await importDevices({ csv, requestedBy: 'u@example.com', tags: [{ key: 'batch', value: 'x' }] })
let made = 0
const happened = async () => {
  made += 1
  process.stdout.write(`${made}\n`)
  if (made === 3_000) await new Promise(() => undefined)
}
queue.work([deviceImportJob({ happened })])
