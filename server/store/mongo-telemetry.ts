import type { AnyBulkWriteOperation } from 'mongodb'
import { toScalar } from './cells.ts'
import { type Fold, openFold } from './mongo-aggregate.ts'
import {
  attributeKey,
  attributeName,
  type Bucket,
  bucketKey,
  bucketStart,
  entriesOf,
  extraOf,
  onlyAttributes,
  readBuckets,
  toSlot,
} from './mongo-buckets.ts'
import type { Connection } from './mongo-client.ts'
import { openLastValues } from './mongo-last.ts'
import { removePoints } from './mongo-remove.ts'
import type { Turns } from './mongo-turns.ts'
import { type StatePoint, type StateValue, StoreError, type Telemetry } from './port.ts'

const mostRange = 25_000
const setSize = 1_000
const deviceChunk = 200

/**
 * The telemetry of one application, in buckets of ten minutes; the last values are kept apart. Points of one call go to each
 * bucket whole; when the process dies before the call ends, some buckets may have them. To repeat the call does no harm.
 */
export function openTelemetry(connection: Connection, appKey: string, turns: Turns): Telemetry {
  const table = () => connection.collection<Bucket>('points')
  const lastValues = openLastValues(connection, appKey)
  const lockKey = `${appKey}\ntelemetry`

  const telemetry: Telemetry = {
    append: async (points) => {
      for (const { time } of points) {
        if (!Number.isSafeInteger(time)) {
          throw new StoreError('limit', `Expected "time" in whole milliseconds, got ${time}.`)
        }
      }
      const updates = points.length === 0 ? [] : updatesOf(appKey, points)
      if (updates.length === 0) return
      await turns.guarded(lockKey, async () => {
        await table().bulkWrite(updates, { ordered: true })
        await lastValues.put(points)
      })
    },

    last: (deviceIds, attributes) => connection.ask(() => lastValues.get(deviceIds, attributes)),

    async range({ deviceId, attribute, start, end, limit = 1000, newest = false }) {
      checkLimit(limit)
      const found: { time: number; value: StateValue }[] = []
      if (limit === 0) return found
      const query = { device: deviceId, start, end, attributes: [attribute], newest }
      for await (const bucket of readBuckets(connection, appKey, query)) {
        const entries = entriesOf(bucket, attribute, { start, end })
        for (const { time, value } of newest ? entries.reverse() : entries) {
          found.push({ time, value })
          if (found.length === limit) return found
        }
      }
      return found
    },

    async *points({ deviceId, start, end, attributes }) {
      const query = { device: deviceId, start, end, attributes }
      for await (const bucket of readBuckets(connection, appKey, query)) {
        yield* reportsOf(bucket, { deviceId, start, end, attributes })
      }
    },

    async aggregate({ deviceIds, attribute, start, end, resolutionMs, aggregation }) {
      if (!Number.isSafeInteger(resolutionMs) || resolutionMs < 0) {
        throw new StoreError('limit', `Expected "resolutionMs" as a whole number from 0, got ${resolutionMs}.`)
      }
      const folds = new Map<number, Fold>()
      const timeOf = (time: number) => (resolutionMs === 0 ? start : Math.floor(time / resolutionMs) * resolutionMs)
      const add = (bucket: Bucket) => {
        for (const { time, value } of entriesOf(bucket, attribute, { start, end })) {
          if (typeof value === 'string' && numeric.has(aggregation)) continue
          const at = timeOf(time)
          const fold = folds.get(at) ?? openFold(aggregation)
          folds.set(at, fold)
          fold.add(time, value)
        }
        checkLimit(folds.size)
      }
      const devices = [...new Set(deviceIds)]
      for (let from = 0; from < devices.length; from += deviceChunk) {
        await connection.ask(async () => {
          const range = { $gte: bucketStart(start), $lt: end }
          const chunk = { app: appKey, device: { $in: devices.slice(from, from + deviceChunk) }, start: range }
          const found = table().find(chunk, { projection: onlyAttributes([attribute]), batchSize: 100 })
          for await (const bucket of found) add(bucket)
        })
      }
      return [...folds]
        .sort(([a], [b]) => a - b)
        .flatMap(([time, fold]) => {
          const value = fold.result()
          return value === undefined ? [] : [{ time, value }]
        })
    },

    remove: (deviceIds, range = {}) =>
      turns.guarded(lockKey, async () => {
        for (const device of new Set(deviceIds)) await removePoints({ connection, appKey, device, lastValues }, range)
      }),
  }
  return telemetry
}

const numeric = new Set(['MEAN', 'MIN', 'MAX', 'SUM'])

/** One update for each bucket and thousand values. A later value of the same millisecond takes the place of an earlier one. */
function updatesOf(appKey: string, points: readonly StatePoint[]): AnyBulkWriteOperation<Bucket>[] {
  const buckets = new Map<string, { fixed: Omit<Bucket, '_id'>; sets: Map<string, unknown> }>()
  for (const point of points) {
    const start = bucketStart(point.time)
    const extra = extraOf(point)
    for (const [name, given] of Object.entries(point.data)) {
      const value = toScalar(given)
      // Not a number, or a value that no JSON has: there is nothing to keep.
      if (value === null) continue
      const _id = bucketKey(appKey, point.deviceId, start)
      const bucket = buckets.get(_id) ?? { fixed: { app: appKey, device: point.deviceId, start }, sets: new Map() }
      buckets.set(_id, bucket)
      bucket.sets.set(`v.${attributeKey(name)}.${point.time - start}`, toSlot(value, extra))
    }
  }
  return [...buckets].flatMap(([_id, { fixed, sets }]) => {
    const all = [...sets]
    return Array.from({ length: Math.ceil(all.length / setSize) }, (_, n) => {
      const $set = { ...fixed, ...Object.fromEntries(all.slice(n * setSize, (n + 1) * setSize)) }
      return { updateOne: { filter: { _id }, update: { $set }, upsert: true } }
    })
  })
}

/** The reports of a bucket, oldest first. What came along is that of the first attribute by name. */
function reportsOf(
  bucket: Bucket,
  {
    deviceId,
    start,
    end,
    attributes,
  }: { deviceId: string; start: number; end: number; attributes?: readonly string[] },
): StatePoint[] {
  const reports = new Map<number, StatePoint>()
  const names = Object.keys(bucket.v ?? {}).map(attributeName)
  for (const name of names.filter((one) => attributes?.includes(one) ?? true).sort()) {
    for (const { time, value, extra } of entriesOf(bucket, name, { start, end })) {
      const along = extra === undefined ? {} : (JSON.parse(extra) as Pick<StatePoint, 'meta' | 'relay'>)
      const report = reports.get(time) ?? { deviceId, time, data: {}, ...along }
      Object.defineProperty(report.data, name, { value, enumerable: true, configurable: true, writable: true })
      reports.set(time, report)
    }
  }
  return [...reports.values()].sort((a, b) => a.time - b.time)
}

function checkLimit(limit: number) {
  if (Number.isInteger(limit) && limit >= 0 && limit <= mostRange) return
  throw new StoreError('limit', `Expected at most ${mostRange} values, got ${limit}. Ask for a shorter range.`)
}
