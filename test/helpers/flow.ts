import { type Catalog, catalogOf, compileFlow } from '../../engine/compile.ts'
import type { FlowClass, Problem } from '../../engine/document.ts'
import type { AnyNode } from '../../engine/node.ts'
import type { Payload } from '../../engine/payload.ts'
import { type Outcome, run } from '../../engine/run.ts'
import type { RunLimits } from '../../engine/run-state.ts'
import { openTemplates } from '../../engine/template.ts'
import { nodes, triggers } from '../../nodes/index.ts'

/** Where a wire leads, by output: `'next'`, `['a', 'b']`, or a list for each output. */
export interface TestNode {
  id: string
  type: string
  config?: Record<string, unknown>
  meta?: Record<string, unknown>
  outputIds?: string[][]
}

/** A flow with one virtual button that starts at the first node. */
export function flowOf(flowNodes: TestNode[]): Record<string, unknown> {
  const first = flowNodes[0]
  const button = { type: 'virtualButton', key: 'button', outputIds: [first ? [first.id] : []] }
  return { triggers: [button], nodes: flowNodes }
}

/** Node types that only tests use, on top of those that ship. */
export function testCatalog(more: readonly AnyNode[] = []): Catalog {
  return catalogOf({ nodes: [...nodes, ...more], triggers })
}

export function problemsOf(raw: unknown, flowClass: FlowClass = 'cloud', catalog = testCatalog()): Problem[] {
  return compileFlow(raw, { flowClass, catalog, templates: openTemplates() }).problems
}

/** Compiles and runs a flow from its first trigger. Throws when the flow has a problem, so that no test runs half a flow. */
export async function runFlow(
  raw: unknown,
  options: {
    payload?: Payload
    nodes?: readonly AnyNode[]
    services?: object
    limits?: Partial<RunLimits>
    signal?: AbortSignal
  } = {},
): Promise<Outcome> {
  const catalog = testCatalog(options.nodes)
  const { plan, problems } = compileFlow(raw, { flowClass: 'cloud', catalog, templates: openTemplates() })
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(`The flow has problems: ${JSON.stringify(errors)}`)
  const { payload = {}, services = {}, limits, signal } = options
  return run({ plan, entry: plan.triggers[0]!.entry, payload, services, limits, signal })
}
