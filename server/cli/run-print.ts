import type { Outcome } from '../../engine/run.ts'
import type { Reply } from '../../nodes/services/reply.ts'
import type { RunnableFlow } from '../flows/plans.ts'
import type { CommandIo } from './io.ts'

/** What is known of a run when it is over: for `--json` as it stands. */
export interface RunTrace extends Omit<Outcome, 'error'> {
  error?: Omit<NonNullable<Outcome['error']>, 'cause'>
  messages: { node: string; level: string; message: string; value: unknown }[]
  replies: Reply[]
}

/** Prints a trace for a person: the way of the run, what it said, what it answered, its payload, its end. */
export function printTrace(trace: RunTrace, flow: RunnableFlow, io: CommandIo): void {
  const labels = new Map(flow.plan.nodes.map(({ place }) => [place.id, place.label]))
  for (const { node, output, milliseconds, inside = [] } of trace.visits) {
    // What a custom node does stands below it, further in; its nodes have names of their own.
    const label = inside.length === 0 ? (labels.get(node) ?? node) : node
    const way = `${'  '.repeat(inside.length)}${label} (${node}) -> ${output ?? 'end'}`
    io.out(`${milliseconds.toFixed(2).padStart(9)} ms  ${way}`)
  }
  for (const { level, message, value } of trace.messages) {
    io.out(`${level}: ${message}${value === undefined ? '' : ` ${JSON.stringify(value)}`}`)
  }
  for (const reply of trace.replies) io.out(`reply: ${JSON.stringify(reply)}`)
  io.out(JSON.stringify(trace.payload, null, 2))
  io.out(
    trace.error
      ? `failed: ${trace.error.message} (${trace.error.code})`
      : `done in ${trace.milliseconds.toFixed(2)} ms`,
  )
}
