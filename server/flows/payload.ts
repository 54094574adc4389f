import type { PlanTrigger } from '../../engine/compile.ts'
import { FlowError } from '../../engine/errors.ts'
import { copyValue, type Payload, sizeOf } from '../../engine/payload.ts'
import type { Outcome, RunError } from '../../engine/run.ts'
import type { AppFlows, RunnableFlow } from './plans.ts'

/** Who caused a run. */
export interface Relay {
  type: string
  id: string
}

/** What a trigger adds to the payload that every run starts with. */
export interface Start {
  triggerId: string
  /** The published name. */
  triggerType: string
  time: Date
  data: unknown
  relay: Relay
  experience?: Payload
  /** What this kind of trigger puts beside `data`. It never stands in the place of what every payload has. */
  roots?: Payload
}

/** The payload a run starts with (reference: flow-format 3.1). It shares nothing with any other run. */
export function startPayload(flows: AppFlows, flow: RunnableFlow, start: Start): Payload {
  return {
    ...start.roots,
    time: start.time,
    data: start.data,
    ...(start.experience ? { experience: start.experience } : {}),
    applicationId: flows.application.id,
    applicationName: flows.application.name,
    triggerId: start.triggerId,
    triggerType: start.triggerType,
    flowId: flow.id,
    flowName: flow.name,
    flowVersion: flow.version,
    globals: copyValue(globalsOf(flows, flow)),
    relayId: start.relay.id,
    relayType: start.relay.type,
  }
}

/** Globals of the application, then of the experience version, then of the flow: the last one wins, per key. */
export function globalsOf(flows: AppFlows, flow: RunnableFlow): Payload {
  const experience = flow.experienceVersion === undefined ? {} : flows.experienceGlobals.get(flow.experienceVersion)
  return { ...flows.globals, ...experience, ...flow.plan.globals }
}

const MOST_ERRORED_BYTES = 256 * 1024

/** What a flow-error trigger gets about a failed run (reference: triggers 6). */
export function errorStart(flow: RunnableFlow, outcome: Outcome, replyId: string | undefined, time: Date): Start {
  const { error, payload } = outcome
  return {
    triggerId: `${flow.id}-flowError`,
    triggerType: 'flowError',
    time,
    relay: { type: 'flow', id: flow.id },
    data: {
      errorInfo: {
        error: { message: error?.message, name: error?.name, ...(error?.stack ? { stack: error.stack } : {}) },
        nodeId: error?.node?.id,
        nodeType: error?.node?.type,
        ...(error?.inside ? { customNode: insideOf(error.inside) } : {}),
      },
      erroredPayload: snapshotOf(payload) ?? 'Payload data omitted due to size',
      ...(replyId === undefined ? {} : { replyId }),
    },
    ...(isObject(payload.experience) ? { experience: snapshotOf(payload.experience) } : {}),
  }
}

// Where it failed in a custom node, and in that which this one called.
function insideOf(places: NonNullable<RunError['inside']>): object | undefined {
  return places.reduceRight<object | undefined>(
    (inner, { flow, node }) => ({
      ...{ flowId: flow, nodeId: node.id, nodeType: node.type },
      ...(inner ? { customNode: inner } : {}),
    }),
    undefined,
  )
}

// What failed may be a payload that cannot be copied: too large, too deep, or inside itself.
function snapshotOf(value: Payload): Payload | undefined {
  if (sizeOf(value, MOST_ERRORED_BYTES) > MOST_ERRORED_BYTES) return undefined
  try {
    return copyValue(value)
  } catch (error) {
    if (error instanceof FlowError) return undefined
    throw error
  }
}

/** The data of a virtual button that is pressed without any: what stands in its `meta.payload`. */
export function buttonData({ config }: PlanTrigger): Payload {
  const text = config.payload
  return typeof text === 'string' && text.trim() !== '' ? (JSON.parse(text) as Payload) : {}
}

function isObject(value: unknown): value is Payload {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
