import type { Logger } from 'pino'
import type { PlanTrigger } from '../../engine/compile.ts'
import type { Jobs, Queue } from '../jobs/port.ts'
import { covers } from '../mqtt/topics.ts'
import { toDeviceViews } from '../resources/device-views.ts'
import { lastSource } from '../resources/event-fields.ts'
import type { Actor, Happening } from '../resources/happenings.ts'
import type { AppStore, WriteOperation } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { chunks } from '../tenancy/batch.ts'
import { eventFirings } from './event-triggers.ts'
import { fileFirings, pathOf } from './file-triggers.ts'
import type { Inactivity } from './inactivity.ts'
import { openLoopGuard } from './loop-guard.ts'
import type { AppFlows, Listener, Plans } from './plans.ts'
import type { RunJobInput } from './run-job.ts'
import { type Firing, selects, stateFirings } from './state-triggers.ts'
import { tableFirings } from './table-triggers.ts'

export interface Fire {
  /**
   * Queues a job of kind `run` for each trigger that listens to what has happened; without one nothing is written. Never
   * rejects: what has happened is stored already and stays acknowledged, since telemetry and jobs cannot be one write. Then the
   * runs are missing and the log says so; a process that dies between the two writes loses them as well.
   */
  happened(app: AppStore, happening: Happening, by: Actor): Promise<void>
  /** Runs that the guards against loops have left out since the start of the process. */
  dropped(): number
}

export interface FireOptions {
  plans: Plans
  queue: Pick<Queue, 'of'>
  log: Logger
  now(): number
  /** Told of each report of state; default nobody, and triggers of inactivity never fire. */
  inactivity?: Pick<Inactivity, 'reported'>
  /** Starts of one flow for one device in a span; default 30 in 15,000 ms. */
  most?: number
  spanMs?: number
}

/** What runs begin, begins runs in turn: at most so many after each other. */
const mostDepth = 20
/** The most runs that one batch of reports begins at one trigger. */
const mostFirings = 1_000
const insertedAtOnce = 200

/**
 * Starts flows on what happens to devices, events and rows of tables. A flow that changes what it listens to would start itself for ever:
 * each flow is started for the same device or table (or for none) at most `most` times in a span, a batch counting once, and no chain of
 * runs that start each other is longer than 20. What is over that is left out, counted, and logged once a span.
 */
export function openFire({ plans, queue, log, now, inactivity, most, spanMs }: FireOptions): Fire {
  const guard = openLoopGuard({ now, most, spanMs })
  const depths = openLoopGuard({ now, most: 0, spanMs })

  /** The runs to begin; none for what the guards refuse. */
  async function inputs(app: AppStore, flows: AppFlows, happening: Happening, by: Actor): Promise<RunJobInput[]> {
    const listeners = listening(flows, happening, now())
    if (listeners.length === 0) return []
    const about = { application: app.scope.application, kind: happening.kind }
    if (by.depth >= mostDepth) {
      const { first } = depths.take(scopeKey(app.scope))
      if (first)
        log.warn({ ...about, depth: by.depth }, 'flows that start each other were stopped: the chain is too long')
      return []
    }
    const subject = subjectOf(happening, by)
    const allowed = listeners.filter(({ flow }) => {
      if (subject === undefined) return true
      const taken = guard.take([scopeKey(app.scope), flow.id, subject].join('\n'))
      if (taken.first) log.warn({ ...about, flow: flow.name, device: subject }, 'a flow is started too often: left out')
      return taken.allowed
    })
    const cause = await causeOf(app, happening, by)
    return allowed.flatMap(({ flow, trigger, index, firings }) => {
      if (firings.length > mostFirings) {
        const given = firings.length
        log.warn({ ...about, flow: flow.name, given }, `a batch starts a flow ${mostFirings} times at most`)
      }
      return firings.slice(0, mostFirings).map(({ time, data, roots }) => ({
        ...{ flowId: flow.id, triggerKey: trigger.key, triggerType: trigger.published, index },
        ...{ triggerId: trigger.key, time, data, roots, depth: by.depth + 1 },
        ...cause,
      }))
    })
  }

  return {
    async happened(app, happening, by) {
      try {
        const flows = await plans.of(app)
        await start(app, queue.of(app), await inputs(app, flows, happening, by), by)
        if (happening.kind === 'state') await inactivity?.reported(app, happening.device, flows)
      } catch (error) {
        const { application } = app.scope
        log.error({ err: error, application, kind: happening.kind }, 'runs could not be started by what has happened')
      }
    },
    dropped: () => guard.dropped() + depths.dropped(),
  }
}

async function start(app: AppStore, jobs: Jobs, runs: readonly RunJobInput[], by: Actor): Promise<void> {
  const requestedBy = { type: by.type, id: by.id }
  for (const part of chunks(runs, insertedAtOnce)) {
    await app.write(part.map((input): WriteOperation => jobs.insertion({ kind: 'run', input, requestedBy })))
    jobs.wake()
  }
}

function listening(flows: AppFlows, happening: Happening, now: number): (Listener & { firings: Firing[] })[] {
  return flows.listeners(triggerTypeOf(happening)).flatMap((listener) => {
    const firings = firingsOf(listener.trigger, happening, now)
    return firings.length === 0 ? [] : [{ ...listener, firings }]
  })
}

function triggerTypeOf({ kind }: Happening): string {
  switch (kind) {
    case 'state':
    case 'invalid-state':
      return 'device-state'
    case 'event':
      return 'event'
    case 'table':
      return 'data-table'
    case 'file':
      return 'app-file'
    case 'device-create':
      return kind
    case 'connect':
    case 'disconnect':
      return `device-${kind}`
    case 'message':
      return 'mqtt-topic'
  }
}

function firingsOf(trigger: PlanTrigger, happening: Happening, now: number): Firing[] {
  switch (happening.kind) {
    case 'state':
    case 'invalid-state':
      return stateFirings(trigger, happening, now)
    case 'event':
      return eventFirings(trigger, happening.event, now)
    case 'table':
      return tableFirings(trigger, happening, now)
    case 'file':
      return fileFirings(trigger, happening, now)
    case 'device-create':
      return [{ time: now, data: {} }]
    case 'connect':
    case 'disconnect':
      return selects(trigger, happening.device) ? [{ time: happening.time, data: happening.data }] : []
    case 'message':
      return covers(trigger.key, happening.topic) ? [{ time: happening.time, data: happening.message }] : []
  }
}

/** What all runs that it begins get of it. */
async function causeOf(
  app: AppStore,
  happening: Happening,
  by: Actor,
): Promise<Pick<RunJobInput, 'relay'> & Partial<Pick<RunJobInput, 'triggerId' | 'device' | 'data'>>> {
  if (happening.kind === 'event') return { relay: lastSource(happening.event) }
  if (happening.kind === 'table') return { relay: { type: by.type, id: by.id } }
  if (happening.kind === 'message') {
    return { relay: { type: by.type, id: by.id }, triggerId: happening.topic }
  }
  if (happening.kind === 'file') return { relay: { type: by.type, id: by.id }, triggerId: pathOf(happening.file) }
  const { id } = happening.device
  const [device] = await toDeviceViews(app, [happening.device], { tagsAsObject: true, attributesAsObject: true })
  const relay = { type: by.type, id: by.id }
  return { relay, triggerId: id, ...(happening.kind === 'device-create' ? { data: { device } } : { device: device! }) }
}

/** What starts of a flow are counted by; undefined: not at all. Each new device would be a count of its own. */
function subjectOf(happening: Happening, by: Actor): string | undefined {
  if (happening.kind === 'event') return String(happening.event.deviceId ?? '')
  // Many rows of one table may well change at once; not so when a run that rows began changes them.
  if (happening.kind === 'table') return by.depth === 0 ? undefined : happening.tableId
  if (happening.kind === 'file') return ''
  if (happening.kind === 'device-create') return by.depth === 0 ? undefined : ''
  // Brokers count what devices publish.
  if (happening.kind === 'message') return by.depth === 0 ? undefined : happening.topic
  return happening.device.id
}
