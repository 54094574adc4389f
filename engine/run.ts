import type { Plan, PlanNode } from './compile.ts'
import { FlowError } from './errors.ts'
import type { AnyNode, NodePlace, Turn, Visit } from './node.ts'
import { copyValue, type Payload, sizeOf } from './payload.ts'
import { enterTurn, giveWay } from './turns.ts'

export interface RunLimits {
  milliseconds: number
  /** Nodes that the run visits, where each turn of a loop has an account of its own: it tells circles, not long lists. */
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
  /** Runs of one group share the turns that the groups take on the thread; default: all runs are of one. */
  group?: string
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
 * Stops with `limit.time` after `limits.milliseconds`, `limit.visits` after `limits.visits` nodes, and names the node where
 * it was. Branches start in document order, each on its own copy of the payload; a failure halts all of them.
 */
export async function run(request: RunRequest): Promise<Outcome> {
  const limits = { ...defaultLimits, ...request.limits }
  const now = performance.now()
  const controller = new AbortController()
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
    lookAt: 0,
    last: request.payload,
    at: undefined,
    waiting: new Set(),
    rest: undefined,
  }
  const stopsAlready = request.signal?.aborted === true
  const root: Frame = { loop: undefined, parent: undefined, over: stopsAlready, turn: undefined, visits: 0 }
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>()
  const timer = setTimeout(() => stop(timeError(limits.milliseconds)), limits.milliseconds)
  const onAbort = () => stop(new FlowError('limit.time', 'The run was stopped because the server is shutting down'))
  if (stopsAlready) onAbort()
  else request.signal?.addEventListener('abort', onAbort, { once: true })
  let failure: unknown
  try {
    // The race listens to the walk to its end: what a branch throws after the run is over is no unhandled rejection.
    await Promise.race([stopped, walkAll(state, request.entry, request.payload, root, undefined)])
  } catch (error) {
    failure = error instanceof NodeFailure ? error : whereItIs(state, error)
  } finally {
    root.over = true
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', onAbort)
    // With a reason of its own: the one that abort would make looks at the stack first.
    controller.abort(failure ?? runOver)
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
}

/** A visit under way; `number` counts from 1 in the order of their start. */
interface Step {
  node: NodePlace
  context: AnyContext
  number: number
}

/** What halts together: the whole run, or one turn of a loop. */
interface Frame {
  loop: string | undefined
  parent: Frame | undefined
  over: boolean
  turn: Turn | undefined
  visits: number
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

// One for all: an abort without a reason of its own would make a new error, with its stack, for every run.
const runOver = new Error('The run is over')

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
  try {
    checkBranches(state)
    // All copies are made before the first branch starts: branches never see each other's writes.
    const copies = targets.map((_, index) => (index === 0 ? payload : copyValue(payload)))
    await Promise.all(targets.map((target, index) => walk(state, target, copies[index]!, frame, trail)))
  } finally {
    state.branches -= more
    state.forkedBytes -= bytes
  }
}

function checkBranches({ branches, forkedBytes, limits }: State): void {
  if (branches <= limits.branches && forkedBytes <= FORKED_PAYLOADS * limits.payloadBytes) return
  throw new FlowError(
    'limit.branches',
    `The run forked into more than ${limits.branches} branches, or too large ones, at one time`,
  )
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
    if (performance.now() - state.slice > SLICE_MS) await rest(state)
    if (isOver(frame)) return
    const node = state.plan.nodes[index]!
    const context = contextOf(state, node, payload, frame, trail)
    const step = { node: node.place, context, number: ++state.visitCount }
    const visit = beginVisit(state, step)
    let next: readonly number[] | undefined
    try {
      countVisit(state, frame)
      const answer = runNode(node, context)
      const output = answer instanceof Promise ? await settled(state, step, answer) : answer
      payload = context.payload
      const now = performance.now()
      visit.milliseconds = now - state.started - visit.startedMs
      checkSize(state, payload, now)
      visit.output = outputIndex(node, output)
      trail = { visit, before: trail }
      next = visit.output === undefined ? undefined : node.outputs[visit.output]
      if (next && next.length > 1) return await walkAll(state, next, payload, frame, trail)
    } catch (error) {
      if (visit.output === undefined) visit.milliseconds = performance.now() - state.started - visit.startedMs
      frame.over = true
      throw error instanceof NodeFailure ? error : new NodeFailure(error, node.place, context.payload)
    }
    if (next === undefined || next.length === 0) {
      state.last = payload
      return
    }
    index = next[0]!
  }
}

function runNode({ definition, settings, place }: PlanNode, context: AnyContext): ReturnType<AnyNode['run']> {
  if (!definition) {
    throw new FlowError('node.unknown', `The node type "${place.type}" is not supported by this server`)
  }
  context.config = settings(context)
  return definition.run(context)
}

async function settled<T>({ waiting, group = '' }: State, step: Step, answer: Promise<T>): Promise<T> {
  waiting.add(step)
  try {
    const output = await answer
    await enterTurn(group)
    return output
  } finally {
    waiting.delete(step)
  }
}

function beginVisit(state: State, step: Step): Visit {
  const visit = { node: step.node.id, output: undefined, startedMs: performance.now() - state.started, milliseconds: 0 }
  state.at = step
  if (state.visits.length < MOST_VISITS_KEPT) state.visits.push(visit)
  return visit
}

function countVisit({ limits }: State, frame: Frame): void {
  if (++frame.visits <= limits.visits) return
  throw new FlowError(
    'limit.visits',
    `The run visited more than ${limits.visits} nodes; is there a circle without an end?`,
    { name: 'TimeoutError' },
  )
}

// A run that is stopped from outside stands at the node that has not answered, the last to begin of several: of a loop
// and its body, the body. Else at the node that began last.
function whereItIs({ at, waiting }: State, error: unknown): unknown {
  const [step = at] = [...waiting].sort((a, b) => b.number - a.number)
  return step ? new NodeFailure(error, step.node, step.context.payload) : error
}

function contextOf(state: State, node: PlanNode, payload: Payload, frame: Frame, trail: Trail | undefined): AnyContext {
  const { definition, place, outputs } = node
  const targetsOf = (output: string) => outputs[definition?.outputs.indexOf(output) ?? -1] ?? []
  const context: AnyContext = {
    config: {},
    payload,
    use: pick(state.services, definition?.needs ?? []),
    node: { id: place.id, type: place.type, label: place.label, trail: () => visitsOf(trail) },
    signal: state.signal,
    async follow(output, turnPayload) {
      const turn: Frame = { loop: place.id, parent: frame, over: false, turn: undefined, visits: 0 }
      await walkAll(state, targetsOf(output), turnPayload, turn, trail)
      return turn.turn ?? { committed: undefined, mapped: undefined, last: false }
    },
    leads: (output) => targetsOf(output).length > 0,
    halted: () => isOver(frame),
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

// A run without I/O would otherwise keep the thread from every other request. All branches of a run come back together.
function rest(state: State): Promise<void> {
  state.rest ??= giveWay(state.group ?? '').then(() => {
    state.rest = undefined
    state.slice = performance.now()
  })
  return state.rest
}

const SMALL_BYTES = 10_000
const LOOKING_SHARE = 20

// A small payload is looked at after each node. A larger one less often: looking takes a twentieth of the time at most.
function checkSize(state: State, payload: Payload, now: number): void {
  if (now < state.lookAt) return
  const size = sizeOf(payload, state.limits.payloadBytes)
  if (size > SMALL_BYTES) state.lookAt = now + (LOOKING_SHARE + 1) * (performance.now() - now)
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
