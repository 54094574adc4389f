import type { JobDocument } from '../store/documents/jobs.ts'
import type { Change, WriteOperation } from '../store/port.ts'
import { atRest, backoffOf, mostAttemptsOf } from './lease.ts'
import { type JobDefinition, type JobEnd, JobFailed, type JobResult } from './port.ts'

/** What came of a handler. */
export type Settled =
  | { how: 'result'; result: JobResult | undefined }
  | { how: 'error'; error: unknown }
  /** It has not ended, the process will not wait for it. */
  | { how: 'given back' }

/** Whose the job is: this start's, asked to stop for a reason, or not any more. */
export type Standing = 'held' | 'canceled' | 'stopped' | 'lost'

export interface Ending {
  status: JobEnd['status']
  change: Change<JobDocument>
  operations: readonly WriteOperation[]
}

/** What a person is shown of an error of ours. */
const neutral = { code: 'job.error', message: 'Something went wrong on the server. Its log tells more.' }

/** What a job becomes after its handler. */
export function endingOf(options: {
  settled: Settled
  standing: Standing
  job: JobDocument
  definition: JobDefinition
  now: number
}): Ending {
  const { settled, standing, job, definition, now } = options
  const ended = { ...atRest, endedAt: now }
  if (standing === 'canceled') {
    return { status: 'canceled', change: { ...ended, status: 'canceled' }, operations: [] }
  }
  if (settled.how === 'result') {
    const { output, operations = [] } = settled.result ?? {}
    return { status: 'done', change: { ...ended, status: 'done', output }, operations }
  }
  if (settled.how === 'given back' || standing === 'stopped') {
    const change = { ...atRest, status: 'queued' as const, dueAt: now, attempts: job.attempts - 1 }
    return { status: 'returned', change, operations: [] }
  }
  const { error } = settled
  const shown = error instanceof JobFailed ? { code: error.code, message: error.message } : neutral
  if (error instanceof JobFailed || job.attempts >= mostAttemptsOf(job, definition)) {
    return { status: 'failed', change: { ...ended, status: 'failed', error: shown }, operations: [] }
  }
  const dueAt = now + backoffOf(definition, job.attempts)
  return { status: 'retried', change: { ...atRest, status: 'queued', dueAt, error: shown }, operations: [] }
}
