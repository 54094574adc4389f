import type { FlowClass } from './document.ts'
import type { Field, Resolved } from './fields.ts'

/** A trigger type: what starts a run. Its JSON is what forms and schemas are made from. */
export interface TriggerDefinition<F extends Record<string, Field<unknown>>> {
  type: string
  /** The published type names that mean this trigger. */
  aliases: readonly string[]
  title: string
  summary: string
  classes: readonly FlowClass[]
  /** Its key says which trigger it is, where other keys are filters: no two triggers of a flow have one key. */
  ownKey?: boolean
  /** Calls of a custom node begin with it; nothing else fires it. */
  startsCall?: boolean
  config: F
  /** Says what is wrong with settings that are right one by one. */
  check?(config: Resolved<F>): string | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a list of triggers holds definitions of every shape.
export type AnyTrigger = TriggerDefinition<any>

export function defineTrigger<F extends Record<string, Field<unknown>>>(
  definition: TriggerDefinition<F>,
): TriggerDefinition<F> {
  return definition
}
