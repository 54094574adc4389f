import type { Plan } from '../../engine/compile.ts'

/** One wire of a flow: from an output of a node, or from a trigger, to a node. */
export interface Wire {
  /** Name of the custom node that it lies in; undefined: in the flow itself. */
  in?: string
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

/**
 * Counts the wires of a plan; runs of any plan with the same triggers and nodes may be added. `customNode`: the name of the
 * custom node that it is of, which is only started by its callers.
 */
export function openCoverage(plan: Plan, customNode?: string): Coverage {
  const taken = new Set<string>()
  const label = (index: number) => plan.nodes[index]!.place.label
  const triggers = plan.triggers.flatMap(({ type, entry, key, published }, index) => {
    if (customNode !== undefined && type !== 'custom-node-start') return []
    return entry.map((to) => ({
      id: `trigger ${index}`,
      wire: { from: key || published, output: undefined, to: label(to) },
    }))
  })
  const nodes = plan.nodes.flatMap(({ outputs, definition }, index) =>
    outputs.flatMap((targets, output) =>
      targets.map((to) => {
        const name = String(definition?.outputs[output] ?? output)
        return { id: `${index} ${output}`, wire: { from: label(index), output: name, to: label(to) } }
      }),
    ),
  )
  const all = [...triggers, ...nodes]
  const place = customNode === undefined ? {} : { in: customNode }
  return {
    beginAt: (trigger) => void taken.add(`trigger ${trigger}`),
    take: (node, output) => void taken.add(`${node} ${output}`),
    count: () => ({ taken: all.filter(({ id }) => taken.has(id)).length, all: all.length }),
    missing: () => all.filter(({ id }) => !taken.has(id)).map(({ wire }) => ({ ...place, ...wire })),
  }
}

/** The wires of a flow under test, and of each custom node that its cases came into. */
export interface Coverages {
  ofFlow(plan: Plan): Coverage
  /** `key` names the version of the custom node. */
  ofCustomNode(key: string, name: string, plan: Plan): Coverage
  count(): { taken: number; all: number }
  missing(): Wire[]
}

/** Nothing is counted before it is asked for. */
export function openCoverages(): Coverages {
  const opened = new Map<string, Coverage>()
  const of = (key: string, open: () => Coverage) => {
    const one = opened.get(key) ?? open()
    opened.set(key, one)
    return one
  }
  const each = () => [...opened.values()]
  return {
    ofFlow: (plan) => of('', () => openCoverage(plan)),
    ofCustomNode: (key, name, plan) => of(key, () => openCoverage(plan, name)),
    count() {
      const counts = each().map((one) => one.count())
      const sum = (key: 'taken' | 'all') => counts.reduce((total, one) => total + one[key], 0)
      return { taken: sum('taken'), all: sum('all') }
    },
    missing: () => each().flatMap((one) => one.missing()),
  }
}

/** A wire for a person. */
export function wireText({ in: customNode, from, output, to }: Wire): string {
  const place = customNode === undefined ? '' : `${customNode}: `
  return `${place}${from}${output === undefined ? '' : ` (${output})`} -> ${to}`
}
