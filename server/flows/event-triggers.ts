import type { PlanTrigger } from '../../engine/compile.ts'
import type { EventView } from '../../nodes/services/events.ts'
import { fold } from '../store/fold.ts'
import type { Firing } from './state-triggers.ts'

/** The run that an event, as it is now, begins at a trigger of type `event`: one or none. */
export function eventFirings({ key, config }: PlanTrigger, event: EventView, now: number): Firing[] {
  const { level, state, subject } = event as EventView & { level: string; state: string }
  if (key !== 'any' && key !== level) return []
  if (config[state] !== true) return []
  const pattern = String(config.subject ?? '').trim()
  if (pattern !== '' && !fitsGlob(subject, pattern)) return []
  return [{ time: now, data: dataOf(event) }]
}

function dataOf({ updates, applicationId, eventId, lastUpdated, ...event }: EventView) {
  const allUpdates = (updates as unknown[]) ?? []
  return { ...event, allUpdates, ...(allUpdates.length === 0 ? {} : { latestUpdate: allUpdates.at(-1) }) }
}

/** `*` stands for any text, `?` for one character; without regard to case. In the time of text by pattern at most. */
export function fitsGlob(text: string, pattern: string): boolean {
  const [t, p] = [fold(text), fold(pattern)]
  let [at, in_] = [0, 0]
  let star = -1
  let resume = 0
  while (at < t.length) {
    if (p[in_] === '*') {
      star = in_++
      resume = at
    } else if (in_ < p.length && (p[in_] === '?' || p[in_] === t[at])) {
      at++
      in_++
    } else if (star >= 0) {
      // The last star takes one character more.
      in_ = star + 1
      at = ++resume
    } else return false
  }
  while (p[in_] === '*') in_++
  return in_ === p.length
}
