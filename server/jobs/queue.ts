import { setImmediate as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { JobDocument } from '../store/documents/jobs.ts'
import type { AppStore, Store } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { type Attempt, openAttempt } from './attempt.ts'
import { openJobs } from './jobs.ts'
import { jobKey, openLeaseWatch } from './lease-watch.ts'
import { openLocalDispatch } from './local-dispatch.ts'
import { keepLookout } from './lookout.ts'
import { openPlaces, type Places, type Started } from './places.ts'
import type { Dispatch, JobDefinition, JobEnd, Queue } from './port.ts'
import { openRetention, type RetentionLimits } from './retention.ts'
import { openShares } from './shares.ts'
import { endsWithin, oncePerMinute, openAlarms, openGate } from './wait.ts'

export interface QueueOptions {
  store: Store
  /** Closed with the queue. */
  dispatch: Dispatch
  now(): number
  log: Logger
  /** Jobs that run at a time in this process; default 8. */
  concurrency?: number
  /** Jobs of one tenant that run at a time in this process; default three quarters of `concurrency`, so that others find room. */
  perTenant?: number
  /** Jobs of one application that run at a time over all processes; default 4. */
  perApplication?: number
  /** How long a job stays a worker's without a sign of life; renewed at a third. Default 30,000. */
  leaseMs?: number
  /** How often workers look by themselves for what is due; default that of the dispatch. */
  lookMs?: number
  retention?: Partial<RetentionLimits>
  /** Called at the end of each start of a job in this process. */
  onEnd?(end: JobEnd): void
}

// A turn goes on with short jobs so long, then it is the next application's.
const turnMs = 50
const sweepMs = 3_600_000
// What a handler that was told to stop may still take.
const graceMs = 1_000

/** Opens the queue on a store. Without `work` it only takes jobs in, for workers in other processes. */
export function openQueue(options: QueueOptions): Queue {
  const { store, dispatch, now, log } = options
  const {
    concurrency = 8,
    perTenant = Math.max(1, Math.floor((concurrency * 3) / 4)),
    perApplication = 4,
    leaseMs = 30_000,
    lookMs = dispatch.lookMs ?? 1_000,
    onEnd,
  } = options
  const definitions = new Map<string, JobDefinition>()
  const attempts = new Map<string, Attempt>()
  const open = new Map<string, { places: Places; turns: number }>()
  const retention = openRetention({ now, limits: options.retention })
  const closing = new AbortController()
  const gate = openGate(concurrency)
  const shares = openShares(perTenant, (scope) => found.wake(scope))
  const watch = openLeaseWatch({ leaseMs, isHere: (key) => attempts.has(key) })
  // What a look finds is done here, whether what dispatches can be reached or not.
  const found = openLocalDispatch()
  const alarms = openAlarms<Scope>((scope) => dispatch.wake(scope))
  let looking: Promise<void> | undefined

  const complain = oncePerMinute((error: unknown, message: string, application?: string) => {
    log.error({ err: error, application }, message)
  })

  function wake(scope: Scope, dueAt = 0) {
    const afterMs = dueAt - now()
    if (afterMs <= 0) dispatch.wake(scope)
    // What is due later is found by a look.
    else if (afterMs <= lookMs) alarms.set(scopeKey(scope), afterMs, scope)
  }

  function placesOf(app: AppStore): Places {
    return openPlaces({ app, definitions, perApplication, leaseMs, now, watch })
  }

  /** One turn of an application: one job, or as many short ones as fit. True when there is more to do. */
  async function turn(scope: Scope): Promise<boolean> {
    // A turn that waits for a place counts, too: else those of one tenant would keep others from waiting for one.
    if (!shares.enter(scope)) return false
    await gate.enter()
    try {
      return closing.signal.aborted || (await workIn(scope))
    } finally {
      gate.leave()
      shares.leave(scope)
    }
  }

  async function workIn(scope: Scope): Promise<boolean> {
    const app = store.app(scope)
    const key = scopeKey(scope)
    const shared = open.get(key) ?? { places: placesOf(app), turns: 0 }
    open.set(key, shared)
    shared.turns += 1
    try {
      return await work(app, shared.places)
    } catch (error) {
      complain(error, 'the jobs of an application could not be read or written', scope.application)
      return false
    } finally {
      shared.turns -= 1
      if (shared.turns === 0) open.delete(key)
    }
  }

  async function work(app: AppStore, places: Places): Promise<boolean> {
    let job = await places.first()
    if (job === undefined) {
      // Due but without a place: whoever leaves a place goes on with it.
      await wakeForNext(app, places)
      return false
    }
    // Another turn takes what else is due, as long as there are places.
    if (places.knowsMore()) dispatch.wake(app.scope)
    const until = performance.now() + turnMs
    while (job !== undefined) job = await runOne(app, places, { job, until })
    await retention.afterTurn(app)
    return wakeForNext(app, places)
  }

  /** Runs a job to its end; gives the next one, started in the same place. */
  async function runOne(
    app: AppStore,
    places: Places,
    { job, until }: { job: JobDocument; until: number },
  ): Promise<JobDocument | undefined> {
    const definition = definitions.get(job.kind)!
    const attempt = openAttempt({ app, job, definition, leaseMs, now, log })
    const key = jobKey(app.scope, job.id)
    attempts.set(key, attempt)
    const begun = performance.now()
    let next: Started | undefined
    const { status, nextStarted } = await attempt.run(async () => {
      // What else this process does comes in between, also when neither the job nor the store has to wait for anything.
      await pause()
      if (performance.now() >= until || closing.signal.aborted) return undefined
      // Without an answer there is no next one; the end of the turn asks again and tells.
      next = await places.next(job).catch(() => undefined)
      return next?.operation
    })
    attempts.delete(key)
    onEnd?.({ kind: job.kind, status, milliseconds: performance.now() - begun })
    retention.ended(app.scope)
    if (nextStarted) return next?.job
    places.leave(job)
    if (next !== undefined) places.outrun()
    return undefined
  }

  /** True when a job is due now; for one that is due soon a wake is set. */
  async function wakeForNext(app: AppStore, places: Places): Promise<boolean> {
    const dueAt = await places.nextDue()
    if (dueAt === undefined) return false
    if (dueAt <= now()) return true
    wake(app.scope, dueAt)
    return false
  }

  return {
    of(app) {
      return openJobs({
        app,
        now,
        wake: (dueAt) => wake(app.scope, dueAt),
        nudge: (id) => attempts.get(jobKey(app.scope, id))?.look(),
      })
    },
    work(given) {
      for (const definition of given) definitions.set(definition.kind, definition)
      dispatch.onWake(turn, concurrency)
      found.onWake(turn, concurrency)
      looking = keepLookout({
        ...{ store, watch, retention, now, lookMs, sweepMs, complain, signal: closing.signal },
        leases: (app) => placesOf(app).running(),
        found: (scope, dueAt) => (dueAt <= now() ? found.wake(scope) : wake(scope, dueAt)),
      })
    },
    running: () => attempts.size,
    check: () => dispatch.check(),
    async close(drainMs = 10_000) {
      closing.abort()
      alarms.close()
      const drained = Promise.all([dispatch.close(), found.close()])
      if (!(await endsWithin(drained, drainMs))) {
        for (const attempt of attempts.values()) attempt.stop()
        if (!(await endsWithin(drained, graceMs))) {
          for (const attempt of attempts.values()) attempt.giveBack()
        }
      }
      await drained
      await looking
    },
  }
}
