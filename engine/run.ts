import type { Plan, PlanNode } from './compile.ts'
import { FlowError } from './errors.ts'
import type { AnyNode, NodePlace, Turn, Visit } from './node.ts'
import { copyValue, type Payload, sizeOf } from './payload.ts'

export interface RunLimits {
  milliseconds: number
  visits: number
  payloadBytes: number
  /** Branches that live at one time. */
  branches: number
}

export const defaultLimits: RunLimits = { milliseconds: 60_000, visits: 50_000, payloadBytes: 5 << 20, branches: 1_000 }

export interface RunRequest {
  plan: Plan
  /** Indexes of the nodes to start with. */
  entry: readonly number[]
  payload: Payload
  /** Given to each node as far as it declared them in `needs`. */
  services: Record<string, unknown>
  limits?: Partial<RunLimits>
  /** Ends the run early, as running out of time does. */
  signal?: AbortSignal
}

/** Why a run failed. `cause` is for the log; the rest may be shown to the author. */
export interface RunError {
  code: string
  name: string
  message: string
  stack?: string[]
  node?: NodePlace
  cause: unknown
}

export interface Outcome {
  status: 'done' | 'failed'
  error?: RunError
  /** Of the branch that failed, at that moment; else of the branch that ended last. */
  payload: Payload
  /** In order of their start; the first 1,000. */
  visits: Visit[]
  visitCount: number
  milliseconds: number
}

/**
 * Runs a plan from one place to its end. Never rejects: a failure is an Outcome.
 * Stops with `limit.time` after `limits.milliseconds`, `limit.visits` after `limits.visits` nodes.
 * Branches start in document order, each on its own copy of the payload; a failure halts all of them.
 */
export async function run(request: RunRequest): Promise<Outcome> {
  const limits = { ...defaultLimits, ...request.limits }
  const controller = new AbortController()
  const now = performance.now()
  const state: State = {
    ...request,
    limits,
    signal: controller.signal,
    started: now,
    slice: now,
    visits: [],
    visitCount: 0,
    branches: 1,
    forkedBytes: 0,
    unchecked: 0,
    last: request.payload,
  }
  const root: Frame = { loop: undefined, parent: undefined, over: false, turn: undefined }
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>()
  const timer = setTimeout(() => stop(timeError(limits.milliseconds)), limits.milliseconds)
  const onAbort = () => stop(new FlowError('limit.time', 'The run was stopped because the server is shutting down'))
  request.signal?.addEventListener('abort', onAbort, { once: true })
  let failure: unknown
  try {
    await Promise.race([walkAll(state, request.entry, request.payload, root, undefined), stopped])
  } catch (error) {
    failure = error
  } finally {
    root.over = true
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', onAbort)
    controller.abort(failure)
  }
  const { visits, visitCount, last } = state
  const outcome = { visits, visitCount, milliseconds: performance.now() - now }
  if (failure === undefined) return { status: 'done', payload: last, ...outcome }
  const payload = failure instanceof NodeFailure ? failure.payload : last
  return { status: 'failed', error: toRunError(failure), payload, ...outcome }
}

interface State extends RunRequest {
  limits: RunLimits
  signal: AbortSignal
  started: number
  /** When this run last let others have the thread. */
  slice: number
  visits: Visit[]
  visitCount: number
  branches: number
  /** What the payloads of living branches weigh beyond the first. */
  forkedBytes: number
  /** Visits since the size of a payload was looked at. */
  unchecked: number
  last: Payload
}

/** What halts together: the whole run, or one turn of a loop. */
interface Frame {
  loop: string | undefined
  parent: Frame | undefined
  over: boolean
  turn: Turn | undefined
}

/** The way that led to a node, newest first. */
interface Trail {
  visit: Visit
  before: Trail | undefined
}

type AnyContext = Parameters<AnyNode['run']>[0]

class NodeFailure extends Error {
  readonly node: NodePlace
  readonly payload: Payload
  constructor(cause: unknown, node: NodePlace, payload: Payload) {
    super('A node failed', { cause })
    this.node = node
    this.payload = payload
  }
}

const MOST_VISITS_KEPT = 1_000
const SLICE_MS = 10
const FORKED_PAYLOADS = 16

async function walkAll(
  state: State,
  targets: readonly number[],
  payload: Payload,
  frame: Frame,
  trail: Trail | undefined,
): Promise<void> {
  if (targets.length === 0) return
  if (targets.length === 1) return walk(state, targets[0]!, payload, frame, trail)
  const more = targets.length - 1
  const bytes = more * sizeOf(payload, state.limits.payloadBytes)
  state.branches += more
  state.forkedBytes += bytes
  if (state.branches > state.limits.branches || state.forkedBytes > FORKED_PAYLOADS * state.limits.payloadBytes) {
    const { branches } = state.limits
    throw new FlowError(
      'limit.branches',
      `The run forked into more than ${branches} branches, or too large ones, at one time`,
    )
  }
  // All copies are made before the first branch starts: branches never see each other's writes.
  const copies = targets.map((_, index) => (index === 0 ? payload : copyValue(payload)))
  await Promise.all(targets.map((target, index) => walk(state, target, copies[index]!, frame, trail)))
  state.branches -= more
  state.forkedBytes -= bytes
}

async function walk(
  state: State,
  first: number,
  start: Payload,
  frame: Frame,
  before: Trail | undefined,
): Promise<void> {
  let index = first
  let payload = start
  let trail = before
  for (;;) {
    if (isOver(frame)) return
    const node = state.plan.nodes[index]!
    const visit = beginVisit(state, node)
    try {
      if (performance.now() - state.slice > SLICE_MS) await giveWay(state)
      const context = contextOf(state, node, payload, frame, trail)
      const answer = node.definition!.run(context)
      const output = answer instanceof Promise ? await answer : answer
      payload = context.payload
      checkSize(state, payload)
      visit.output = outputIndex(node, output)
    } catch (error) {
      frame.over = true
      throw error instanceof NodeFailure ? error : new NodeFailure(error, node.place, payload)
    } finally {
      visit.milliseconds = performance.now() - state.started - visit.startedMs
    }
    trail = { visit, before: trail }
    const next = visit.output === undefined ? undefined : node.outputs[visit.output]
    if (next === undefined || next.length === 0) {
      state.last = payload
      return
    }
    if (next.length > 1) return walkAll(state, next, payload, frame, trail)
    index = next[0]!
  }
}

function beginVisit(state: State, node: PlanNode): Visit {
  const visit = {
    node: node.place.id,
    output: undefined,
    startedMs: performance.now() - state.started,
    milliseconds: 0,
  }
  state.visitCount++
  if (state.visits.length < MOST_VISITS_KEPT) state.visits.push(visit)
  if (state.visitCount > state.limits.visits) {
    throw new NodeFailure(
      new FlowError(
        'limit.visits',
        `The run visited more than ${state.limits.visits} nodes; is there a loop without an end?`,
      ),
      node.place,
      state.last,
    )
  }
  return visit
}

function contextOf(state: State, node: PlanNode, payload: Payload, frame: Frame, trail: Trail | undefined): AnyContext {
  const { definition, place, outputs } = node
  if (!definition) {
    throw new FlowError('node.unknown', `The node type "${place.type}" is not supported by this server`)
  }
  const context: AnyContext = {
    config: {},
    payload,
    use: pick(state.services, definition.needs),
    node: { ...place, trail: () => visitsOf(trail) },
    signal: state.signal,
    async follow(output, turnPayload) {
      const turn: Frame = { loop: place.id, parent: frame, over: false, turn: undefined }
      await walkAll(state, outputs[definition.outputs.indexOf(output)] ?? [], turnPayload, turn, trail)
      return turn.turn ?? { committed: undefined, mapped: undefined, last: false }
    },
    alwaysCommits: (output) => node.committing.has(output),
    endTurn(loopId, turn) {
      for (let at: Frame | undefined = frame; at; at = at.parent) {
        if (at.loop === loopId) {
          at.turn ??= { committed: context.payload, ...turn }
          return
        }
      }
    },
  }
  context.config = node.settings(context)
  return context
}

function pick(services: Record<string, unknown>, needs: readonly string[]): Record<string, unknown> {
  const use: Record<string, unknown> = {}
  for (const name of needs) use[name] = services[name]
  return use
}

function outputIndex(node: PlanNode, output: string | number | undefined | void): number | undefined {
  if (typeof output === 'number') return output
  const names: readonly string[] = node.definition!.outputs
  if (typeof output === 'string') return names.indexOf(output)
  return names.length === 0 ? undefined : 0
}

function isOver(frame: Frame): boolean {
  for (let at: Frame | undefined = frame; at; at = at.parent) if (at.over) return true
  return false
}

// A run without I/O would otherwise keep the thread from every other request.
async function giveWay(state: State): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  state.slice = performance.now()
}

// A large payload is looked at less often, so that looking stays a small part of the cost of a visit.
function checkSize(state: State, payload: Payload): void {
  if (state.unchecked-- > 0) return
  const size = sizeOf(payload, state.limits.payloadBytes)
  state.unchecked = size / 200_000
  if (size > state.limits.payloadBytes) {
    const message = `The payload grew beyond ${state.limits.payloadBytes} bytes. Keep less of it, or remove what is no longer needed.`
    throw new FlowError('limit.payload', message, { name: 'PayloadTooLarge' })
  }
}

function visitsOf(trail: Trail | undefined): Visit[] {
  const visits: Visit[] = []
  for (let at = trail; at && visits.length < MOST_VISITS_KEPT; at = at.before) visits.push(at.visit)
  return visits.reverse()
}

function timeError(milliseconds: number): FlowError {
  return new FlowError('limit.time', `The run took longer than ${milliseconds / 1000} seconds`, {
    name: 'TimeoutError',
  })
}

function toRunError(failure: unknown): RunError {
  const cause = failure instanceof NodeFailure ? failure.cause : failure
  const node = failure instanceof NodeFailure ? { node: failure.node } : {}
  if (cause instanceof FlowError) {
    const stack = cause.details?.stack === undefined ? {} : { stack: cause.details.stack }
    return { code: cause.code, name: cause.name, message: cause.message, ...stack, ...node, cause }
  }
  return { code: 'internal', name: 'InternalError', message: 'Something went wrong on the server', ...node, cause }
}
