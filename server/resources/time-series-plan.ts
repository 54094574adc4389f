import { Refusal } from '../../nodes/services/listing.ts'
import type { SeriesRequest } from '../../nodes/services/series.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import { type FoldName, folds } from './time-series-fold.ts'

export type Aggregation = FoldName | 'TIMEATVALUE' | 'NONE'

/** A question that was checked: what is left is to read. Times are milliseconds. */
export interface Plan {
  aggregation: Aggregation
  /** Undefined: only the last values up to `end`. */
  start: number | undefined
  end: number
  now: number
  resolution: number
  attributes: string[]
  value: unknown
  perDevice: boolean
  order: 'asc' | 'desc'
  limit: number
}

const mostAttributes = 256
const mostBuckets = 10_000
const mostLimit = 25_000

/** Throws Refusal for what cannot be asked. */
export function planOf(request: SeriesRequest, world: { now: number; devices: readonly DeviceDocument[] }): Plan {
  const { now } = world
  const { end = now, duration, value, perDevice, order = 'asc', limit = mostLimit } = request
  const attributes = [...new Set(request.attributes)]
  if (attributes.length === 0 || attributes.length > mostAttributes) {
    throw wrong('attributes', `1 to ${mostAttributes} names`, `${attributes.length}`)
  }
  const aggregation = aggregationOf(request.aggregation, attributes, world.devices)
  if (!isTime(end)) throw wrong('end', 'a time in milliseconds', end)
  if (duration !== undefined && !(duration > 0 && isTime(end - duration))) {
    throw wrong('duration', 'milliseconds above 0', duration)
  }
  if (duration === undefined && (aggregation === 'NONE' || aggregation === 'TIMEATVALUE')) {
    throw wrong('duration', `milliseconds, for ${aggregation}`, 'nothing')
  }
  if (aggregation === 'TIMEATVALUE' && value === undefined) throw wrong('value', 'one, for TIMEATVALUE', 'nothing')
  if (!Number.isInteger(limit) || limit < 1 || limit > mostLimit) {
    throw wrong('limit', `a whole number from 1 to ${mostLimit}`, limit)
  }
  const resolution = resolutionOf(request.resolution, duration ?? 0)
  const start = duration === undefined ? undefined : Math.round(end - duration)
  return { aggregation, start, end: Math.round(end), now, resolution, attributes, value, perDevice, order, limit }
}

function resolutionOf(resolution: number | undefined, duration: number): number {
  if (resolution === undefined) return Number.POSITIVE_INFINITY
  if (!(resolution > 0)) throw wrong('resolution', 'milliseconds above 0', resolution)
  const least = Math.ceil(duration / mostBuckets)
  if (resolution < least) throw wrong('resolution', `at least ${least} ms for this duration`, resolution)
  return Math.max(1, Math.round(resolution))
}

function aggregationOf(word: string, attributes: string[], devices: readonly DeviceDocument[]): Aggregation {
  const wanted = word.trim().toUpperCase()
  if (wanted === '') {
    const numbers = devices.some((device) =>
      device.attributes.some(({ name, dataType }) => dataType === 'number' && attributes.includes(name)),
    )
    return numbers ? 'MEAN' : 'LAST'
  }
  const known = [...Object.keys(folds), 'TIMEATVALUE', 'NONE'] as Aggregation[]
  const found = known.find((one) => one === wanted)
  if (found === undefined) throw wrong('aggregation', `one of ${known.join(', ')}`, `"${word.slice(0, 80)}"`)
  return found
}

function isTime(time: number): boolean {
  return Math.abs(time) <= 8.64e15
}

function wrong(name: string, expected: string, got: unknown): Refusal {
  return new Refusal('Validation', `Expected "${name}" to be ${expected}, got ${got}`)
}
