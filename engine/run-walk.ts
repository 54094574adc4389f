import type { PlanNode } from './compile.ts'
import { FlowError } from './errors.ts'
import type { AnyNode, CallEnd, CallTarget, Visit } from './node.ts'
import { copyValue, type Payload, sizeOf } from './payload.ts'
import {
  type AnyContext,
  checkBranches,
  checkSize,
  countVisit,
  type Frame,
  isOver,
  NodeFailure,
  needsRest,
  rest,
  type State,
  type Step,
  type Trail,
} from './run-state.ts'
import { enterTurn } from './turns.ts'

/**
 * Walks what hangs on an output to its end, each branch on its own copy of the payload. Rejects with NodeFailure, or with
 * `limit.branches`, at the first failure; branches that are left behind end before their next node.
 */
export async function walkAll(
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
    if (needsRest(state)) await rest(state)
    if (isOver(frame)) return
    const node = frame.plan.nodes[index]!
    const context = contextOf(state, node, payload, frame, trail)
    const step = { node: node.place, context, frame, number: ++state.visitCount }
    const visit = beginVisit(state, step)
    let next: readonly number[] | undefined
    try {
      countVisit(state, frame)
      const answer = runNode(node, context)
      const output = answer instanceof Promise ? await settled(state, step, answer) : answer
      payload = context.payload
      const now = performance.now()
      visit.milliseconds = now - state.started - visit.startedMs
      checkSize(state, payload, frame, now)
      visit.output = outputIndex(node, output)
      trail = { visit, before: trail }
      next = visit.output === undefined ? undefined : node.outputs[visit.output]
      if (next && next.length > 1) return await walkAll(state, next, payload, frame, trail)
    } catch (error) {
      if (visit.output === undefined) visit.milliseconds = performance.now() - state.started - visit.startedMs
      frame.over = true
      if (error instanceof NodeFailure) throw error
      throw new NodeFailure(error, { node: node.place, payload: context.payload, call: frame.call })
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

const MOST_VISITS_KEPT = 1_000

function beginVisit(state: State, step: Step): Visit {
  const startedMs = performance.now() - state.started
  const visit: Visit = { node: step.node.id, output: undefined, startedMs, milliseconds: 0 }
  if (step.frame.call !== undefined) visit.inside = step.frame.call.path
  state.at = step
  if (state.visits.length < MOST_VISITS_KEPT) state.visits.push(visit)
  return visit
}

function contextOf(state: State, node: PlanNode, payload: Payload, frame: Frame, trail: Trail | undefined): AnyContext {
  const { definition, place, outputs } = node
  const targetsOf = (output: string) => outputs[definition?.outputs.indexOf(output) ?? -1] ?? []
  const context: AnyContext = {
    config: {},
    payload,
    use: pick(frame.services, definition?.needs ?? []),
    node: { id: place.id, type: place.type, label: place.label, trail: () => visitsOf(trail) },
    signal: state.signal,
    async follow(output, turnPayload) {
      const { plan, services, call } = frame
      const account = { visits: 0 }
      const turn: Frame = { plan, services, call, loop: place.id, parent: frame, over: false, turn: undefined, account }
      await walkAll(state, targetsOf(output), turnPayload, turn, trail)
      return turn.turn ?? { committed: undefined, mapped: undefined, last: false }
    },
    leads: (output) => targetsOf(output).length > 0,
    halted: () => isOver(frame),
    alwaysCommits: (output) => node.committing.has(output),
    endTurn(loopId, turn) {
      // Loops of a caller are none of its custom nodes', whatever their ids.
      for (let at: Frame | undefined = frame; at && at.call === frame.call; at = at.parent) {
        if (at.loop === loopId) {
          at.turn ??= { committed: context.payload, ...turn }
          return
        }
      }
    },
    call: (target) => call(state, frame, { node: place, context }, target),
    endCall: (end) => frame.call?.end(end),
  }
  return context
}

async function call(
  state: State,
  frame: Frame,
  caller: Pick<Step, 'node' | 'context'>,
  { id, plan, services, entry, payload }: CallTarget,
): Promise<CallEnd | undefined> {
  const outer = frame.call
  const depth = (outer?.depth ?? 0) + 1
  if (depth > state.limits.depth) {
    throw new FlowError(
      'limit.depth',
      `Expected at most ${state.limits.depth} custom nodes inside one another, got more`,
    )
  }
  const { promise: ended, resolve } = Promise.withResolvers<CallEnd>()
  const path = [...(outer?.path ?? []), caller.node.id]
  const end = (one: CallEnd) => {
    inner.over = true
    resolve(one)
  }
  const inner: Frame = {
    ...{ plan, services, account: frame.account, call: { id, ...caller, outer, depth, path, end } },
    ...{ loop: undefined, parent: frame, over: false, turn: undefined },
  }
  // The first end counts at once: what other branches still wait for is for nobody, and they end before their next node.
  return Promise.race([ended, walkAll(state, entry, payload, inner, undefined).then(() => undefined)])
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
  return names.length === 1 ? 0 : undefined
}

function visitsOf(trail: Trail | undefined): Visit[] {
  const visits: Visit[] = []
  for (let at = trail; at && visits.length < MOST_VISITS_KEPT; at = at.before) visits.push(at.visit)
  return visits.reverse()
}
