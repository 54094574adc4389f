import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { JobDocument, JobProgress } from '../store/documents.ts'
import { type AppStore, type Change, StoreError, type WriteOperation } from '../store/port.ts'
import { openFence, refuses } from './fence.ts'
import { atRest, backoffOf, mostAttemptsOf } from './lease.ts'
import { checkSize } from './limits.ts'
import { type JobContext, type JobDefinition, type JobEnd, JobFailed, JobLost, type JobResult } from './port.ts'

/** One start of a job in this process. */
export interface Attempt {
  /** Runs the handler and writes what became of the job, together with `next`, the start of another one. Never rejects. */
  run(next: () => Promise<WriteOperation | undefined>): Promise<{ status: JobEnd['status']; nextStarted: boolean }>
  /** Asks the store at once whether the job is to stop. */
  look(): void
  /** Aborts the signal, since the process stops. */
  stop(): void
  /** Gives the job back, whatever its handler still does. */
  giveBack(): void
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

type Settled = { result: JobResult | undefined } | { error: unknown } | 'given back'

const progressEveryMs = 1_000
const storeRetryMs = 500
const longestStatus = 500

/** Takes a job that this worker has just started: renews its lease until it has ended. */
export function openAttempt({ app, job, definition, leaseMs, now, log }: AttemptOptions): Attempt {
  const stopping = new AbortController()
  const abandoned = Promise.withResolvers<Settled>()
  let standing: 'held' | 'canceled' | 'stopped' | 'lost' = 'held'
  let progress: JobProgress | undefined
  let leaseEnds = performance.now() + leaseMs

  const halt = (why: 'canceled' | 'stopped' | 'lost', message: string) => {
    if (standing === 'lost' || standing === why) return
    standing = why
    stopping.abort(new DOMException(message, 'AbortError'))
  }
  const lose = () => halt('lost', 'The job is no longer this worker’s')
  const fence = openFence({ app, job, onLost: lose, onCancel: () => halt('canceled', 'The job was canceled') })

  /** Writes with the newest progress and a new lease. */
  async function write(before: readonly WriteOperation[] = []): Promise<void> {
    const asked = performance.now()
    await fence.write(() => ({ ...progressChange(), leaseUntil: now() + leaseMs }), { before })
    leaseEnds = asked + leaseMs
  }

  function progressChange(): Change<JobDocument> {
    const change = progress === undefined ? {} : { progress }
    progress = undefined
    return change
  }

  async function renew(): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (error instanceof JobLost) return
      log.warn({ err: error, ...what() }, 'the lease of a job could not be renewed')
      if (performance.now() > leaseEnds) lose()
    }
  }

  const what = () => ({ job: job.id, kind: job.kind, application: app.scope.application, attempt: job.attempts })
  const reporting = throttle(progressEveryMs, () => write())

  const context: JobContext = {
    app,
    id: job.id,
    kind: job.kind,
    input: job.input,
    attempt: job.attempts,
    requestedBy: job.requestedBy,
    signal: stopping.signal,
    async progress({ completed, total, status }) {
      if (standing === 'lost' || standing === 'canceled') throw new JobLost()
      progress = { completed, total, status: status?.slice(0, longestStatus) }
      await reporting.call()
    },
    async write(operations) {
      if (standing === 'lost' || standing === 'canceled') throw new JobLost()
      await write(operations)
    },
  }

  async function handle(): Promise<Settled> {
    try {
      const result = await definition.run(context)
      checkSize('output', result?.output)
      return { result }
    } catch (error) {
      return { error }
    }
  }

  /** What the job is after its handler. */
  function endOf(settled: Settled): { status: JobEnd['status']; change: Change<JobDocument> } {
    const ended = { ...atRest, endedAt: now() }
    if (standing === 'canceled') return { status: 'canceled', change: { ...ended, status: 'canceled' } }
    if (settled === 'given back' || (standing === 'stopped' && 'error' in settled)) {
      return { status: 'returned', change: { ...atRest, status: 'queued', dueAt: now(), attempts: job.attempts - 1 } }
    }
    if ('result' in settled) {
      return { status: 'done', change: { ...ended, status: 'done', output: settled.result?.output } }
    }
    const { error } = settled
    if (error instanceof JobFailed) {
      const { code, message, cause } = error
      log.info({ ...what(), code, reason: message, cause }, 'a job failed')
      return { status: 'failed', change: { ...ended, status: 'failed', error: { code, message } } }
    }
    log.error({ err: error, ...what() }, 'a job could not be done')
    const shown = { code: 'job.error', message: 'Something went wrong on the server. Its log tells more.' }
    if (job.attempts >= mostAttemptsOf(job, definition)) {
      return { status: 'failed', change: { ...ended, status: 'failed', error: shown } }
    }
    const dueAt = now() + backoffOf(definition, job.attempts)
    return { status: 'retried', change: { ...atRest, status: 'queued', dueAt, error: shown } }
  }

  /** Writes the end; repeated while the store cannot be reached and the lease holds. */
  async function end(settled: Settled, next: WriteOperation | undefined): Promise<Ended> {
    const { status, change } = endOf(settled)
    const before =
      typeof settled === 'object' && status === 'done' && 'result' in settled ? settled.result?.operations : []
    const after = next === undefined ? [] : [next]
    const whole = progress === undefined ? change : { ...change, progress }
    for (;;) {
      try {
        await fence.write(() => whole, { before, after })
        return { status, nextStarted: next !== undefined }
      } catch (error) {
        if (error instanceof JobLost) {
          if ((standing as string) === 'canceled' && status !== 'canceled') return end(settled, next)
          return { status: 'lost', nextStarted: false }
        }
        if (next !== undefined && refuses(error, (before?.length ?? 0) + 1)) return end(settled, undefined)
        const passing = error instanceof StoreError && error.code === 'unavailable'
        if (passing && performance.now() < leaseEnds) {
          await sleep(storeRetryMs)
          continue
        }
        if (status === 'done' && !passing) return end({ error }, next)
        log.error({ err: error, ...what() }, 'the end of a job could not be written; it will be started again')
        return { status: 'lost', nextStarted: false }
      }
    }
  }

  return {
    async run(next) {
      const heartbeat = setInterval(() => void renew(), leaseMs / 3)
      try {
        const settled = await Promise.race([handle(), abandoned.promise])
        reporting.close()
        return await end(settled, standing === 'held' ? await next() : undefined)
      } finally {
        clearInterval(heartbeat)
        reporting.close()
      }
    },
    look: () => void renew(),
    stop: () => halt('stopped', 'The process stops'),
    giveBack: () => abandoned.resolve('given back'),
  }
}

type Ended = Awaited<ReturnType<Attempt['run']>>

/** Calls at once, then at most once in `everyMs`; the last one always. A failure is the next caller's to hear. */
function throttle(everyMs: number, work: () => Promise<void>) {
  let timer: NodeJS.Timeout | undefined
  let waiting = false
  let failure: { error: unknown } | undefined
  const wait = () => {
    timer = setTimeout(async () => {
      timer = undefined
      if (!waiting) return
      waiting = false
      wait()
      await work().catch((error: unknown) => {
        failure = { error }
      })
    }, everyMs)
  }
  return {
    async call(): Promise<void> {
      if (failure !== undefined) {
        const { error } = failure
        failure = undefined
        throw error
      }
      if (timer !== undefined) {
        waiting = true
        return
      }
      wait()
      await work()
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      waiting = false
    },
  }
}
