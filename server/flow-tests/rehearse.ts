import type { Plan, PlanNode } from '../../engine/compile.ts'
import { FlowError, type FlowErrorCode, flowErrors } from '../../engine/errors.ts'
import type { AnyNode } from '../../engine/node.ts'
import { copyValue, type Payload, parsePath, writePath } from '../../engine/payload.ts'
import { ConfigError } from '../config.ts'
import type { Coverage } from './coverage.ts'
import type { Mock, TestCase } from './test-file.ts'

type Context = Parameters<AnyNode['run']>[0]

/**
 * The plan with stand-ins where the case has mocks, and with the case's globals; every output taken is told to `coverage`.
 * Throws ConfigError for a mock that fits no node of the flow; one that does not fit its node fails the run with it.
 */
export function rehearsal(plan: Plan, { mocks, globals }: TestCase, coverage: Coverage): Plan {
  const used = new Set<string>()
  const nodes = plan.nodes.map((node, index) => {
    const { id, label, type } = node.place
    const name = [id, label, type, node.definition?.type].find((one) => one !== undefined && Object.hasOwn(mocks, one))
    if (name !== undefined) used.add(name)
    const played = name === undefined ? node : standIn(node, mocks[name]!)
    return observed(played, (output) => coverage.take(index, output))
  })
  const unused = Object.keys(mocks).find((name) => !used.has(name))
  if (unused === undefined) return { ...plan, globals: { ...plan.globals, ...globals }, nodes }
  const known = plan.nodes.map(({ place }) => place.label).join(', ')
  throw new ConfigError(`Expected the mock "${unused}" to be the id, label or type of a node: ${known}`)
}

/** The plan with every output that is taken told to `coverage`. */
export function observedPlan(plan: Plan, coverage: Coverage): Plan {
  return { ...plan, nodes: plan.nodes.map((node, index) => observed(node, (output) => coverage.take(index, output))) }
}

function observed(node: PlanNode, take: (output: number | undefined) => void): PlanNode {
  const { definition } = node
  if (!definition) return node
  const indexOf = (answer: unknown) => {
    if (typeof answer === 'number') return answer
    if (typeof answer === 'string') return (definition.outputs as readonly string[]).indexOf(answer)
    return definition.outputs.length === 0 ? undefined : 0
  }
  const run = (context: Context) => {
    const follow = context.follow.bind(context)
    context.follow = (output, payload) => {
      take(indexOf(output))
      return follow(output, payload)
    }
    const note = (answer: unknown) => {
      take(indexOf(answer))
      return answer
    }
    const answer: unknown = definition.run(context)
    // Not everything becomes a promise: nodes without I/O answer at once, here as in production.
    return (answer instanceof Promise ? answer.then(note) : note(answer)) as ReturnType<AnyNode['run']>
  }
  return { ...node, definition: { ...definition, run } }
}

function standIn(node: PlanNode, given: Mock | Mock[]): PlanNode {
  const script = Array.isArray(given) ? given : [given]
  let visit = 0
  const outputs: readonly string[] = node.definition?.outputs ?? []
  const run = (context: Context) => {
    const mock = script[Math.min(visit++, script.length - 1)] ?? {}
    writeAll(context.payload, mock.write ?? {})
    if (mock.error !== undefined) throw errorOf(mock.error)
    return outputOf(mock.output, node, outputs)
  }
  const base = { aliases: [], group: 'debug', title: '', summary: '', outputs: [], config: {}, examples: [] } as const
  const definition = { ...base, type: node.place.type, ...node.definition, needs: [], run } as unknown as AnyNode
  return { ...node, definition, settings: () => ({}) }
}

function writeAll(payload: Payload, values: Payload): void {
  for (const [path, value] of Object.entries(values)) writePath(payload, parsePath(path) ?? [], copyValue(value))
}

function outputOf(output: Mock['output'], { place, outputs }: PlanNode, names: readonly string[]): number | undefined {
  if (typeof output === 'number') return output
  if (output !== undefined) {
    const index = names.indexOf(output)
    if (index >= 0) return index
    throw new ConfigError(`Expected the mock of "${place.label}" to take one of ${names.join(', ')}, got "${output}"`)
  }
  if (Math.max(names.length, outputs.length) <= 1) return outputs.length === 0 ? undefined : 0
  throw new ConfigError(`Expected the mock of "${place.label}" to say which output it takes: ${names.join(', ')}`)
}

function errorOf(error: NonNullable<Mock['error']>): FlowError {
  const { code = 'error.thrown', message = 'Mocked' } = typeof error === 'string' ? { message: error } : error
  if (!Object.hasOwn(flowErrors, code)) throw new ConfigError(`Expected the code of an error, got "${code}"`)
  return new FlowError(code as FlowErrorCode, message)
}
