import { createHash } from 'node:crypto'
import type { Jobs } from '../jobs/port.ts'
import type { ScheduleDocument } from '../store/documents/flows.ts'
import { type AppStore, type Change, StoreError } from '../store/port.ts'
import { isTooFar, nextDue, type Timing } from './due.ts'
import type { AppFlows, Plans } from './plans.ts'
import type { RunJobInput } from './run-job.ts'

/** The schedules of one application. All that is known of them stands in the store. */
export interface AppSchedules {
  /** When the first of them is due; Infinity when there is none. */
  nextAt(): Promise<number>
  /** Takes up the flows as of this revision. False when another process wrote meanwhile: to be done again. */
  adopt(revision: number): Promise<boolean>
  /** Fires what is due now, unless another process has; gives the next time to call it. */
  fire(): Promise<number>
  /** Brings back what waits for longer than it can, since the clock was set back; default by more than machines differ. */
  recover(options?: { always?: boolean }): Promise<void>
}

export interface AppSchedulesOptions {
  app: AppStore
  plans: Plans
  jobs: Jobs
  now(): number
}

/** How late a firing may be. */
const GRACE_MS = 60_000
/** Wait after a firing that could not be written. */
const RETRY_MS = 1_000
/** By how much the clock of another machine may be ahead: what it has moved on is left as it is. */
const MOST_AHEAD_MS = 300_000
const LONGEST_KEY = 400
const MOST_AT_ONCE = 1_000

export function openAppSchedules({ app, plans, jobs, now }: AppSchedulesOptions): AppSchedules {
  const collection = app.collection('schedules')
  const first = { field: 'nextAt', direction: 'asc' } as const

  /** False: another process came first. */
  const orOther = async (write: Promise<unknown>): Promise<boolean> => {
    try {
      await write
      return true
    } catch (error) {
      if (!isBeaten(error)) throw error
      return false
    }
  }

  const upToDate = async (timer: Timer, known: ScheduleDocument | undefined): Promise<boolean> => {
    const { key, stamp, fires } = timer
    const nextAt = () => nextDue(timer.trigger, { from: now(), after: now() })
    if (!known) return orOther(collection.insert({ key, stamp, fires, nextAt: nextAt() }))
    const change: Change<ScheduleDocument> = {
      ...(known.stamp === stamp ? {} : { stamp, nextAt: nextAt() }),
      ...(JSON.stringify(known.fires) === JSON.stringify(fires) ? {} : { fires }),
    }
    if (Object.keys(change).length === 0) return true
    return orOther(collection.update(known.id, change, { revision: known.revision }))
  }

  const fireOne = async ({ id, revision, key, stamp, nextAt: dueAt, fires }: ScheduleDocument) => {
    const nextAt = nextDue(triggerOf(stamp), { from: dueAt, after: now() })
    const moved = { update: 'schedules', id, change: { nextAt }, revision } as const
    if (fires === undefined || now() - dueAt > GRACE_MS) return await app.write([moved])
    try {
      await app.write([moved, jobs.insertion({ kind: 'run', key: runKey(key, dueAt), input: inputOf(fires, dueAt) })])
      jobs.wake()
    } catch (error) {
      if (!isThereAlready(error)) throw error
      // The clock was set back since: this moment has had its run.
      await app.write([moved])
    }
  }

  const nextAt = async () => {
    const [next] = await collection.find({ sort: first, limit: 1 })
    return next?.nextAt ?? Number.POSITIVE_INFINITY
  }

  return {
    nextAt,

    async adopt(revision) {
      const there = (await app.collection('application').count()) > 0
      const wanted = there ? timersOf(await plans.of(app, revision)) : new Map<string, Timer>()
      const known = new Map<string, ScheduleDocument>()
      let whole = true
      for await (const document of collection.each()) {
        known.set(document.key, document)
        if (wanted.has(document.key)) continue
        if (!(await orOther(collection.remove(document.id, { revision: document.revision })))) whole = false
      }
      for (const timer of wanted.values()) {
        if (!(await upToDate(timer, known.get(timer.key)))) whole = false
      }
      return whole
    },

    async fire() {
      const filter = { field: 'nextAt', op: 'lte', value: now() } as const
      for (const due of await collection.find({ filter, sort: first, limit: MOST_AT_ONCE })) await orOther(fireOne(due))
      const next = await nextAt()
      return next <= now() ? now() + RETRY_MS : next
    },

    async recover({ always = false } = {}) {
      for await (const { id, revision, stamp, nextAt: waitsFor } of collection.each()) {
        const trigger = triggerOf(stamp)
        if (!always && waitsFor - now() <= MOST_AHEAD_MS) continue
        if (!isTooFar(trigger, waitsFor, now())) continue
        await orOther(collection.update(id, { nextAt: nextDue(trigger, { from: now(), after: now() }) }, { revision }))
      }
    },
  }
}

interface Timer {
  /** Flow id and trigger key. */
  key: string
  stamp: string
  trigger: Timing
  fires: NonNullable<ScheduleDocument['fires']>
}

function timersOf({ flows }: AppFlows): Map<string, Timer> {
  const timers = flows.flatMap((flow) =>
    flow.plan.triggers.flatMap((trigger, index): Timer[] => {
      if (trigger.type !== 'timer') return []
      const fires = { flowId: flow.id, triggerKey: trigger.key, triggerType: trigger.published, index }
      return [{ key: `${flow.id}:${trigger.key}`, stamp: JSON.stringify(trigger.config), trigger, fires }]
    }),
  )
  return new Map(timers.map((one) => [one.key, one]))
}

function triggerOf(stamp: string): Timing {
  return { config: JSON.parse(stamp) }
}

/** One for each firing, within the length that keys of jobs may have. */
function runKey(key: string, dueAt: number): string {
  const short = key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('hex')
  return `${short}:${dueAt}`
}

function inputOf(fires: NonNullable<ScheduleDocument['fires']>, time: number): RunJobInput {
  const { triggerKey } = fires
  return { ...fires, triggerId: triggerKey, time, data: {}, relay: { type: 'timer', id: triggerKey }, depth: 0 }
}

/** Only the run may be there already: what is moved has a revision. */
function isThereAlready(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'duplicate'
}

function isBeaten(error: unknown): boolean {
  return error instanceof StoreError && ['conflict', 'missing', 'duplicate'].includes(error.code)
}
