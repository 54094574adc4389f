import type { Plan } from '../../engine/compile.ts'

/** One wire of a flow: from an output of a node, or from a trigger, to a node. */
export interface Wire {
  from: string
  /** Undefined: of a trigger. */
  output: string | undefined
  to: string
}

/** The wires of one flow, and those that were taken so far. */
export interface Coverage {
  /** A run has begun at the trigger at this position. */
  beginAt(trigger: number): void
  /** The node at this position has taken an output. */
  take(node: number, output: number | undefined): void
  count(): { taken: number; all: number }
  /** The wires that no run has taken, in document order. */
  missing(): Wire[]
}

/** Counts the wires of a plan; runs of any plan with the same triggers and nodes may be added. */
export function openCoverage(plan: Plan): Coverage {
  const taken = new Set<string>()
  const label = (index: number) => plan.nodes[index]!.place.label
  const triggers = plan.triggers.flatMap(({ entry, key, published }, index) =>
    entry.map((to) => ({ id: `trigger ${index}`, wire: { from: key || published, output: undefined, to: label(to) } })),
  )
  const nodes = plan.nodes.flatMap(({ outputs, definition }, index) =>
    outputs.flatMap((targets, output) =>
      targets.map((to) => {
        const name = String(definition?.outputs[output] ?? output)
        return { id: `${index} ${output}`, wire: { from: label(index), output: name, to: label(to) } }
      }),
    ),
  )
  const all = [...triggers, ...nodes]
  return {
    beginAt: (trigger) => void taken.add(`trigger ${trigger}`),
    take: (node, output) => void taken.add(`${node} ${output}`),
    count: () => ({ taken: all.filter(({ id }) => taken.has(id)).length, all: all.length }),
    missing: () => all.filter(({ id }) => !taken.has(id)).map(({ wire }) => wire),
  }
}

/** A wire for a person. */
export function wireText({ from, output, to }: Wire): string {
  return `${from}${output === undefined ? '' : ` (${output})`} -> ${to}`
}
