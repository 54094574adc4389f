import type { DocumentNode, FlowDocument, Problem } from './document.ts'
import type { AnyNode } from './node.ts'

/** A node of a flow that is compiled: as it was written, and what it is; undefined for a type that is not supported. */
export interface BodyNode {
  document: DocumentNode
  definition: AnyNode | undefined
}

/** Reports wires that cross the border of a loop (errors), and caps that end no turn (warnings). */
export function checkBodies(document: FlowDocument, nodes: readonly BodyNode[], problems: Problem[]): void {
  const groupOf = new Map(document.nodes.map((node) => [node.id, groupIdOf(node)]))
  nodes.forEach(({ document: node, definition }, index) => {
    node.outputIds.forEach((ids, output) => {
      const body = definition?.bodies?.includes(definition.outputs[output]) ?? false
      const group = body ? node.id : groupIdOf(node)
      ids.forEach((id, at) => {
        if (groupOf.get(id) === group) return
        problems.push({
          code: 'document.wire',
          message: `Output ${output} leads to the node "${id}", which is not in the same loop`,
          node: node.id,
          pointer: `/nodes/${index}/outputIds/${output}/${at}`,
          severity: 'error',
        })
      })
    })
    const key = turnKeyOf(definition)
    if (key === undefined || endedLoop(node, key) === groupIdOf(node)) return
    problems.push({
      code: 'document.wire',
      message: `Expected "${key}" to be the loop that this node stands in, got ${JSON.stringify(node.config[key])}`,
      node: node.id,
      pointer: `/nodes/${index}/config/${key}`,
      severity: 'warning',
    })
  })
}

/**
 * The outputs of a node that lead into a body where each way ends in a cap of this loop and none forks. A turn of such a
 * body always commits, so that it needs no copy of the payload.
 */
export function committingOutputs(
  loop: BodyNode,
  nodes: readonly BodyNode[],
  wires: (node: BodyNode) => readonly (readonly number[])[],
): ReadonlySet<string> {
  const bodies: readonly string[] = loop.definition?.bodies ?? []
  if (bodies.length === 0) return new Set()
  // From the caps backwards: a node joins when all its ways lead to nodes that have joined. What goes in a circle never does.
  const group = nodes.flatMap((node, index) => (groupIdOf(node.document) === loop.document.id ? [index] : []))
  const before = new Map<number, number[]>()
  const open = new Map<number, number>()
  const commits = new Set<number>()
  const caps: number[] = []
  for (const index of group) {
    const node = nodes[index]!
    const key = turnKeyOf(node.definition)
    if (key !== undefined) {
      if (endedLoop(node.document, key) === loop.document.id) caps.push(index)
      continue
    }
    const ways = waysOf(node, wires(node))
    if (ways.length === 0 || ways.some((targets) => targets?.length !== 1)) continue
    open.set(index, ways.length)
    for (const targets of ways) before.set(targets![0]!, [...(before.get(targets![0]!) ?? []), index])
  }
  for (let next = caps.pop(); next !== undefined; next = caps.pop()) {
    commits.add(next)
    for (const index of before.get(next) ?? []) {
      const left = open.get(index)! - 1
      open.set(index, left)
      if (left === 0) caps.push(index)
    }
  }
  const outputs = wires(loop)
  return new Set(
    bodies.filter((name) => {
      const targets = outputs[loop.definition!.outputs.indexOf(name)]
      return targets?.length === 1 && commits.has(targets[0]!)
    }),
  )
}

/** How many outputs a node has: those of its type, and one for each entry of a list that makes outputs. */
export function outputCount(definition: AnyNode, node: DocumentNode): number {
  if (definition.outputPerEntryOf === undefined) return definition.outputs.length
  const entries = node.config[definition.config[definition.outputPerEntryOf].key]
  return definition.outputs.length + (Array.isArray(entries) ? entries.length : 0)
}

// The ways on from a node, but for those into its own body, which come back to it.
function waysOf(
  { definition, document }: BodyNode,
  wires: readonly (readonly number[])[],
): (readonly number[] | undefined)[] {
  if (!definition) return []
  return Array.from({ length: outputCount(definition, document) }, (_, output) => output)
    .filter((output) => !definition.bodies?.includes(definition.outputs[output]))
    .map((output) => wires[output])
}

function turnKeyOf(definition: AnyNode | undefined): string | undefined {
  return definition?.endsTurnOf === undefined ? undefined : definition.config[definition.endsTurnOf].key
}

function endedLoop(node: DocumentNode, key: string): string {
  return String(node.config[key])
}

function groupIdOf({ meta }: DocumentNode): string | undefined {
  return meta.groupId === undefined || meta.groupId === null || meta.groupId === '' ? undefined : String(meta.groupId)
}
