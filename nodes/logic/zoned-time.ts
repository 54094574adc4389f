import { FlowError } from '../../engine/errors.ts'
import { offsetOf } from '../../engine/helpers/zones.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** What is wrong with the name of a time zone; undefined for one that is known, and for none, which is UTC. */
export function zoneProblem(name: string): string | undefined {
  try {
    offsetOf(0, toZone(name))
    return undefined
  } catch (error) {
    if (error instanceof FlowError) return error.message
    throw error
  }
}

/** The time zone that a setting names; blank is UTC. */
export function toZone(name: string): string {
  return name.trim() || 'UTC'
}

/**
 * The wall clock of a zone at a moment, as milliseconds since the epoch in a world where that clock shows UTC.
 * Calendar maths is done there: a day that begins or ends summer time is a day like any other.
 */
export function toWall(ms: number, zone: string): number {
  return ms + offsetMs(ms, zone)
}

/**
 * The moment at which the clock of a zone shows `wall`: the earlier one where the clock shows it twice; where it skips
 * it, as long after the skip as `wall` is after its start.
 */
export function fromWall(wall: number, zone: string): number {
  const before = offsetMs(wall - DAY_MS, zone)
  const after = offsetMs(wall + DAY_MS, zone)
  const shows = (offset: number) => offsetMs(wall - offset, zone) === offset
  const larger = Math.max(before, after)
  if (shows(larger)) return wall - larger
  return shows(after) ? wall - after : wall - before
}

function offsetMs(ms: number, zone: string): number {
  return offsetOf(ms, zone) * MINUTE_MS
}
