import { Refusal } from '../../nodes/services/listing.ts'
import type { SeriesGroup } from '../../nodes/services/series.ts'
import type { Plan } from './time-series-plan.ts'
import type { Point, PointRange, SeriesReader } from './time-series-read.ts'
import { openRows } from './time-series-rows.ts'

const mostRawPoints = 100_000
const mostRange = 25_000

/** Every point of each device, at most `limit` of a device. Throws Refusal for more than 100,000 in all. */
export async function rawGroups(
  reader: SeriesReader,
  ids: readonly string[],
  plan: Plan & { start: number },
): Promise<SeriesGroup[]> {
  const { start, end, order, limit } = plan
  const groups: SeriesGroup[] = []
  let total = 0
  for (const deviceId of ids) {
    const rows = openRows()
    for (const attribute of plan.attributes) {
      // One more than is wanted tells whether there are more.
      const points = await upTo(
        reader,
        { deviceId, attribute, start, end },
        { limit: limit + 1, newest: order === 'desc' },
      )
      for (const { time, value } of points) rows.put(time, attribute, { value })
    }
    const points = rows.points(order).slice(0, limit)
    total += points.length
    if (total > mostRawPoints) {
      const advice = 'Ask for fewer devices, a shorter duration or a limit.'
      throw new Refusal('Validation', `Expected at most ${mostRawPoints} points, got more. ${advice}`)
    }
    groups.push({ deviceId, points, limitExceeded: rows.size() > limit })
  }
  return groups
}

/** The store gives at most 25,000 at once; the one more is asked for apart. */
async function upTo(
  reader: SeriesReader,
  range: PointRange,
  { limit, newest }: { limit: number; newest: boolean },
): Promise<Point[]> {
  const points = await reader.some(range, { limit: Math.min(limit, mostRange), newest })
  if (limit <= mostRange || points.length < mostRange) return points
  const edge = points.at(-1)!.time
  const rest = newest ? { ...range, end: edge } : { ...range, start: edge + 1 }
  return [...points, ...(await reader.some(rest, { limit: 1, newest }))]
}
