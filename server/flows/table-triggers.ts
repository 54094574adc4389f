import type { PlanTrigger } from '../../engine/compile.ts'
import type { Happening } from '../resources/happenings.ts'
import type { Firing } from './state-triggers.ts'

/** The runs that a change of rows begins at a trigger of type `data-table`: for each removed row one, else one at most. */
export function tableFirings(
  { key, config }: PlanTrigger,
  { tableId, change }: Extract<Happening, { kind: 'table' }>,
  now: number,
): Firing[] {
  if (key.trim().toLowerCase() !== tableId || config[change.action] !== true) return []
  if (change.action !== 'delete') return [{ time: now, data: change }]
  return change.oldRows.map((oldRow) => ({ time: now, data: { action: 'delete', oldRow } }))
}
