import { createHash } from 'node:crypto'
import type { PlanTrigger } from '../../engine/compile.ts'
import type { Jobs } from '../jobs/port.ts'
import type { ScheduleDocument } from '../store/documents/flows.ts'
import { type AppStore, StoreError } from '../store/port.ts'
import { isTooFar, nextDue } from './due.ts'
import type { AppFlows, Plans } from './plans.ts'
import type { RunJobInput } from './run-job.ts'

/** The schedules of one application, as this process knows them. */
export interface AppSchedules {
  /** When the first of them is due; Infinity when there is none. */
  nextAt(): number
  /** Takes up flows that changed, and what other processes have done. */
  refresh(): Promise<void>
  /** Fires what is due now, unless another process has. */
  fire(): Promise<void>
}

export interface AppSchedulesOptions {
  app: AppStore
  plans: Plans
  jobs: Jobs
  now(): number
}

/** How late a firing may be. */
const GRACE_MS = 60_000
/** How often what stands in the store is read again although no flow changed. */
const RESYNC_MS = 30_000
/** Wait after a firing that could not be written. */
const RETRY_MS = 1_000
const LONGEST_KEY = 400

export function openAppSchedules({ app, plans, jobs, now }: AppSchedulesOptions): AppSchedules {
  const collection = app.collection('schedules')
  let entries: Entry[] = []
  let timers: Timer[] = []
  /** What `timers` are of. */
  let revision = -1
  let syncedAt = Number.NEGATIVE_INFINITY
  let lookedAt = Number.NEGATIVE_INFINITY

  /** Undefined: another process came first; what it wrote is read at the next look. */
  const orOther = async <T>(write: Promise<T>): Promise<T | undefined> => {
    try {
      return await write
    } catch (error) {
      if (!isBeaten(error)) throw error
      syncedAt = Number.NEGATIVE_INFINITY
      return undefined
    }
  }

  const sync = async (current: number) => {
    syncedAt = now()
    try {
      if (current !== revision) timers = wantedTimers(await plans.of(app, current))
      revision = current
      await adopt()
    } catch (error) {
      syncedAt = Number.NEGATIVE_INFINITY
      throw error
    }
  }

  /** Brings what stands in the store and the timers of the flows together. */
  const adopt = async () => {
    const wanted = new Map(timers.map((one) => [one.key, one]))
    const known = new Map<string, ScheduleDocument>()
    for await (const document of collection.each()) {
      known.set(document.key, document)
      if (!wanted.has(document.key)) await orOther(collection.remove(document.id, { revision: document.revision }))
    }
    const next: Entry[] = []
    for (const timer of wanted.values()) {
      const document = await upToDate(timer, known.get(timer.key))
      if (document) next.push({ ...timer, document, notBefore: 0 })
    }
    entries = next
  }

  const upToDate = async ({ key, stamp, trigger }: Timer, known: ScheduleDocument | undefined) => {
    const nextAt = () => nextDue(trigger, { from: now(), after: now() })
    if (!known) return orOther(collection.insert({ key, stamp, nextAt: nextAt() }))
    if (known.stamp === stamp && !isTooFar(trigger, known.nextAt, now())) return known
    return orOther(collection.update(known.id, { stamp, nextAt: nextAt() }, { revision: known.revision }))
  }

  const fireOne = async (entry: Entry) => {
    const { document, trigger } = entry
    const dueAt = document.nextAt
    entry.notBefore = now() + RETRY_MS
    const nextAt = nextDue(trigger, { from: dueAt, after: now() })
    const moved = { update: 'schedules', id: document.id, change: { nextAt }, revision: document.revision } as const
    try {
      const run = jobs.insertion({ kind: 'run', key: runKey(entry, dueAt), input: inputOf(entry, dueAt) })
      await app.write(now() - dueAt <= GRACE_MS ? [moved, run] : [moved])
    } catch (error) {
      if (!isThereAlready(error)) throw error
      // The clock was set back since: this moment has had its run.
      await app.write([moved])
    }
    entry.document = { ...document, nextAt, revision: document.revision + 1 }
    entry.notBefore = 0
    jobs.wake()
  }

  return {
    nextAt: () => Math.min(...entries.map(({ document, notBefore }) => Math.max(document.nextAt, notBefore))),

    async refresh() {
      const wentBack = now() < lookedAt
      lookedAt = now()
      if (wentBack) syncedAt = Number.NEGATIVE_INFINITY
      // Only the revision: many applications are looked at, and few change.
      const current = await app.revision()
      if (current !== revision || now() - syncedAt >= RESYNC_MS) await sync(current)
    },

    async fire() {
      const due = entries.filter(({ document, notBefore }) => Math.max(document.nextAt, notBefore) <= now())
      for (const entry of due) {
        await orOther(fireOne(entry))
      }
      if (syncedAt === Number.NEGATIVE_INFINITY) await sync(await app.revision())
    },
  }
}

interface Timer {
  /** Flow id and trigger key. */
  key: string
  stamp: string
  flowId: string
  trigger: PlanTrigger
  /** Where the trigger stands in its flow. */
  index: number
}

interface Entry extends Timer {
  document: ScheduleDocument
  /** After a failure: when it is tried again. */
  notBefore: number
}

function wantedTimers({ flows }: AppFlows): Timer[] {
  return flows.flatMap((flow) =>
    flow.plan.triggers.flatMap((trigger, index) => {
      if (trigger.type !== 'timer') return []
      const stamp = JSON.stringify(trigger.config)
      return [{ key: `${flow.id}:${trigger.key}`, stamp, flowId: flow.id, trigger, index }]
    }),
  )
}

/** One for each firing, within the length that keys of jobs may have. */
function runKey({ key }: Timer, dueAt: number): string {
  const short = key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('hex')
  return `${short}:${dueAt}`
}

function inputOf({ flowId, trigger, index }: Timer, time: number): RunJobInput {
  const relay = { type: 'timer', id: trigger.key }
  const which = { flowId, triggerKey: trigger.key, triggerType: trigger.published, index, triggerId: trigger.key }
  return { ...which, time, data: {}, relay, depth: 0 }
}

/** Only the run may be there already: what is moved has a revision. */
function isThereAlready(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'duplicate'
}

function isBeaten(error: unknown): boolean {
  return error instanceof StoreError && ['conflict', 'missing', 'duplicate'].includes(error.code)
}
