import type { AnyBulkWriteOperation } from 'mongodb'
import { attributeKey, attributeName, type Bucket, bucketMs, entriesOf, readBuckets } from './mongo-buckets.ts'
import type { Connection } from './mongo-client.ts'
import type { LastValues } from './mongo-last.ts'

const bulkSize = 32

/** Removes points of one device; its last values are found again among those that are left. Times as in `Telemetry.remove`. */
export async function removePoints(
  at: { connection: Connection; appKey: string; device: string; lastValues: LastValues },
  { start, end, attributes }: { start?: number; end?: number; attributes?: readonly string[] },
) {
  const { connection, appKey, device, lastValues } = at
  const table = () => connection.collection<Bucket>('points')
  const range = { start: start ?? Number.MIN_SAFE_INTEGER, end: end ?? Number.MAX_SAFE_INTEGER }
  let operations: AnyBulkWriteOperation<Bucket>[] = []
  const flush = async () => {
    if (operations.length > 0) await table().bulkWrite(operations, { ordered: false })
    operations = []
  }
  for await (const bucket of readBuckets(connection, appKey, { device, ...range, attributes })) {
    operations.push(...removalOf(bucket, range, attributes))
    if (operations.length >= bulkSize) await flush()
  }
  await flush()
  await lastValues.replace(
    device,
    (name, time) => time >= range.start && time < range.end && (attributes?.includes(name) ?? true),
    async (name) => {
      const all = { device, start: Number.MIN_SAFE_INTEGER, end: Number.MAX_SAFE_INTEGER }
      for await (const bucket of readBuckets(connection, appKey, { ...all, attributes: [name], newest: true })) {
        const newest = entriesOf(bucket, name, all).at(-1)
        if (newest !== undefined) return newest
      }
      return undefined
    },
  )
}

function removalOf(
  bucket: Bucket,
  range: { start: number; end: number },
  attributes: readonly string[] | undefined,
): AnyBulkWriteOperation<Bucket>[] {
  const { _id, start } = bucket
  const whole = start >= range.start && start + bucketMs <= range.end
  if (whole && attributes === undefined) return [{ deleteOne: { filter: { _id } } }]
  const names = attributes ?? Object.keys(bucket.v ?? {}).map(attributeName)
  const gone = names.flatMap((name) => {
    const key = `v.${attributeKey(name)}`
    if (whole) return [key]
    return entriesOf(bucket, name, range).map(({ time }) => `${key}.${time - start}`)
  })
  if (gone.length === 0) return []
  return [{ updateOne: { filter: { _id }, update: { $unset: Object.fromEntries(gone.map((key) => [key, ''])) } } }]
}
