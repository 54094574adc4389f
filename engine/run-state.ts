import type { Plan } from './compile.ts'
import { FlowError } from './errors.ts'
import type { AnyNode, CallEnd, NodePlace, Turn, Visit } from './node.ts'
import { type Payload, sizeOf } from './payload.ts'
import { giveWay } from './turns.ts'

export interface RunLimits {
  milliseconds: number
  /** Nodes that the run visits, where each turn of a loop has an account of its own: it tells circles, not long lists. */
  visits: number
  payloadBytes: number
  /** Branches that live at one time. */
  branches: number
  /** Custom nodes inside one another. */
  depth: number
}

/** They hold for a run and all custom nodes in it together; the payloads of those that call each other count as one. */
export const defaultLimits: RunLimits = {
  milliseconds: 60_000,
  visits: 50_000,
  payloadBytes: 5 << 20,
  branches: 1_000,
  depth: 20,
}

export interface RunRequest {
  plan: Plan
  /** Indexes of the nodes to start with. */
  entry: readonly number[]
  payload: Payload
  /** Given to each node as far as it declared them in `needs`. */
  services: object
  limits?: Partial<RunLimits>
  /** Ends the run early, as running out of time does. */
  signal?: AbortSignal
  /** Runs of one group share the turns that the groups take on the thread; default: all runs are of one. */
  group?: string
}

/** What all branches of a run share. */
export interface State extends Omit<RunRequest, 'signal'> {
  limits: RunLimits
  started: number
  /** When this run last let others have the thread. */
  slice: number
  visits: Visit[]
  visitCount: number
  branches: number
  /** What the payloads of living branches weigh beyond the first. */
  forkedBytes: number
  /** When the size of a payload is looked at again. */
  lookAt: number
  /** Of the branch that ended last. */
  last: Payload
  /** The node that began last. */
  at: Step | undefined
  /** Nodes that have not answered yet. */
  waiting: Set<Step>
  /** Set while the run lets others have the thread: all its branches come back together. */
  rest: Promise<void> | undefined
  /** Made when a node first asks for the signal: most never do. */
  controller: AbortController | undefined
  /** Why the signal is aborted: the run is over. */
  ended: Error | undefined
}

/** A visit under way; `number` counts from 1 in the order of their start. */
export interface Step {
  node: NodePlace
  context: AnyContext
  frame: Frame
  number: number
}

/** What halts together: the whole run, one turn of a loop, or one call of a custom node. */
export interface Frame {
  plan: Plan
  services: object
  loop: string | undefined
  /** The call that all this is a part of. */
  call: Call | undefined
  parent: Frame | undefined
  over: boolean
  turn: Turn | undefined
  /** What visits are counted in: each turn has its own, a call has that of its caller. */
  account: { visits: number }
}

/** A walk through another plan on behalf of a node. */
export interface Call {
  id: string
  /** The node that called, with its payload. */
  node: NodePlace
  context: AnyContext
  /** The call that the caller is a part of. */
  outer: Call | undefined
  depth: number
  /** Ids of the nodes that called, outermost first. */
  path: readonly string[]
  end(end: CallEnd): void
}

/** The way that led to a node, newest first. */
export interface Trail {
  visit: Visit
  before: Trail | undefined
}

export type AnyContext = Parameters<AnyNode['run']>[0]

/** A failure, and the node and payload where it came up. */
export class NodeFailure extends Error {
  readonly node: NodePlace
  readonly payload: Payload
  /** The call that the node is a part of. */
  readonly call: Call | undefined
  constructor(cause: unknown, at: { node: NodePlace; payload: Payload; call: Call | undefined }) {
    super('A node failed', { cause })
    this.node = at.node
    this.payload = at.payload
    this.call = at.call
  }
}

const FORKED_PAYLOADS = 16

/** Throws `limit.branches` when the branches that live are too many, or too large together. */
export function checkBranches({ branches, forkedBytes, limits }: State): void {
  if (branches <= limits.branches && forkedBytes <= FORKED_PAYLOADS * limits.payloadBytes) return
  throw new FlowError(
    'limit.branches',
    `The run forked into more than ${limits.branches} branches, or too large ones, at one time`,
  )
}

/** Throws `limit.visits` when the visits of a frame are too many. */
export function countVisit({ limits }: State, frame: Frame): void {
  if (++frame.account.visits <= limits.visits) return
  throw new FlowError(
    'limit.visits',
    `The run visited more than ${limits.visits} nodes; is there a circle without an end?`,
    { name: 'TimeoutError' },
  )
}

const LOOKING_SHARE = 20

/**
 * Throws `limit.payload` when a payload has grown too large. It is looked at after the first node, then so often that
 * looking takes a twentieth of the time: what one node may add is bounded, and to make much of it takes longer.
 */
export function checkSize(state: State, payload: Payload, { call }: Frame, now: number): void {
  if (now < state.lookAt) return
  const { payloadBytes } = state.limits
  let size = sizeOf(payload, payloadBytes)
  for (let at = call; at && size <= payloadBytes; at = at.outer) size += sizeOf(at.context.payload, payloadBytes)
  state.lookAt = now + (LOOKING_SHARE + 1) * (performance.now() - now)
  if (size > state.limits.payloadBytes) {
    const message = `The payload grew beyond ${state.limits.payloadBytes} bytes. Keep less of it, or remove what is no longer needed.`
    throw new FlowError('limit.payload', message, { name: 'PayloadTooLarge' })
  }
}

/** True when the frame, or one around it, has been halted. */
export function isOver(frame: Frame): boolean {
  for (let at: Frame | undefined = frame; at; at = at.parent) if (at.over) return true
  return false
}

/** Aborts when the run is over. */
export function signalOf(state: State): AbortSignal {
  state.controller ??= new AbortController()
  if (state.ended) state.controller.abort(state.ended)
  return state.controller.signal
}

const SLICE_MS = 10

/** True when the run has kept the thread for long. */
export function needsRest({ slice }: State, now: number): boolean {
  return now - slice > SLICE_MS
}

/** Lets others have the thread, which a run without I/O would keep from them. All branches of a run come back together. */
export function rest(state: State): Promise<void> {
  state.rest ??= giveWay(state.group ?? '').then(() => {
    state.rest = undefined
    state.slice = performance.now()
  })
  return state.rest
}
