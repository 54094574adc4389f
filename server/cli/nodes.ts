import { parseArgs } from 'node:util'
import { nodes } from '../../nodes/index.ts'
import type { CommandIo } from './io.ts'

/** `nodes [--json]`: the node types; as JSON with their settings, outputs and examples. */
export async function nodesCommand(args: string[], io: Pick<CommandIo, 'out'>): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } })
  if (values.json) {
    io.out(JSON.stringify(nodes, null, 2))
    return 0
  }
  const width = Math.max(...nodes.map((one) => one.type.length))
  const sorted = nodes.toSorted((a, b) => (`${a.group} ${a.type}` < `${b.group} ${b.type}` ? -1 : 1))
  let group = ''
  for (const one of sorted) {
    if (one.group !== group) io.out(one.group)
    group = one.group
    io.out(`  ${one.type.padEnd(width)}  ${one.summary}`)
    io.out(`  ${''.padEnd(width)}  outputs: ${one.outputs.join(', ') || 'none'}; written as ${one.aliases.join(', ')}`)
  }
  return 0
}
