import type { Logger } from 'pino'
import type { JobDefinition, Queue } from '../jobs/port.ts'
import type { Resources } from '../resources/resources.ts'
import { systemState } from '../resources/system-state.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore, StateValue } from '../store/port.ts'

export interface Systems {
  /** A device has reported state: the system that it is part of reports at the end of its interval. Never rejects. */
  reported(app: AppStore, device: DeviceDocument): Promise<void>
  /** Reports what a system is made of. */
  job: JobDefinition
}

export interface SystemsOptions {
  log: Pick<Logger, 'error'>
  queue: Pick<Queue, 'of'>
  now(): number
  resources(app: AppStore): Pick<Resources, 'actingAs'>
}

const kind = 'system-state'
const seconds = 30

/**
 * Systems report what their direct children are, as devices do: triggers of state hear of it, and a system above reports in its
 * turn. Each has at most one job an interval, made by the first report of a child in it. What has not changed is reported only
 * where the system keeps duplicates; such a system reports at every interval from the first on.
 */
export function openSystems({ log, queue, now, resources }: SystemsOptions): Systems {
  async function arm(app: AppStore, system: DeviceDocument): Promise<void> {
    const interval = 1000 * (system.systemInterval ?? seconds)
    const dueAt = (Math.floor(now() / interval) + 1) * interval
    const requestedBy = { type: 'device', id: system.id }
    await queue
      .of(app)
      .add({ kind, key: `${kind}:${system.id}:${dueAt}`, dueAt, input: { id: system.id, dueAt }, requestedBy })
  }

  async function report(app: AppStore, { id, dueAt }: { id: string; dueAt: number }): Promise<string[]> {
    const system = await app.collection('devices').get(id)
    if (system?.deviceClass !== 'system') return []
    const state = await systemState(app, system)
    const data = system.keepDuplicates ? state : await changed(app, system, state)
    const names = Object.keys(data)
    const { devices } = resources(app).actingAs({ type: 'device', id, depth: 0 })
    if (names.length > 0) await devices.report([{ deviceId: id, data, time: dueAt }])
    if (system.keepDuplicates && Object.keys(state).length > 0) await arm(app, system)
    return names
  }

  return {
    async reported(app, { id, parentId }) {
      if (parentId === undefined) return
      try {
        const system = await app.collection('devices').get(parentId)
        if (system?.attributes.some((one) => one.system !== undefined)) await arm(app, system)
      } catch (error) {
        // What was reported is stored, and the next report of a child makes up for it.
        log.error(
          { err: error, application: app.scope.application, deviceId: id },
          'the system of a device was not told of its state',
        )
      }
    },
    job: {
      kind,
      run: async ({ app, input }) => ({
        output: { reported: await report(app, input as { id: string; dueAt: number }) },
      }),
    },
  }
}

async function changed(app: AppStore, system: DeviceDocument, state: Record<string, StateValue>) {
  const before = (await app.telemetry.last([system.id], Object.keys(state))).get(system.id) ?? {}
  return Object.fromEntries(
    Object.entries(state).filter(([name, value]) => !Object.hasOwn(before, name) || before[name]!.value !== value),
  )
}
