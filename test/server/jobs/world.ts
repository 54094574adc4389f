import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import type { Dispatch, JobDefinition, JobEnd, Jobs, Queue } from '../../../server/jobs/port.ts'
import { openQueue, type QueueOptions } from '../../../server/jobs/queue.ts'
import type { JobDocument } from '../../../server/store/documents/jobs.ts'
import type { AppStore, Store } from '../../../server/store/port.ts'

/** A worker or a web process, as far as the queue goes. */
export interface Member {
  queue: Queue
  app: AppStore
  jobs: Jobs
  ends: JobEnd[]
  log: Record<string, unknown>[]
}

/** Makes the application known, as workers look only at those that are. */
export async function makeApplication(store: Store, scope = own): Promise<AppStore> {
  const app = store.app(scope)
  await app.collection('application').insert({ name: 'App', globals: [], secret: 's' })
  return app
}

export const own = { tenant: 'tenant-1', application: 'a'.repeat(24) }
export const other = { tenant: 'tenant-1', application: 'b'.repeat(24) }

/** Opens a queue, closed after the test. Without kinds it takes no jobs. */
export function openMember(
  options: Partial<QueueOptions> & { store: Store; dispatch: Dispatch },
  kinds?: readonly JobDefinition[],
): Member {
  const ends: JobEnd[] = []
  const log: Record<string, unknown>[] = []
  const queue = openQueue({
    ...{ now: Date.now, onEnd: (end) => ends.push(end) },
    log: pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    ...options,
  })
  onTestFinished(() => queue.close(0))
  if (kinds !== undefined) queue.work(kinds)
  const app = options.store.app(own)
  return { queue, app, jobs: queue.of(app), ends, log }
}

/** Waits until something is true; rejects after half a minute with what it was last. */
export async function until<T>(read: () => T | Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 30_000
  for (;;) {
    const value = await read()
    if (fits(value)) return value
    if (performance.now() > end) throw new Error(`Waited too long; the last was ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until the job has this status. */
export async function reaches(jobs: Jobs, id: string, status: JobDocument['status']): Promise<JobDocument> {
  const job = await until(
    () => jobs.get(id),
    (found) => found?.status === status,
  )
  return job!
}

/** A place that handlers wait at until the test lets them go. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { passed: promise, open: () => resolve() }
}
