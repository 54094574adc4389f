import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { JobDocument, JobProgress } from '../store/documents/jobs.ts'
import { type AppStore, StoreError, type WriteOperation } from '../store/port.ts'
import { endingOf, type Settled, type Standing } from './ending.ts'
import { openFence, refuses } from './fence.ts'
import { checkSize } from './limits.ts'
import { type JobContext, type JobDefinition, type JobEnd, JobFailed, JobLost } from './port.ts'
import { throttle } from './throttle.ts'

/** One start of a job in this process. */
export interface Attempt {
  /** Runs the handler and writes what became of the job, together with `next`, the start of another one. Never rejects. */
  run(next: () => Promise<WriteOperation | undefined>): Promise<AttemptEnd>
  /** Asks the store at once whether the job is to stop. */
  look(): void
  /** Aborts the signal, since the process stops: what then fails is given back. */
  stop(): void
  /** Gives the job back, whatever its handler still does. */
  giveBack(): void
}

export interface AttemptEnd {
  status: JobEnd['status']
  nextStarted: boolean
}

export interface AttemptOptions {
  app: AppStore
  /** As it stands when started. */
  job: JobDocument
  definition: JobDefinition
  leaseMs: number
  now(): number
  log: Logger
}

const progressEveryMs = 1_000
const storeRetryMs = 500
const longestStatus = 500

/** Takes a job that this worker has just started, and keeps its lease until it has ended. */
export function openAttempt({ app, job, definition, leaseMs, now, log }: AttemptOptions): Attempt {
  const aborting = new AbortController()
  const abandoned = Promise.withResolvers<Settled>()
  const told = { job: job.id, kind: job.kind, application: app.scope.application, attempt: job.attempts }
  const fence = openFence({ app, job, onLost: () => halt('lost'), onCancel: () => halt('canceled') })
  const reporting = throttle(progressEveryMs, () => write())
  let standing: Standing = 'held'
  let progress: JobProgress | undefined
  let leaseEnds = performance.now() + leaseMs
  let renewing = false

  function halt(why: keyof typeof reasons) {
    if (standing === 'lost' || (standing === 'canceled' && why === 'stopped')) return
    standing = why
    aborting.abort(why === 'lost' ? new JobLost() : new DOMException(reasons[why], 'AbortError'))
  }

  /** Writes with the newest progress and a new lease. */
  async function write(before: readonly WriteOperation[] = []): Promise<void> {
    if (standing === 'lost' || standing === 'canceled') throw new JobLost()
    const begun = performance.now()
    const news = () => (progress === undefined ? {} : { progress })
    await fence.write(() => ({ ...news(), leaseUntil: now() + leaseMs }), { before })
    leaseEnds = begun + leaseMs
  }

  async function renew(): Promise<void> {
    if (renewing) return
    renewing = true
    try {
      await write()
    } catch (error) {
      if (error instanceof JobLost) return
      log.warn({ err: error, ...told }, 'the lease of a job could not be renewed')
      // Another worker may have the job by now.
      if (performance.now() > leaseEnds) halt('lost')
    } finally {
      renewing = false
    }
  }

  const context: JobContext = {
    ...{ app, id: job.id, kind: job.kind, input: job.input, attempt: job.attempts, requestedBy: job.requestedBy },
    signal: aborting.signal,
    async progress({ completed, total, status }) {
      progress = { completed, total, status: status?.slice(0, longestStatus) }
      await reporting.call()
    },
    write,
  }

  async function handle(): Promise<Settled> {
    try {
      const result = await definition.run(context)
      checkSize('output', result?.output)
      return { how: 'result', result }
    } catch (error) {
      return { how: 'error', error }
    }
  }

  /** Writes what became of the job; repeated while the store cannot be reached and the lease holds. */
  async function end(settled: Settled, next?: WriteOperation): Promise<AttemptEnd> {
    const { status, change, operations } = endingOf({ settled, standing, job, definition, now: now() })
    const before = standing
    const last = progress === undefined ? change : { ...change, progress }
    try {
      const around = { before: operations, after: next === undefined ? [] : [next], last: true }
      await fence.write(() => last, around)
      if (status === 'failed' || status === 'retried') report(settled)
      return { status, nextStarted: next !== undefined }
    } catch (error) {
      if (error instanceof JobLost) return standing === before || standing === 'lost' ? lost : end(settled)
      if (next !== undefined && refuses(error, operations.length + 1)) return end(settled)
      const unavailable = error instanceof StoreError && error.code === 'unavailable'
      if (unavailable && performance.now() < leaseEnds) {
        await sleep(storeRetryMs)
        return end(settled)
      }
      if (!unavailable && status === 'done') return end({ how: 'error', error })
      log.error({ err: error, ...told }, 'the end of a job could not be written: it will be started again')
      return lost
    }
  }

  function report(settled: Settled) {
    if (settled.how !== 'error') return
    const { error } = settled
    if (error instanceof JobFailed) {
      log.info({ ...told, code: error.code, reason: error.message, cause: error.cause }, 'a job failed')
    } else log.error({ err: error, ...told }, 'a job could not be done')
  }

  return {
    async run(next) {
      const heartbeat = setInterval(() => void renew(), leaseMs / 3)
      const settled = await Promise.race([handle(), abandoned.promise])
      reporting.close()
      const ended = await end(settled, standing === 'held' ? await next() : undefined)
      clearInterval(heartbeat)
      return ended
    },
    look: () => void renew(),
    stop: () => halt('stopped'),
    giveBack: () => abandoned.resolve({ how: 'given back' }),
  }
}

const reasons = { lost: '', canceled: 'The job was canceled', stopped: 'The process stops' }
const lost: AttemptEnd = { status: 'lost', nextStarted: false }
