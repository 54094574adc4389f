import { pino } from 'pino'
import { openBullDispatch } from '../../../server/jobs/bullmq.ts'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { openQueue } from '../../../server/jobs/queue.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'

/**
 * A worker in a process of its own, for tests that kill it: `node worker-process.ts FILE [REDIS_URL PREFIX]`. Prints a line for
 * each job that it starts. A `slow` job never ends, a `poison` one ends the process.
 */
const [file = '', url, prefix] = process.argv.slice(2)
const log = pino({ level: 'silent' })
const say = (line: string) => process.stdout.write(`${line}\n`)
const queue = openQueue({
  store: await openSqlite({ file }),
  dispatch: url === undefined ? openLocalDispatch() : await openBullDispatch({ url, prefix, log }),
  ...{ now: Date.now, log, leaseMs: 600, lookMs: 50 },
})
const backoffMs = { first: 20, most: 40 }
queue.work([
  {
    kind: 'slow',
    async run({ id, progress }) {
      await progress({ completed: 1, total: 2 })
      say(`slow ${id}`)
      return new Promise(() => undefined)
    },
  },
  {
    kind: 'poison',
    ...{ backoffMs, mostAttempts: 3 },
    async run({ id }) {
      say(`poison ${id}`)
      process.exit(1)
    },
  },
  {
    kind: 'good',
    ...{ backoffMs },
    async run({ id }) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      say(`good ${id}`)
      return undefined
    },
  },
])
say('ready')
