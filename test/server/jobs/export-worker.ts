import pino from 'pino'
import { exportJob } from '../../../server/jobs/export.ts'
import { exportCleanupJob } from '../../../server/jobs/export-cleanup.ts'
import { openDispatch } from '../../../server/jobs/open-dispatch.ts'
import type { Jobs } from '../../../server/jobs/port.ts'
import { openQueue } from '../../../server/jobs/queue.ts'
import { openMailer } from '../../../server/mail.ts'
import { openStore } from '../../../server/store/open.ts'
import type { AppStore } from '../../../server/store/port.ts'

/** Works on the jobs of the store given, and prints the blobs and points as they come. The test kills it. */
const [file = '', outbox = '', application = ''] = process.argv.slice(2)
const { STORE_URL, REDIS_URL, LEASE_MS } = process.env
const now = () => Date.now()
const log = pino({ level: 'silent' })
const store = await openStore(STORE_URL, file)
const app = store.app({ tenant: 't1', application })
const queue = openQueue({
  ...{ store, dispatch: await openDispatch(REDIS_URL, log), now, log },
  ...{ leaseMs: Number(LEASE_MS), lookMs: 50 },
})
const jobsOf = (of: AppStore): Jobs => queue.of(of)
const mailer = openMailer({ smtpUrl: undefined, outbox, from: 'noreply@example.com', queue, now })
const told = exportJob({ now, jobsOf })
queue.work([
  mailer.job,
  exportCleanupJob({ now, jobsOf }),
  {
    ...told,
    // What is to be tested is that it starts again, not how long it waits before.
    mostAttempts: 50,
    backoffMs: { first: 10, most: 20 },
    async run(context) {
      process.stdout.write(`started ${context.attempt}\n`)
      const progress: typeof context.progress = async (one) => {
        process.stdout.write(`progress ${one.completed}\n`)
        await context.progress(one)
      }
      return await told.run({ ...context, progress })
    },
  },
])
for (;;) {
  const mails = await app.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: 'mail' } })
  if (mails.length > 0 && mails.every(({ status }) => status === 'done')) break
  await new Promise((resolve) => setTimeout(resolve, 20))
}
await queue.close()
await store.close()
process.stdout.write('ended\n')
