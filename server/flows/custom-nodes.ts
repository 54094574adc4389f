import { FlowError } from '../../engine/errors.ts'
import type { CustomNodes, PlacedCustomNode } from '../../nodes/services/flows.ts'
import type { Services } from '../../nodes/services.ts'
import { startPayload } from './payload.ts'
import type { RunContext } from './runner.ts'

/** Where a custom node stands that runs: in a node of the flow of another run, or part of one. */
export interface Placement {
  by: RunContext
  nodeId: string
}

/**
 * The custom nodes that one run may call: those of its application, in the revision that it began with. Each place in the
 * flow keeps its services for as long as the run goes on.
 */
export function customNodesOf(
  context: RunContext,
  deps: { now(): number; services(inner: RunContext): Services },
): CustomNodes {
  const placed = new Map<string, PlacedCustomNode>()
  return {
    find({ id, version, node }) {
      let found = placed.get(node.id)
      if (!found) {
        found = place(context, { id, version, nodeId: node.id }, deps)
        placed.set(node.id, found)
      }
      return found
    },
  }
}

/** What storage belongs to: a flow, or one place of a custom node, which is told by the way to it. */
export function storageOwner({ flow, placement }: RunContext): string {
  return placement ? `${storageOwner(placement.by)}/${encodeURIComponent(placement.nodeId)}` : flow.id
}

/** The nodes that a custom node was called by, outermost first; none for a flow that runs by itself. */
export function callersOf({ placement }: RunContext): { flowId: string; nodeId: string }[] {
  return placement ? [...callersOf(placement.by), { flowId: placement.by.flow.id, nodeId: placement.nodeId }] : []
}

function place(
  context: RunContext,
  wanted: { id: string; version: string; nodeId: string },
  { now, services }: Parameters<typeof customNodesOf>[1],
): PlacedCustomNode {
  const { id, version, nodeId } = wanted
  for (let at: RunContext | undefined = context; at; at = at.placement?.by) {
    if (at.flow.id !== id) continue
    throw new FlowError(
      'custom-node.recursion',
      `The custom node "${at.flow.name}" cannot call itself, directly or through others`,
    )
  }
  const flow = context.flows.version(id, version)
  if (flow?.flowClass !== 'customNode') throw missing(`a custom node "${id}"`, version, context)
  const { plan } = flow
  if (!plan.call) throw missing(`a start in the custom node "${flow.name}"`, version, context)
  const inner: RunContext = { ...context, flow, placement: { by: context, nodeId } }
  return {
    plan,
    entry: plan.call.entry,
    fields: plan.call.form.fields,
    services: services(inner),
    start: ({ data, time }) =>
      startPayload(context.flows, flow, {
        triggerId: nodeId,
        triggerType: 'customNodeStart',
        time: new Date(time instanceof Date ? time : now()),
        data,
        relay: { type: 'flow', id: context.flow.id },
      }),
  }
}

function missing(what: string, version: string, { flows }: RunContext): FlowError {
  const versions = version === 'default' ? '' : ` in the version "${version}"`
  const message = `Expected ${what}${versions} in the application "${flows.application.name}", got none. Check which custom node and version this node names.`
  return new FlowError('custom-node.missing', message)
}
