import type { Catalog } from '../../engine/compile.ts'
import type { Field } from '../../engine/fields.ts'
import type { AnyNode } from '../../engine/node.ts'
import { openTemplates, type Templates } from '../../engine/template.ts'

/** The node types with settings whose templates see the clock of the test. */
export function clockedCatalog({ nodes, triggers }: Catalog, clock: { now: number }): Catalog {
  const templates = openTemplates({ now: () => clock.now })
  const clocked = [...nodes].map(([name, node]) => [name, withTemplates(node, templates)] as const)
  return { nodes: new Map(clocked), triggers }
}

function withTemplates(node: AnyNode, templates: Templates): AnyNode {
  const fields = Object.entries(node.config as Record<string, Field<unknown>>)
  const clocked = fields.map(([name, field]): [string, Field<unknown>] => [
    name,
    { ...field, compile: (raw, scope) => field.compile(raw, { ...scope, templates }) },
  ])
  return { ...node, config: Object.fromEntries(clocked) }
}
