import type { PlanTrigger } from '../../engine/compile.ts'
import type { Jobs } from '../jobs/port.ts'
import type { ScheduleDocument } from '../store/documents.ts'
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

export function openAppSchedules({ app, plans, jobs, now }: AppSchedulesOptions): AppSchedules {
  const collection = app.collection('schedules')
  let entries: Entry[] = []
  let syncedAt = Number.NEGATIVE_INFINITY
  let revision = -1

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

  const sync = async (flows: AppFlows) => {
    syncedAt = now()
    revision = flows.revision
    const wanted = new Map(wantedTimers(flows).map((one) => [one.key, one]))
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
    const nextAt = nextDue(trigger, { from: dueAt, after: now() })
    const run = jobs.insertion({ kind: 'run', key: `${entry.key}:${dueAt}`, input: inputOf(entry, dueAt) })
    const moved = { update: 'schedules', id: document.id, change: { nextAt }, revision: document.revision } as const
    entry.notBefore = now() + RETRY_MS
    await app.write(now() - dueAt <= GRACE_MS ? [moved, run] : [moved])
    entry.document = { ...document, nextAt, revision: document.revision + 1 }
    entry.notBefore = 0
    jobs.wake()
  }

  return {
    nextAt: () => Math.min(...entries.map(({ document, notBefore }) => Math.max(document.nextAt, notBefore))),

    async refresh() {
      const flows = await plans.of(app)
      const wentBack = entries.some(({ trigger, document }) => isTooFar(trigger, document.nextAt, now()))
      if (flows.revision !== revision || wentBack || now() - syncedAt >= RESYNC_MS) await sync(flows)
    },

    async fire() {
      const due = entries.filter(({ document, notBefore }) => Math.max(document.nextAt, notBefore) <= now())
      for (const entry of due) {
        await orOther(fireOne(entry))
      }
      if (syncedAt === Number.NEGATIVE_INFINITY) await sync(await plans.of(app))
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

function inputOf({ flowId, trigger, index }: Timer, time: number): RunJobInput {
  const relay = { type: 'timer', id: trigger.key }
  const which = { flowId, triggerKey: trigger.key, triggerType: trigger.published, index, triggerId: trigger.key }
  return { ...which, time, data: {}, relay, depth: 0 }
}

function isBeaten(error: unknown): boolean {
  return error instanceof StoreError && ['conflict', 'missing', 'duplicate'].includes(error.code)
}
