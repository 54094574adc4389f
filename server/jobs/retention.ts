import { type AppStore, type Filter, StoreError } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { importKind } from './device-import.ts'
import { exportKind } from './export-document.ts'
import { mailKind } from './mail-job.ts'
import { openRests } from './wait.ts'

/**
 * How long ended jobs are kept, and how many of one application at most, the newest. Data exports and imports are not counted: they
 * lead to what is kept beside them, and a user may begin so many an hour, however much else is done meanwhile. Mails are counted by themselves: as
 * long as one is kept, no other with its key is sent.
 */
export interface RetentionLimits {
  /** Jobs that are done or canceled; default 7 days and 1,000. */
  endedMs: number
  ended: number
  /** Jobs that failed; default 30 days and 1,000. */
  failedMs: number
  failed: number
}

/** Removes ended jobs that are too old or too many, now and then and in small steps. */
export interface Retention {
  /** A job of the application has ended in this process. */
  ended(scope: Scope): void
  /** Removes some when many have ended since the last time. */
  afterTurn(app: AppStore): Promise<void>
  /** Removes all of them, step by step until the signal. */
  sweep(app: AppStore, signal?: AbortSignal): Promise<void>
}

const day = 24 * 3_600_000
const defaults: RetentionLimits = { endedMs: 7 * day, ended: 1_000, failedMs: 30 * day, failed: 1_000 }
const everyEnds = 200
// More than end between two steps, so that a step always gains on them.
const step = 250
// Each may hold megabytes.
const page = 25

const hasEnded: Filter = { field: 'endedAt', op: 'gte', value: 0 }
const mails: Filter = { field: 'kind', op: 'eq', value: mailKind }
const others: Filter = { not: { field: 'kind', op: 'in', value: [exportKind, importKind, mailKind] } }

export function openRetention({ now, limits }: { now(): number; limits?: Partial<RetentionLimits> }): Retention {
  const { endedMs, ended, failedMs, failed } = { ...defaults, ...limits }
  const ends = new Map<string, number>()

  /** Gives the number of those that were removed. */
  async function prune(app: AppStore): Promise<number> {
    const well = { field: 'status', op: 'in', value: ['done', 'canceled'] } as const
    const badly = { field: 'status', op: 'eq', value: 'failed' } as const
    return (
      (await pruneOf(app, well, { keepMs: endedMs, keep: ended })) +
      (await pruneOf(app, badly, { keepMs: failedMs, keep: failed }))
    )
  }

  async function pruneOf(app: AppStore, status: Filter, { keepMs, keep }: { keepMs: number; keep: number }) {
    let removed = await remove(app, { all: [status, { field: 'endedAt', op: 'lt', value: now() - keepMs }] }, step)
    for (const counted of [others, mails]) {
      const filter: Filter = { all: [status, hasEnded, counted] }
      removed += await remove(app, filter, Math.min((await app.collection('jobs').count(filter)) - keep, step))
    }
    return removed
  }

  return {
    ended(scope) {
      const key = scopeKey(scope)
      ends.set(key, (ends.get(key) ?? 0) + 1)
    },
    async afterTurn(app) {
      const key = scopeKey(app.scope)
      if ((ends.get(key) ?? 0) < everyEnds) return
      ends.delete(key)
      await prune(app)
    },
    async sweep(app, signal) {
      while (!signal?.aborted && (await prune(app)) > 0);
    },
  }
}

/** Removes up to `most` of those that fit, the first to end first; gives their number. */
async function remove(app: AppStore, filter: Filter, most: number): Promise<number> {
  const sort = { field: 'endedAt', direction: 'asc' } as const
  const rest = openRests()
  let removed = 0
  while (removed < most) {
    await rest()
    const found = await app.collection('jobs').find({ filter, sort, limit: Math.min(page, most - removed) })
    if (found.length === 0) break
    try {
      await app.write(found.map(({ id, revision }) => ({ remove: 'jobs', id, revision })))
    } catch (error) {
      // One of them was queued again, or another process removes them: the next step sees what is left.
      if (error instanceof StoreError && (error.code === 'conflict' || error.code === 'missing')) break
      throw error
    }
    removed += found.length
  }
  return removed
}
