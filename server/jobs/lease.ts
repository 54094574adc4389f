import { randomBytes } from 'node:crypto'
import type { JobDocument } from '../store/documents/jobs.ts'
import type { Change, WriteOperation } from '../store/port.ts'
import type { JobDefinition } from './port.ts'

/** What a job no longer has when it stops running. */
export const atRest = {
  leaseUntil: undefined,
  slot: undefined,
  startId: undefined,
  cancelRequested: undefined,
} satisfies Change<JobDocument>

/** The write that starts a waiting job in a place, and the job as it then stands. Refused when anyone else has changed it. */
export function startOf(
  job: JobDocument,
  { slot, now, leaseMs }: { slot: string; now: number; leaseMs: number },
): { operation: WriteOperation; started: JobDocument } {
  const change = {
    status: 'running' as const,
    attempts: job.attempts + 1,
    leaseUntil: now + leaseMs,
    startedAt: now,
    startId: randomBytes(8).toString('hex'),
    slot,
    dueAt: undefined,
    error: undefined,
  }
  const operation = { update: 'jobs' as const, id: job.id, change, revision: job.revision }
  return { operation, started: { ...job, ...change, revision: job.revision + 1 } }
}

/** Milliseconds before the start after the n-th, which failed: random in the upper half of a wait that doubles. */
export function backoffOf(definition: JobDefinition | undefined, attempts: number): number {
  const { first, most } = definition?.backoffMs ?? { first: 1_000, most: 300_000 }
  const wait = Math.min(first * 2 ** Math.min(attempts - 1, 40), most)
  return Math.floor(wait * (0.5 + Math.random() / 2))
}

export function mostAttemptsOf(job: JobDocument, definition: JobDefinition | undefined): number {
  return job.mostAttempts ?? definition?.mostAttempts ?? 5
}

/** What becomes of a job whose worker let the lease run out: it died, or could not reach the store. */
export function afterLostWorker(job: JobDocument, definition: JobDefinition | undefined, now: number) {
  if (job.cancelRequested) return { ...atRest, status: 'canceled' as const, endedAt: now }
  const most = mostAttemptsOf(job, definition)
  if (job.attempts < most) {
    return { ...atRest, status: 'queued' as const, dueAt: now + backoffOf(definition, job.attempts) }
  }
  const message = `The work was started ${job.attempts} times, and each time the process that did it died or stood still.`
  return { ...atRest, status: 'failed' as const, endedAt: now, error: { code: 'job.died', message } }
}
