import type { Devices } from '../../nodes/services/devices.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Aggregation, AppStore, StateValue } from '../store/port.ts'

/** Most points of one attribute. */
export const mostPoints = 10_000

/** As far as dates reach: a wider bucket holds no more. */
const ALL_OF_TIME_MS = 8.64e15

const aggregations: readonly Aggregation[] = ['MEAN', 'MIN', 'MAX', 'SUM', 'COUNT', 'FIRST', 'LAST']

/**
 * What attributes of a device were, oldest first. An unknown device has no history. Of more than 10,000 raw points the newest are
 * given; throws Refusal for an aggregation that is not known, and for a resolution that would give more buckets.
 */
export async function readHistory(
  app: AppStore,
  request: Parameters<Devices['history']>[0],
): ReturnType<Devices['history']> {
  const { start, end, resolution } = request
  const device = await app.collection('devices').get(request.deviceId.trim().toLowerCase())
  if (device === undefined || !(start < end)) return {}
  const names = request.attributes ?? device.attributes.map(({ name }) => name)
  if (names.length > 256) throw new Refusal('Validation', `Expected at most 256 attributes, got ${names.length}`)
  const aggregation = aggregationOf(request.aggregation)
  const raw = !(resolution > 0) || aggregation === undefined
  if (!raw && (end - start) / resolution > mostPoints) {
    throw new Refusal(
      'Validation',
      `Expected a resolution of at least ${Math.ceil((end - start) / mostPoints)} ms for this range, got ${resolution}`,
    )
  }
  const entries: [string, { time: Date; value: unknown }[]][] = []
  for (const attribute of new Set(names)) {
    const points = raw
      ? await newest(app, { deviceId: device.id, attribute, start, end })
      : await app.telemetry.aggregate({
          ...{ deviceIds: [device.id], attribute, start, end, aggregation },
          resolutionMs: Math.min(Math.max(1, Math.round(resolution)), ALL_OF_TIME_MS),
        })
    entries.push([attribute, points.map(({ time, value }) => ({ time: new Date(time), value }))])
  }
  return Object.fromEntries(entries)
}

async function newest(
  app: AppStore,
  range: { deviceId: string; attribute: string; start: number; end: number },
): Promise<{ time: number; value: StateValue }[]> {
  return (await app.telemetry.range({ ...range, limit: mostPoints, newest: true })).reverse()
}

/** Undefined: raw points. */
function aggregationOf(word: string): Aggregation | undefined {
  const wanted = word.trim().toUpperCase()
  if (wanted === 'NONE') return undefined
  const found = aggregations.find((one) => one === (wanted || 'MEAN'))
  if (found === undefined) {
    throw new Refusal(
      'Validation',
      `Expected an aggregation of ${aggregations.join(', ')} or NONE, got "${word.slice(0, 80)}"`,
    )
  }
  return found
}
