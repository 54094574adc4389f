import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { catalog } from '../nodes/index.ts'
import { openPlans } from '../server/flows/plans.ts'
import { openSchedules } from '../server/flows/schedules.ts'
import { openLocalDispatch } from '../server/jobs/local-dispatch.ts'
import { openQueue } from '../server/jobs/queue.ts'
import { openSqlite } from '../server/store/sqlite.ts'
import { type Figure, median, round } from './figure.ts'
import type { Effort } from './rounds.ts'

const mostPerMinute = 1
const log = pino({ level: 'silent' })

/** A worker of many applications that have nothing to do: what it costs, and how soon it begins when one of them has. */
export async function idle({ quick }: Pick<Effort, 'quick'>): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const applications of quick ? [5_000] : [10, 5_000, 20_000]) {
    const { startSeconds, perMinute, here, elsewhere } = await measure(applications, quick ? 10_000 : 30_000)
    const what = `idle worker, ${round(applications)} applications`
    figures.push(
      {
        ...{ what, figure: `${round(perMinute)} s of processor a minute, ${round(startSeconds)} s at its start` },
        ...{ budget: `<= ${mostPerMinute} s`, met: perMinute <= mostPerMinute },
      },
      {
        what: `${what}, from asking for a job to its start`,
        figure: `${round(here)} ms in one process, ${round(elsewhere)} ms in another without Redis`,
      },
    )
  }
  return figures
}

async function measure(applications: number, milliseconds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const store = await openSqlite({ file: join(folder, 'store.db') })
  const scopes = Array.from({ length: applications }, (_, n) => scopeOf(n))
  const waiting = new Map<number, () => void>()
  const open = () => openQueue({ ...{ store, log, now: Date.now }, dispatch: openLocalDispatch() })
  const [worker, web] = [open(), open()]
  const schedules = openSchedules({ ...{ store, log, now: Date.now }, queue: worker, plans: openPlans(catalog) })
  try {
    for (const scope of scopes) await store.app(scope).write(contentOf(scope.application))
    const begun = process.cpuUsage()
    worker.work([{ kind: 'trivial', run: async ({ input }) => void waiting.get(input as number)?.() }])
    await schedules.open()
    await untilQuiet()
    const startSeconds = secondsSince(begun)
    const before = process.cpuUsage()
    await pause(milliseconds)
    const perMinute = (secondsSince(before) / milliseconds) * 60_000
    const latency = async (queue: typeof web, n: number) => {
      const started = new Promise<void>((resolve) => waiting.set(n, resolve))
      const asked = performance.now()
      const scope = scopes[(n * 997) % applications]!
      await queue.of(store.app(scope)).add({ kind: 'trivial', input: n })
      await started
      return performance.now() - asked
    }
    const [here, elsewhere]: number[][] = [[], []]
    for (let n = 0; n < 100; n++) here!.push(await latency(worker, n))
    for (let n = 100; n < 105; n++) elsewhere!.push(await latency(web, n))
    return { startSeconds, perMinute, here: median(here!), elsewhere: median(elsewhere!) }
  } finally {
    schedules.close()
    await Promise.all([worker.close(), web.close()])
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Waits until the process takes less than 0.7 % of a core for three seconds: it has gone through all applications then. */
async function untilQuiet(): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const before = process.cpuUsage()
    await pause(3_000)
    if (secondsSince(before) < 0.02) return
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}

function scopeOf(n: number) {
  return { tenant: `tenant-${n % 50}`, application: n.toString(16).padStart(24, '0') }
}

/** A flow with a timer that is due in a year, a job that has ended, and one that is due in a year. */
function contentOf(id: string) {
  const year = 365 * 86_400_000
  const trigger = { type: 'timer', key: 'k', config: { seconds: year / 1000 }, outputIds: [] }
  const told = { input: {}, progress: { completed: 0 }, attempts: 1, requestedBy: { type: 'system', id: 'system' } }
  const [done, later] = ['done', 'queued'] as const
  return [
    { insert: 'application' as const, document: { id, name: 'App', globals: [], secret: 's' } },
    {
      insert: 'flows' as const,
      document: {
        ...{ name: 'Rare', flowClass: 'cloud' as const, enabled: true },
        content: { triggers: [trigger], nodes: [], globals: [] },
      },
    },
    { insert: 'jobs' as const, document: { ...told, kind: 'trivial', key: 'a', status: done, endedAt: Date.now() } },
    {
      insert: 'jobs' as const,
      document: { ...told, kind: 'trivial', key: 'b', status: later, dueAt: Date.now() + year },
    },
  ]
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const figure of await idle({ quick: true })) console.log(figure)
}
