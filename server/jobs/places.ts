import type { JobDocument } from '../store/documents/jobs.ts'
import { type AppStore, type Filter, StoreError, type WriteOperation } from '../store/port.ts'
import { refuses } from './fence.ts'
import { afterLostWorker, startOf } from './lease.ts'
import type { LeaseWatch } from './lease-watch.ts'
import type { JobDefinition } from './port.ts'

/** A job that was started in a place of its application. */
export interface Started {
  job: JobDocument
  operation: WriteOperation
}

/** What is due in one application, and the places for running jobs there: over all processes no more run than there are. */
export interface Places {
  /** Starts the next due job in a free place; undefined when nothing is due or no place is free. */
  first(): Promise<JobDocument | undefined>
  /** The start of the next due job in the place that `ended` leaves; to be written with its end. */
  next(ended: JobDocument): Promise<Started | undefined>
  /** The place is free again, as far as this process has it. */
  leave(job: JobDocument): void
  /** More is due than was started, as far as is known without a read. */
  knowsMore(): boolean
  /** Another process was faster: what is known here is out of date. */
  outrun(): void
  /** When the next job is due; undefined: none waits. */
  nextDue(): Promise<number | undefined>
  /** Queues jobs of workers that died again, or fails them; gives the running ones. */
  running(): Promise<JobDocument[]>
}

export interface PlacesOptions {
  app: AppStore
  definitions: ReadonlyMap<string, JobDefinition>
  perApplication: number
  leaseMs: number
  now(): number
  watch: LeaseWatch
}

// Whole documents are kept in memory, each with up to 1 MB of input.
const mostAhead = 25
const mostTries = 20
const present = (field: string): Filter => ({ field, op: 'ne', value: null })

export function openPlaces(options: PlacesOptions): Places {
  const { app, definitions, perApplication, leaseMs, now, watch } = options
  const jobs = app.collection('jobs')
  const held = new Set<string>()
  let ahead: JobDocument[] = []
  let contended = false

  /** Jobs of known kinds that wait, the first due first, whether due yet or not. */
  async function waiting(limit: number): Promise<JobDocument[]> {
    const sort = { field: 'dueAt', direction: 'asc' } as const
    const found = await jobs.find({ filter: present('dueAt'), sort, limit })
    const known = found.filter(({ kind }) => definitions.has(kind))
    if (known.length > 0 || found.length < limit) return known
    // Jobs of kinds that only newer workers know stand in front.
    const kinds: Filter = { field: 'kind', op: 'in', value: [...definitions.keys()] }
    return jobs.find({ filter: { all: [present('dueAt'), kinds] }, sort, limit })
  }

  async function take(): Promise<JobDocument | undefined> {
    if (ahead.length === 0) {
      const found = await waiting(mostAhead)
      // Turns run beside each other: one that came back meanwhile may have filled the list.
      if (ahead.length === 0) ahead = found.filter(({ dueAt = 0 }) => dueAt <= now())
      // Another process works through the same list: not in the same order, then.
      if (contended) ahead.sort(() => Math.random() - 0.5)
      contended = false
    }
    return ahead.shift()
  }

  async function running(): Promise<JobDocument[]> {
    const sort = { field: 'leaseUntil', direction: 'asc' } as const
    const found = await jobs.find({ filter: present('leaseUntil'), sort, limit: 1_000 })
    const still: JobDocument[] = []
    for (const job of found) {
      if (!watch.isOver(app.scope, job) || !(await release(job))) still.push(job)
    }
    return still
  }

  async function release(job: JobDocument): Promise<boolean> {
    try {
      const change = afterLostWorker(job, definitions.get(job.kind), now())
      await jobs.update(job.id, change, { revision: job.revision })
      return true
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'conflict' || error.code === 'missing')) return false
      throw error
    }
  }

  /** A place that no running job has, kept for this process at once. */
  async function reserve(): Promise<string | undefined> {
    if (held.size >= perApplication) return undefined
    const taken = new Set((await running()).map(({ slot }) => slot))
    for (let n = 0; n < perApplication; n++) {
      const slot = String(n)
      if (taken.has(slot) || held.has(slot)) continue
      held.add(slot)
      return slot
    }
    return undefined
  }

  return {
    async first() {
      for (let tries = 0; tries < mostTries; tries++) {
        const slot = await reserve()
        if (slot === undefined) return undefined
        try {
          const job = await take()
          if (job !== undefined) {
            const { operation, started } = startOf(job, { slot, now: now(), leaseMs })
            await app.write([operation])
            return started
          }
          held.delete(slot)
          return undefined
        } catch (error) {
          held.delete(slot)
          if (!refuses(error, 0)) throw error
          ahead = []
          contended = true
        }
      }
      return undefined
    },

    async next(ended) {
      const job = await take()
      if (job === undefined) return undefined
      const { operation, started } = startOf(job, { slot: ended.slot ?? '', now: now(), leaseMs })
      return { operation, job: started }
    },

    leave: ({ slot }) => void held.delete(slot ?? ''),

    knowsMore: () => ahead.length > 0,

    outrun() {
      ahead = []
      contended = true
    },

    async nextDue() {
      const [first] = ahead.length > 0 ? ahead : await waiting(1)
      return first?.dueAt
    },

    running,
  }
}
