import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Plan } from '../../engine/compile.ts'
import { sizeOf } from '../../engine/payload.ts'
import type { Flows } from '../../nodes/services/flows.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { HttpError } from '../errors.ts'
import { openRoom, type Room } from '../experience/room.ts'
import type { Jobs } from '../jobs/port.ts'
import { scopeKey } from '../store/scope.ts'
import { buttonData } from './payload.ts'
import type { Plans, RunnableFlow } from './plans.ts'
import type { RunContext, Runner } from './runner.ts'

export interface PressDeps {
  plans: Plans
  jobs: Jobs
  now(): number
  log: Logger
  /** Shared by all runs of this process. */
  room: Room
  /** Undefined: flows are not started here, only later by a server. */
  fireTrigger: Runner['fireTrigger'] | undefined
}

/** Flows that press each other, one after the other: so many at most. */
const MOST_DEPTH = 20
/** Runs that one run may start in all, with those that they start in turn. */
const MOST_FAMILY = 10_000
const MOST_SCHEDULED = 10_000
const MOST_WAIT_MS = 366 * 86_400_000
/** Who waits so long is no faster than a timer: the count of runs after each other begins anew. */
const CALM_MS = 60_000
/** What a run takes beside its data, in bytes. */
const RUN_BYTES = 10_000
const KEY = 'press '

/** Memory for the runs that flows start: about 10,000 small ones of an application at a time. */
export function openPressRoom(): Room {
  return openRoom({ heldBytes: 300_000_000, heldBytesPerApplication: 100_000_000 })
}

/** The service by which the nodes of one run press virtual buttons of their application. */
export function pressesOf(context: RunContext, deps: PressDeps): Flows {
  const { app } = context
  const root = rootOf(context)
  const by = { type: 'flow', id: root.flow.id }
  return {
    async press({ flow: flowId, button, version: wanted, data: given, dueAt }) {
      const flows = await deps.plans.of(app)
      const version = versionOf(wanted, flows.flows, { flowId, root })
      const flow = flows.version(flowId, version)
      if (!flow || !isEnabled(flow, flows.flows)) {
        throw new Refusal('NotFound', `Expected a flow that is switched on, got "${flowId}" in the version "${wanted}"`)
      }
      const index = buttonIndex(flow.plan, button)
      const trigger = flow.plan.triggers[index]
      if (!trigger)
        throw new Refusal('NotFound', `Expected a virtual button of the flow "${flow.name}", got "${button}"`)
      const depth = (root.depth ?? 0) + 1
      countPress(root, depth, deps.log)
      const data = given === undefined ? buttonData(trigger) : given
      const target = { flowId, triggerKey: trigger.key, triggerType: trigger.published, index, version }
      if (dueAt !== undefined) return { runId: await schedule({ ...target, data, depth, dueAt }) }
      if (!deps.fireTrigger) throw new Refusal('Unavailable', 'Expected a server: flows are not started here')
      const release = take(deps.room, root, data)
      const runId = randomUUID()
      // Whoever presses does not wait; what fails in the run is its own, and what fails before it stands in the log.
      deps
        .fireTrigger(app.scope, target, { data, relay: by, depth, runId, family: root.family })
        .catch((error: unknown) =>
          deps.log.error({ err: error, runId, flow: flow.name }, 'a flow could not be started'),
        )
        .finally(release)
      return { runId }
    },
    async cancel(runId) {
      if (!/^[0-9a-f]{24}$/.test(runId)) return false
      const job = await deps.jobs.get(runId)
      return job?.key.startsWith(KEY) === true && deps.jobs.cancel(runId)
    },
  }

  async function schedule({ dueAt, ...run }: { triggerKey: string; dueAt: number } & Record<string, unknown>) {
    const wait = dueAt - deps.now()
    if (wait > MOST_WAIT_MS) throw new Refusal('Validation', 'Expected a time within a year from now, got a later one')
    const waiting = { all: [fieldIs('kind', 'run'), fieldIs('status', 'queued')] }
    if ((await app.collection('jobs').count(waiting)) >= MOST_SCHEDULED) {
      throw new Refusal('RateLimit', `Expected at most ${MOST_SCHEDULED} runs that wait for their time, got more`)
    }
    const time = Math.max(dueAt, deps.now())
    const calm = wait >= CALM_MS ? { depth: 0 } : {}
    const input = { ...run, ...calm, triggerId: run.triggerKey, time, relay: by }
    const job = await deps.jobs.add({ kind: 'run', input, key: `${KEY}${randomUUID()}`, dueAt: time, requestedBy: by })
    deps.jobs.wake(time)
    return job.id
  }
}

/** Where the button of a name stands among the triggers: by its key, else by the names that exports know it by; -1 for none. */
export function buttonIndex({ triggers }: Plan, name: string): number {
  const wanted = name.trim()
  const find = (nameOf: (one: Plan['triggers'][number]) => unknown) =>
    triggers.findIndex((one) => one.type === 'virtual-button' && wanted !== '' && nameOf(one) === wanted)
  const byKey = find(({ key }) => key)
  if (byKey >= 0) return byKey
  const byUiId = find(({ meta }) => meta.uiId)
  return byUiId >= 0 ? byUiId : find(({ meta }) => meta.id)
}

function fieldIs(field: string, value: string) {
  return { field, op: 'eq', value } as const
}

// An experience flow presses those of its own version; another flow those of develop, unless it names one.
function versionOf(
  wanted: string,
  flows: readonly RunnableFlow[],
  { flowId, root }: { flowId: string; root: RunContext },
): string {
  const ofExperience = flows.some((one) => one.id === flowId && one.flowClass === 'experience')
  return wanted === 'default' && ofExperience ? (root.flow.experienceVersion ?? 'develop') : wanted
}

function isEnabled({ id, experienceVersion }: RunnableFlow, flows: readonly RunnableFlow[]): boolean {
  return flows.some((one) => one.id === id && one.experienceVersion === experienceVersion)
}

// The run itself, where a custom node in it presses.
function rootOf(context: RunContext): RunContext {
  return context.placement ? rootOf(context.placement.by) : context
}

function countPress(root: RunContext, depth: number, log: Logger): void {
  root.family ??= { runs: 0 }
  root.family.runs++
  const tooMany = depth > MOST_DEPTH ? `${MOST_DEPTH} runs after each other` : `${MOST_FAMILY} runs in all`
  if (depth <= MOST_DEPTH && root.family.runs <= MOST_FAMILY) return
  const about = { application: root.app.scope.application, flow: root.flow.name, depth, runs: root.family.runs }
  if (root.family.runs <= MOST_FAMILY + 1) log.warn(about, 'flows that start each other were stopped')
  throw new Refusal('RateLimit', `Expected flows that start each other to come to an end, got more than ${tooMany}`)
}

function take(room: Room, { app }: RunContext, data: unknown): () => void {
  const hold = room.open(scopeKey(app.scope))
  const release = hold.share()
  try {
    hold.set(RUN_BYTES + sizeOf(data))
    return release
  } catch (error) {
    release()
    if (!(error instanceof HttpError)) throw error
    throw new Refusal('RateLimit', 'Too many runs that other flows started are under way. Try again in a moment')
  }
}
