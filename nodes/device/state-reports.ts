import type { Payload } from '../../engine/payload.ts'
import { Refusal } from '../services/listing.ts'

/**
 * State as a flow may give it: `{ attribute: value }`, `{ time, data: { ... } }`, or a list of either.
 * Throws Refusal for anything else.
 */
export function reportsOf(
  source: unknown,
  { time, now }: { time: number; now: number },
): { data: Payload; time: number; meta?: unknown }[] {
  const list = Array.isArray(source) ? source : [source]
  return list.map((one) => {
    if (!isObject(one))
      throw new Refusal(
        'Validation',
        `Expected state as { attribute: value }, got ${one === null ? 'null' : typeof one}`,
      )
    if (!isObject(one.data)) return { data: one, time }
    const meta = one.meta === undefined ? {} : { meta: one.meta }
    return { data: one.data, time: timeOf(one.time, one.time === undefined ? time : now), ...meta }
  })
}

const SECONDS_BELOW = 1e11

/** Milliseconds from a Date, ISO text, `{ $date }`, seconds, milliseconds, or negative milliseconds before now; else `now`. */
export function timeOf(source: unknown, now: number): number {
  if (source instanceof Date) return finite(source.getTime(), now)
  if (isObject(source) && '$date' in source) return timeOf(source.$date, now)
  if (typeof source === 'string' && source.trim() !== '') {
    const number = Number(source)
    return Number.isNaN(number) ? finite(Date.parse(source), now) : timeOf(number, now)
  }
  if (typeof source !== 'number' || !Number.isFinite(source)) return now
  if (source < 0) return now + source
  return source < SECONDS_BELOW ? source * 1000 : source
}

function finite(time: number, otherwise: number): number {
  return Number.isFinite(time) ? time : otherwise
}

function isObject(value: unknown): value is Payload {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}
