import { pino } from 'pino'
import type { PlanTrigger } from '../../../engine/compile.ts'
import type { Outcome } from '../../../engine/run.ts'
import type { Services } from '../../../nodes/services.ts'
import { type Fire, openFire } from '../../../server/flows/fire.ts'
import { type Inactivity, openInactivity } from '../../../server/flows/inactivity.ts'
import { openRunRecords } from '../../../server/flows/records.ts'
import { type RunJobInput, runJob } from '../../../server/flows/run-job.ts'
import { openRunner, type RunContext } from '../../../server/flows/runner.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { JobContext, Jobs } from '../../../server/jobs/port.ts'
import type { Actor } from '../../../server/resources/happenings.ts'
import { openResources, type Resources } from '../../../server/resources/resources.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { openApplication, type TestApplication } from '../../helpers/application.ts'

export interface Firing extends TestApplication {
  fire: Fire
  inactivity: Inactivity
  clock: { now: number }
  log: Record<string, unknown>[]
  /** Runs that ended, in their order. */
  ended: { flow: string; trigger: string; outcome: Outcome }[]
  resources(app?: AppStore): Resources
  /** What acts as this one changes the application. */
  as(actor: Partial<Actor>): ReturnType<Resources['actingAs']>
  /** The inputs of the jobs that wait, in the order that they were queued in. */
  waiting(app?: AppStore): Promise<RunJobInput[]>
  /** Runs what waits, and what that starts in turn; gives the number of runs. Stops after `most`. */
  work(most?: number): Promise<number>
  /** Queueing fails from now on. */
  breakQueue(): void
}

/** Firing over a real store and runner; jobs stand in the store and are worked on when the test says so. */
export async function openFiring(limits: { most?: number; spanMs?: number } = {}): Promise<Firing> {
  const application = await openApplication()
  const { store, plans, app } = application
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5) }
  const now = () => clock.now
  const log: Record<string, unknown>[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(JSON.parse(line)) })
  const ended: Firing['ended'] = []
  const queue = { broken: false }

  const queueOf = (of: AppStore): Jobs => {
    const jobs = openJobs({ app: of, now, wake: () => undefined, nudge: () => undefined })
    const whole = <T>(work: () => T) => {
      if (queue.broken) throw new Error('the queue is broken')
      return work()
    }
    return {
      ...jobs,
      add: (job) => whole(() => jobs.add(job)),
      insertion: (job) => whole(() => jobs.insertion(job)),
    }
  }
  const inactivity = openInactivity({ plans, queue: { of: queueOf }, now })
  const fire = openFire({ plans, queue: { of: queueOf }, log: logger, now, inactivity, ...limits })

  const opened = new Map<AppStore, Resources>()
  const resources = (of: AppStore = app) => {
    const known = opened.get(of) ?? openResources({ app: of, now, happened: (what, by) => fire.happened(of, what, by) })
    opened.set(of, known)
    return known
  }
  const runner = openRunner({
    ...{ store, plans, log: logger, limits: {}, now },
    records: openRunRecords({ delayMs: 60_000, onError: (error) => log.push({ error }) }),
    failReply: () => undefined,
    onEnd: ({ flow }: RunContext, trigger: PlanTrigger, outcome) =>
      ended.push({ flow: flow.name, trigger: trigger.type, outcome }),
    services({ app: of, flow, depth = 0 }: RunContext): Services {
      const nothing = { write: () => undefined }
      const own = { debug: nothing, clock: { now, sleep: async () => undefined } }
      const { users, actingAs } = resources(of)
      const { devices, events, dataTables } = actingAs({ type: 'flow', id: flow.id, name: flow.name, depth })
      return { ...own, users, devices, events, dataTables } as unknown as Services
    },
  })
  const kinds = new Map([runJob(runner), inactivity.job].map((one) => [one.kind, one]))

  const queued = async (of: AppStore, kind?: string) =>
    await of.collection('jobs').find({
      filter: {
        all: [
          { field: 'status', op: 'eq', value: 'queued' },
          { field: 'dueAt', op: 'lte', value: clock.now },
          ...(kind ? [{ field: 'kind', op: 'eq', value: kind } as const] : []),
        ],
      },
      limit: 10_000,
    })
  return {
    ...application,
    ...{ fire, inactivity, clock, log, ended, resources },
    as: (actor) => resources().actingAs({ type: 'flow', id: 'f0', depth: 0, ...actor }),
    waiting: async (of = app) => (await queued(of, 'run')).map(({ input }) => input as RunJobInput),
    async work(most = 1_000) {
      for (let runs = 0; ; ) {
        const waiting = await queued(app)
        if (waiting.length === 0 || runs >= most) return runs
        for (const { id, input, kind } of waiting) {
          if (runs >= most) break
          if (kind === 'run') runs += 1
          const signal = new AbortController().signal
          await kinds.get(kind)!.run({ app, id, kind, input, attempt: 1, signal } as unknown as JobContext)
          await app.collection('jobs').update(id, { status: 'done' })
        }
      }
    },
    breakQueue() {
      queue.broken = true
    },
  }
}
