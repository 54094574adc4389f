import { pino } from 'pino'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { openQueue } from '../../../server/jobs/queue.ts'
import { openMailer } from '../../../server/mail.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'

/** Queues one mail and works on it; the test kills the process while the mail server keeps it waiting. */
const [file = '', smtpUrl = ''] = process.argv.slice(2)
const store = await openSqlite({ file })
const now = Date.now
const log = pino({ level: 'silent' })
const queue = openQueue({ store, dispatch: openLocalDispatch(), now, log, leaseMs: 500 })
const mailer = openMailer({ smtpUrl, outbox: '/nowhere', from: 'noreply@example.com', queue, now })
const app = store.app({ tenant: 'tenant-1', application: 'a'.repeat(24) })
await app.collection('application').insert({ name: 'App', globals: [], secret: 's' })
await mailer.forFlow(app, 'f1').send({ to: ['a@example.com'], subject: 'Hi', html: 'x' })
queue.work([mailer.job])
