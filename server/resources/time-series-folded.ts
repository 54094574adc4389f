import { Refusal } from '../../nodes/services/listing.ts'
import type { SeriesGroup } from '../../nodes/services/series.ts'
import type { AppStore } from '../store/port.ts'
import { type Fold, folds } from './time-series-fold.ts'
import type { Plan } from './time-series-plan.ts'
import { beginning, type Point, type SeriesReader } from './time-series-read.ts'
import { openRows } from './time-series-rows.ts'
import { heldTimes } from './time-series-step.ts'

const mostFolds = 250_000

type Source = (of: { deviceId: string; attribute: string }) => AsyncIterable<Point[]>

/** One value a bucket, of each device or of all together. Throws Refusal for more than 250,000 of them. */
export async function foldedGroups(
  app: AppStore,
  { reader, ids, plan }: { reader: SeriesReader; ids: readonly string[]; plan: Plan },
): Promise<SeriesGroup[]> {
  const source = await sourceOf(app, { reader, ids, plan })
  const room = { left: mostFolds }
  const groups: SeriesGroup[] = []
  const together = plan.perDevice ? ids.map((id) => [id]) : ids.length === 0 ? [] : [ids]
  for (const members of together) {
    const rows = openRows()
    for (const attribute of plan.attributes) {
      const byBucket = openBuckets(plan, room)
      for (const deviceId of members) {
        for await (const page of source({ deviceId, attribute })) {
          for (const { time, value } of page) byBucket.at(time).add(time, value)
        }
      }
      for (const [time, fold] of byBucket.all) {
        const result = fold.result()
        if (result !== undefined) rows.put(time, attribute, result)
      }
    }
    const deviceId = plan.perDevice ? members[0] : undefined
    groups.push({ deviceId, points: rows.points(plan.order), limitExceeded: false })
  }
  return groups
}

function openBuckets({ start, end, resolution, aggregation }: Plan, room: { left: number }) {
  const make = folds[aggregation === 'TIMEATVALUE' ? 'SUM' : (aggregation as keyof typeof folds)]
  const all = new Map<number, Fold>()
  const startOf = (time: number): number => {
    if (start === undefined) return end
    return Number.isFinite(resolution) ? start + Math.floor((time - start) / resolution) * resolution : start
  }
  return {
    all,
    at(time: number): Fold {
      const bucket = startOf(time)
      const known = all.get(bucket)
      if (known !== undefined) return known
      room.left -= 1
      if (room.left < 0) {
        const advice = 'Ask for fewer devices or buckets.'
        throw new Refusal('Validation', `Expected at most ${mostFolds} values, got more. ${advice}`)
      }
      const fold = make()
      all.set(bucket, fold)
      return fold
    },
  }
}

async function sourceOf(
  app: AppStore,
  { reader, ids, plan }: { reader: SeriesReader; ids: readonly string[]; plan: Plan },
): Promise<Source> {
  const { start, end } = plan
  if (start === undefined) return lastPoints(app, { reader, ids, plan })
  if (plan.aggregation === 'TIMEATVALUE') return (of) => heldTimes(reader, of, { ...plan, start })
  return (of) => reader.pages({ ...of, start, end })
}

/** The last value of a device and attribute up to the end. The store knows the last one ever, which mostly is it. */
async function lastPoints(
  app: AppStore,
  { reader, ids, plan }: { reader: SeriesReader; ids: readonly string[]; plan: Plan },
): Promise<Source> {
  const known = await app.telemetry.last(ids, plan.attributes)
  return async function* ({ deviceId, attribute }) {
    const last = known.get(deviceId)
    const point = last !== undefined && Object.hasOwn(last, attribute) ? last[attribute]! : undefined
    if (point === undefined) return
    if (point.time <= plan.end) return yield [point]
    const range = { deviceId, attribute, start: beginning, end: plan.end + 1 }
    yield await reader.some(range, { limit: 1, newest: true })
  }
}
