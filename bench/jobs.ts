import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { openBullDispatch } from '../server/jobs/bullmq.ts'
import { openLocalDispatch } from '../server/jobs/local-dispatch.ts'
import type { Dispatch } from '../server/jobs/port.ts'
import { openQueue } from '../server/jobs/queue.ts'
import { openSqlite } from '../server/store/sqlite.ts'
import { openPrivateRedis, whyNoRedisServer } from '../test/services/redis.ts'
import { type Figure, median, round } from './figure.ts'
import { idle } from './jobs-idle.ts'
import type { Effort } from './rounds.ts'

const leastPerSecond = 2_000
const scope = { tenant: 'bench', application: 'a'.repeat(24) }
const log = pino({ level: 'silent' })

/** Jobs that do nothing, a second of one worker process, from a queue of some length until it is empty; and a worker without jobs. */
export async function run({ quick, rounds }: Effort): Promise<Figure[]> {
  const figures: Figure[] = []
  const lengths = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000]
  const reason = whyNoRedisServer()
  const redis = reason === undefined ? await openPrivateRedis() : undefined
  const ways: [string, () => Promise<Dispatch>][] = [['in the process', async () => openLocalDispatch()]]
  if (redis !== undefined) ways.push(['through BullMQ', () => openBullDispatch({ url: redis.url, log })])
  try {
    for (const [way, open] of ways) {
      for (const length of lengths) {
        const measured: Drained[] = []
        // Long queues take long: they need no rounds to be steady.
        for (let n = 0; n < (length > 10_000 ? 1 : rounds); n++) measured.push(await drain(await open(), length))
        figures.push(figureOf(`jobs: ${way}, ${round(length)} queued`, measured))
      }
    }
  } finally {
    await redis?.close()
  }
  if (reason !== undefined) figures.push({ what: 'jobs: through BullMQ', figure: `not measured: ${reason}` })
  return [...figures, ...(await idle({ quick }))]
}

/** `cpuUs`: microseconds of processor time for a job, which other processes of the machine change less. */
interface Drained {
  perSecond: number
  cpuUs: number
}

function figureOf(what: string, measured: readonly Drained[]): Figure {
  const perSecond = median(measured.map((one) => one.perSecond))
  const cpuUs = median(measured.map((one) => one.cpuUs))
  const figure = `${round(perSecond)}/s, ${round(cpuUs)} us of processor each`
  return { what, figure, budget: `>= ${round(leastPerSecond)}/s`, met: perSecond >= leastPerSecond }
}

/** Takes all jobs of a queue, from the start of the worker to the end of the last one. */
async function drain(dispatch: Dispatch, length: number): Promise<Drained> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const store = await openSqlite({ file: join(folder, 'store.db') })
  const app = store.app(scope)
  await app.collection('application').insert({ name: 'Bench', globals: [], secret: 's' })
  const all = Promise.withResolvers<void>()
  let ended = 0
  const queue = openQueue({
    ...{ store, dispatch, log, now: Date.now },
    onEnd() {
      ended += 1
      if (ended === length) all.resolve()
    },
  })
  try {
    const jobs = queue.of(app)
    for (let n = 0; n < length; n += 1_000) {
      const some = Array.from({ length: Math.min(1_000, length - n) }, (_, k) => ({
        kind: 'trivial',
        input: { n: n + k },
      }))
      await app.write(some.map((job) => jobs.insertion(job)))
    }
    const begun = performance.now()
    const before = process.cpuUsage()
    queue.work([{ kind: 'trivial', run: async () => undefined }])
    await all.promise
    const { user, system } = process.cpuUsage(before)
    return { perSecond: (length / (performance.now() - begun)) * 1000, cpuUs: (user + system) / length }
  } finally {
    await queue.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const figure of await run({ quick: true, rounds: 3, milliseconds: 0, warmMs: 0 })) console.log(figure)
}
