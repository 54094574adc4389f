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
  signalOf,
  type Trail,
} from './run-state.ts'
import { enterTurn } from './turns.ts'

/**
 * Walks what hangs on an output to its end, each branch on its own copy of the payload. Undefined: it has ended already, since
 * no node had to be waited for. Throws or rejects with NodeFailure, or with `limit.branches`, at the first failure; branches
 * that are left behind end before their next node.
 */
export function walkAll(
  state: State,
  targets: readonly number[],
  payload: Payload,
  frame: Frame,
  trail: Trail | undefined,
): Promise<void> | undefined {
  if (targets.length === 0) return undefined
  if (targets.length > 1) return walkBranches(state, targets, payload, frame, trail)
  return walk(state, { frame, next: targets[0], payload, trail })
}

async function walkBranches(
  state: State,
  targets: readonly number[],
  payload: Payload,
  frame: Frame,
  trail: Trail | undefined,
): Promise<void> {
  const more = targets.length - 1
  const bytes = more * sizeOf(payload, state.limits.payloadBytes)
  state.branches += more
  state.forkedBytes += bytes
  try {
    checkBranches(state)
    // All copies are made before the first branch starts: branches never see each other's writes.
    const copies = targets.map((_, index) => (index === 0 ? payload : copyValue(payload)))
    await Promise.all(targets.map(async (next, index) => walk(state, { frame, next, payload: copies[index]!, trail })))
  } finally {
    state.branches -= more
    state.forkedBytes -= bytes
  }
}

/** One way through a plan, and where it stands. */
interface Branch {
  frame: Frame
  /** Index of the node to visit; undefined at the end. */
  next: number | undefined
  payload: Payload
  trail: Trail | undefined
}

function walk(state: State, branch: Branch): Promise<void> | undefined {
  const pending = advance(state, branch)
  return pending && walkOn(state, branch, pending)
}

async function walkOn(state: State, branch: Branch, pending: Promise<void>): Promise<void> {
  for (let wait: Promise<void> | undefined = pending; wait; wait = advance(state, branch)) await wait
}

/** Visits one node after the other, to the end of the branch or to something that must be waited for before it goes on. */
function advance(state: State, branch: Branch): Promise<void> | undefined {
  const { frame } = branch
  while (branch.next !== undefined) {
    const now = performance.now()
    if (needsRest(state, now)) return rest(state)
    if (isOver(frame)) return undefined
    const node = frame.plan.nodes[branch.next]!
    const context = contextOf(state, node, branch.payload, frame, branch.trail)
    const step = { node: node.place, context, frame, number: ++state.visitCount }
    const visiting = { branch, node, step, visit: beginVisit(state, step, now) }
    try {
      countVisit(state, frame)
      const answer = runNode(node, context)
      const pending = answer instanceof Promise ? answered(state, visiting, answer) : leave(state, visiting, answer)
      if (pending) return pending
    } catch (error) {
      throw failed(state, visiting, error)
    }
  }
  return undefined
}

interface Visiting {
  branch: Branch
  node: PlanNode
  step: Step
  visit: Visit
}

async function answered(state: State, visiting: Visiting, answer: Promise<Answer>): Promise<void> {
  const { waiting, group = '' } = state
  try {
    let output: Answer
    waiting.add(visiting.step)
    try {
      output = await answer
      await enterTurn(group)
    } finally {
      waiting.delete(visiting.step)
    }
    await leave(state, visiting, output)
  } catch (error) {
    throw failed(state, visiting, error)
  }
}

/** Ends a visit and takes its branch on to the next node, or through several to their ends. */
function leave(state: State, { branch, node, step, visit }: Visiting, output: Answer): Promise<void> | undefined {
  const { payload } = step.context
  const now = performance.now()
  visit.milliseconds = now - state.started - visit.startedMs
  branch.payload = payload
  branch.next = undefined
  checkSize(state, payload, branch.frame, now)
  visit.output = outputIndex(node, output)
  branch.trail = { visit, before: branch.trail }
  const targets = visit.output === undefined ? undefined : node.outputs[visit.output]
  if (targets !== undefined && targets.length > 1) {
    return walkBranches(state, targets, payload, branch.frame, branch.trail)
  }
  branch.next = targets?.[0]
  if (branch.next === undefined) state.last = payload
  return undefined
}

function failed(state: State, { node, step, visit }: Visiting, error: unknown): NodeFailure {
  const { frame, context } = step
  if (visit.output === undefined) visit.milliseconds = performance.now() - state.started - visit.startedMs
  frame.over = true
  if (error instanceof NodeFailure) return error
  return new NodeFailure(error, { node: node.place, payload: context.payload, call: frame.call })
}

type Answer = Awaited<ReturnType<AnyNode['run']>>

function runNode({ definition, settings, place }: PlanNode, context: AnyContext): ReturnType<AnyNode['run']> {
  if (!definition) {
    throw new FlowError('node.unknown', `The node type "${place.type}" is not supported by this server`)
  }
  context.config = settings(context)
  return definition.run(context)
}

const MOST_VISITS_KEPT = 1_000

function beginVisit(state: State, step: Step, now: number): Visit {
  const visit: Visit = { node: step.node.id, output: undefined, startedMs: now - state.started, milliseconds: 0 }
  if (step.frame.call !== undefined) visit.inside = step.frame.call.path
  state.at = step
  if (state.visits.length < MOST_VISITS_KEPT) state.visits.push(visit)
  return visit
}

const VISIT = Symbol('visit')

/** A context, and what its methods work on. */
interface Visitor extends AnyContext {
  [VISIT]: { state: State; node: PlanNode; frame: Frame; trail: Trail | undefined }
}

// Methods that all contexts share: a run makes a context for each visit, and most nodes need none of them.
const contextMethods: Omit<AnyContext, 'config' | 'payload' | 'use' | 'node'> & ThisType<Visitor> = {
  get signal() {
    return signalOf((this as Visitor)[VISIT].state)
  },
  async follow(output, turnPayload) {
    const { state, node, frame, trail } = this[VISIT]
    const { plan, services, call } = frame
    const account = { visits: 0 }
    const loop = node.place.id
    const turn: Frame = { plan, services, call, loop, parent: frame, over: false, turn: undefined, account }
    const walking = walkAll(state, targetsOf(node, output), turnPayload, turn, trail)
    if (walking) await walking
    return turn.turn ?? { committed: undefined, mapped: undefined, last: false }
  },
  leads(output) {
    return targetsOf(this[VISIT].node, output).length > 0
  },
  halted() {
    return isOver(this[VISIT].frame)
  },
  alwaysCommits(output) {
    return this[VISIT].node.committing.has(output)
  },
  endTurn(loopId, turn) {
    const { frame } = this[VISIT]
    // Loops of a caller are none of its custom nodes', whatever their ids.
    for (let at: Frame | undefined = frame; at && at.call === frame.call; at = at.parent) {
      if (at.loop === loopId) {
        at.turn ??= { committed: this.payload, ...turn }
        return
      }
    }
  },
  call(target) {
    const { state, node, frame } = this[VISIT]
    return call(state, frame, { node: node.place, context: this }, target)
  },
  endCall(end) {
    this[VISIT].frame.call?.end(end)
  },
}

function contextOf(state: State, node: PlanNode, payload: Payload, frame: Frame, trail: Trail | undefined): AnyContext {
  const { definition, place } = node
  return {
    __proto__: contextMethods,
    [VISIT]: { state, node, frame, trail },
    config: {},
    payload,
    use: pick(frame.services, definition?.needs ?? []),
    node: { id: place.id, type: place.type, label: place.label, trail: () => visitsOf(trail) },
  } as unknown as AnyContext
}

function targetsOf({ definition, outputs }: PlanNode, output: string): readonly number[] {
  return outputs[definition?.outputs.indexOf(output) ?? -1] ?? []
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
  const walked = async () => {
    await walkAll(state, entry, payload, inner, undefined)
    return undefined
  }
  return Promise.race([ended, walked()])
}

function pick(services: object, needs: readonly string[]): Record<string, unknown> {
  const use: Record<string, unknown> = {}
  for (const name of needs) use[name] = (services as Record<string, unknown>)[name]
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
