import { createHash, randomInt } from 'node:crypto'
import type { PlanTrigger } from '../../engine/compile.ts'
import type { JobDefinition, Jobs, Queue } from '../jobs/port.ts'
import { toDeviceViews } from '../resources/device-views.ts'
import { isoOf } from '../resources/listing.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import type { AppFlows, Plans } from './plans.ts'
import type { RunJobInput } from './run-job.ts'
import { selects } from './state-triggers.ts'

export interface Inactivity {
  /** A device has reported state now: its clocks start, or start anew. Without a trigger that listens nothing is written. */
  reported(app: AppStore, device: DeviceDocument, flows: AppFlows): Promise<void>
  /** Looks at a clock when it may have run out. */
  job: JobDefinition
}

export interface InactivityOptions {
  plans: Plans
  queue: Pick<Queue, 'of'>
  now(): number
}

/** What the input of a job of kind `inactivity` says: whose clock it is, and which start of it. */
interface Look {
  flowId: string
  /** Published name, key and seconds of the trigger: with other ones it is another clock. */
  type: string
  key: string
  seconds: number
  deviceId: string
  n: number
}

/** A clock: the last report, the number of its job, and whether it runs. */
interface Clock {
  at: number
  n: number
  armed: boolean
}

const space = 'inactivity'
const mostSeen = 100_000

/**
 * The clocks of inactivity triggers. Each has one job, due when the device would have been silent for long enough; a report in
 * between only moves the time of the last one, and the job that finds it puts off. A clock that is armed always has its job: it
 * is made after the clock is, before the report is acknowledged, and once more by the next report that finds it missing.
 */
export function openInactivity({ plans, queue, now }: InactivityOptions): Inactivity {
  // Jobs that this process knows to be there.
  const seen = new Set<string>()

  async function arm(app: AppStore, jobs: Jobs, look: Look, dueAt: number): Promise<void> {
    const key = `${clockKey(look)}:${look.n}`
    const known = `${scopeKey(app.scope)}\n${key}`
    if (seen.has(known)) return
    await jobs.add({ kind: space, key, dueAt, input: look, requestedBy: { type: 'flow', id: look.flowId } })
    if (seen.size >= mostSeen) seen.clear()
    seen.add(known)
  }

  async function started(app: AppStore, look: Omit<Look, 'n'>): Promise<void> {
    const at = now()
    for (;;) {
      const before = (await app.values.get(space, clockKey(look))) as Clock | undefined
      // Never the number of a clock that was forgotten: its jobs may still be kept, and are done.
      const n = before?.armed ? before.n : (before?.n ?? randomInt(2 ** 47)) + 1
      const after = { at, n, armed: true }
      if (!(await app.values.swap(space, clockKey(look), { before, after }))) continue
      return await arm(app, queue.of(app), { ...look, n }, at + look.seconds * 1000)
    }
  }

  /** Fires, puts off, or forgets the clock. */
  async function look(app: AppStore, one: Look): Promise<'fired' | 'put off' | 'forgotten'> {
    const key = clockKey(one)
    const jobs = queue.of(app)
    for (;;) {
      const clock = (await app.values.get(space, key)) as Clock | undefined
      if (clock?.n !== one.n || !clock.armed) return 'forgotten'
      const dueAt = clock.at + one.seconds * 1000
      const target = targetOf(await plans.of(app), one)
      const device = await app.collection('devices').get(one.deviceId)
      if (!target || !device || !selects(target.trigger, device)) {
        if (await app.values.swap(space, key, { before: clock, after: undefined })) return 'forgotten'
      } else if (dueAt > now()) {
        // The next job is there before this one is gone.
        await arm(app, jobs, { ...one, n: one.n + 1 }, dueAt)
        if (await app.values.swap(space, key, { before: clock, after: { ...clock, n: one.n + 1 } })) return 'put off'
      } else {
        const input = await runOf(app, one, { ...target, device, at: clock.at })
        await jobs.add({ kind: 'run', key: `${key}:${one.n}:run`, input })
        if (await app.values.swap(space, key, { before: clock, after: { ...clock, armed: false } })) return 'fired'
      }
    }
  }

  return {
    async reported(app, device, { flows }) {
      for (const flow of flows) {
        for (const trigger of flow.plan.triggers) {
          if (trigger.type !== 'device-inactivity' || !selects(trigger, device)) continue
          const { published: type, key } = trigger
          await started(app, { flowId: flow.id, type, key, seconds: secondsOf(trigger), deviceId: device.id })
        }
      }
    },
    job: {
      kind: space,
      run: async ({ app, input }) => ({ output: { result: await look(app, input as Look) } }),
    },
  }
}

function targetOf({ flows }: AppFlows, { flowId, type, key, seconds }: Look) {
  const triggers = flows.find((flow) => flow.id === flowId)?.plan.triggers ?? []
  const index = triggers.findIndex(
    (one) =>
      one.type === 'device-inactivity' && one.published === type && one.key === key && secondsOf(one) === seconds,
  )
  return index === -1 ? undefined : { trigger: triggers[index]!, index }
}

async function runOf(
  app: AppStore,
  { flowId, seconds, deviceId }: Look,
  { trigger, index, device, at }: { trigger: PlanTrigger; index: number; device: DeviceDocument; at: number },
): Promise<RunJobInput> {
  const [view] = await toDeviceViews(app, [device], { tagsAsObject: true, attributesAsObject: true })
  return {
    ...{ flowId, triggerKey: trigger.key, triggerType: trigger.published, index, triggerId: deviceId },
    time: at + seconds * 1000,
    data: { inactivitySeconds: seconds, lastActivity: isoOf(at) },
    relay: { type: 'timer', id: `inactivity-${deviceId}-${seconds}` },
    depth: 0,
    device: view!,
  }
}

function secondsOf({ config }: PlanTrigger): number {
  return config.seconds as number
}

function clockKey({ flowId, type, key, seconds, deviceId }: Omit<Look, 'n'>): string {
  const parts = JSON.stringify([flowId, type, key, seconds, deviceId])
  return `inactivity:${createHash('sha256').update(parts).digest('hex')}`
}
