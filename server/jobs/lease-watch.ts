import type { JobDocument } from '../store/documents/jobs.ts'
import { type Scope, scopeKey } from '../store/scope.ts'

/** Tells which running jobs have lost their worker. */
export interface LeaseWatch {
  /** True once the job has been seen for a whole lease without a sign of life. */
  isOver(scope: Scope, job: JobDocument): boolean
  /** Forgets the jobs that were not asked about since the last call. */
  forget(): void
}

/**
 * A worker that lives renews its lease, which shows in the revision of the job. How long that has stood still is measured by this
 * process's own clock, from when it saw it first: no two machines need agree on the time, and a clock that jumps takes no job away.
 * `isHere`: the worker is in this process, and looks after the lease itself.
 */
export function openLeaseWatch({ leaseMs, isHere }: { leaseMs: number; isHere(key: string): boolean }): LeaseWatch {
  const seen = new Map<string, { revision: number; since: number; asked: boolean }>()
  return {
    isOver(scope, { id, revision }) {
      const key = jobKey(scope, id)
      if (isHere(key)) return false
      const known = seen.get(key)
      const now = performance.now()
      if (known?.revision === revision) {
        known.asked = true
        return now - known.since >= leaseMs
      }
      seen.set(key, { revision, since: now, asked: true })
      return false
    },
    forget() {
      for (const [key, one] of seen) {
        if (one.asked) one.asked = false
        else seen.delete(key)
      }
    },
  }
}

/** One text for a job over all applications. */
export function jobKey(scope: Scope, id: string): string {
  return `${scopeKey(scope)}\n${id}`
}
