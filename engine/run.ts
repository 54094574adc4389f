import { FlowError } from './errors.ts'
import type { NodePlace, Visit } from './node.ts'
import type { Payload } from './payload.ts'
import { defaultLimits, type Frame, isOver, NodeFailure, type RunRequest, type State } from './run-state.ts'
import { walkAll } from './run-walk.ts'

/** Why a run failed. `cause` is for the log; the rest may be shown to the author. */
export interface RunError {
  code: string
  name: string
  message: string
  stack?: string[]
  node?: NodePlace
  /** When `node` is a custom node: where it failed in it, by the flow and the node, outermost first. */
  inside?: { flow: string; node: NodePlace }[]
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
  const { signal, ...given } = request
  const limits = { ...defaultLimits, ...request.limits }
  const now = performance.now()
  const state: State = {
    ...given,
    limits,
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
    controller: undefined,
    ended: undefined,
  }
  const { plan, services } = request
  const root: Frame = {
    ...{ plan, services, loop: undefined, call: undefined, parent: undefined, turn: undefined, over: false },
    account: { visits: 0 },
  }
  let failure: unknown
  try {
    if (signal?.aborted) throw stopError()
    const walking = walkAll(state, request.entry, request.payload, root, undefined)
    if (walking) await inTime(walking, state, signal)
  } catch (error) {
    failure = error instanceof NodeFailure ? error : whereItIs(state, error)
  }
  root.over = true
  // With a reason of its own: the one that abort would make looks at the stack first.
  state.ended = (failure as Error | undefined) ?? runOver
  state.controller?.abort(state.ended)
  const { visits, visitCount, last } = state
  const outcome = { visits, visitCount, milliseconds: performance.now() - now }
  if (failure === undefined) return { status: 'done', payload: last, ...outcome }
  const place = failure instanceof NodeFailure ? placeOf(failure) : undefined
  return { status: 'failed', error: toRunError(failure, place), payload: place?.payload ?? last, ...outcome }
}

/** Waits for a walk as long as the run may take, and until it is stopped. */
async function inTime(walking: Promise<void>, { limits, started }: State, signal?: AbortSignal): Promise<void> {
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>()
  const left = started + limits.milliseconds - performance.now()
  const timer = setTimeout(() => stop(timeError(limits.milliseconds)), left)
  const onAbort = () => stop(stopError())
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    // The race listens to the walk to its end: what a branch throws after the run is over is no unhandled rejection.
    await Promise.race([stopped, walking])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

// One for all: an abort without a reason of its own would make a new error, with its stack, for every run.
const runOver = new Error('The run is over')

// A run that is stopped from outside stands at the node that has not answered, the last to begin of several: of a loop
// and its body, the body. Else at the node that began last.
function whereItIs({ at, waiting }: State, error: unknown): unknown {
  // What a custom node has left behind does not count.
  const [step = at] = [...waiting].filter(({ frame }) => !isOver(frame)).sort((a, b) => b.number - a.number)
  if (!step) return error
  return new NodeFailure(error, { node: step.node, payload: step.context.payload, call: step.frame.call })
}

// A failure in a custom node is one of the node that called it, and leaves that node's payload.
function placeOf({
  node,
  payload,
  call,
}: NodeFailure): Pick<NodeFailure, 'node' | 'payload'> & Pick<RunError, 'inside'> {
  if (!call) return { node, payload }
  const inside = [{ flow: call.id, node }]
  let outermost = call
  while (outermost.outer) {
    inside.unshift({ flow: outermost.outer.id, node: outermost.node })
    outermost = outermost.outer
  }
  return { node: outermost.node, payload: outermost.context.payload, inside }
}

function stopError(): FlowError {
  return new FlowError('limit.time', 'The run was stopped because the server is shutting down')
}

function timeError(milliseconds: number): FlowError {
  return new FlowError('limit.time', `The run took longer than ${milliseconds / 1000} seconds`, {
    name: 'TimeoutError',
  })
}

function toRunError(failure: unknown, place: ReturnType<typeof placeOf> | undefined): RunError {
  const cause = failure instanceof NodeFailure ? failure.cause : failure
  const node = place ? { node: place.node, ...(place.inside ? { inside: place.inside } : {}) } : {}
  if (cause instanceof FlowError) {
    const stack = cause.details?.stack === undefined ? {} : { stack: cause.details.stack }
    return { code: cause.code, name: cause.name, message: cause.message, ...stack, ...node, cause }
  }
  return { code: 'internal', name: 'InternalError', message: 'Something went wrong on the server', ...node, cause }
}
