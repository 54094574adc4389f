import type { Connection } from './mongo-client.ts'
import { keyOf } from './mongo-document.ts'
import type { StatePoint, StateValue } from './port.ts'

/** The points of one device in ten minutes, by attribute and milliseconds since `start`. */
export interface Bucket {
  _id: string
  app: string
  device: string
  start: number
  v?: Record<string, Record<string, Slot>>
}

/** A value, or one with what came along (JSON of meta and relay). */
type Slot = StateValue | { v: StateValue; e: string }

/** One value of an attribute, as it was reported. */
export interface Entry {
  time: number
  value: StateValue
  /** JSON of meta and relay. */
  extra?: string
}

// A value a millisecond still fits into the 16 MB of a document.
export const bucketMs = 600_000
const pageBuckets = 32

export function bucketStart(time: number): number {
  return Math.floor(time / bucketMs) * bucketMs
}

export function bucketKey(appKey: string, device: string, start: number): string {
  return keyOf(appKey, 'points', device, `${start}`)
}

/** A name as MongoDB can have it for a key; the letter keeps it from being empty, a number or `__proto__`. */
export function attributeKey(name: string): string {
  return `a${name.replace(/[%.$\0]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}`
}

export function attributeName(key: string): string {
  return key.slice(1).replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

export function toSlot(value: StateValue, extra: string | undefined): Slot {
  return extra === undefined ? value : { v: value, e: extra }
}

export function extraOf({ meta, relay }: StatePoint): string | undefined {
  return meta === undefined && relay === undefined ? undefined : JSON.stringify({ meta, relay })
}

/** What a bucket has of an attribute with start <= time < end, oldest first. */
export function entriesOf(bucket: Bucket, name: string, range: { start: number; end: number }): Entry[] {
  const slots = bucket.v?.[attributeKey(name)] ?? {}
  return Object.entries(slots)
    .map(([offset, slot]) => ({ time: bucket.start + Number(offset), slot }))
    .filter(({ time }) => time >= range.start && time < range.end)
    .sort((a, b) => a.time - b.time)
    .map(({ time, slot }) =>
      typeof slot === 'object' ? { time, value: slot.v, extra: slot.e } : { time, value: slot },
    )
}

export interface BucketQuery {
  device: string
  start: number
  end: number
  /** Default all. */
  attributes?: readonly string[]
  newest?: boolean
}

/** What is asked of the buckets of an application. */
export function bucketFilter(appKey: string, { device, start, end }: Pick<BucketQuery, 'device' | 'start' | 'end'>) {
  const [from, to] = [bucketStart(safe(start)), safe(end)]
  return { app: appKey, device, start: { $gte: from, $lt: to } }
}

export function onlyAttributes(attributes: readonly string[] | undefined): Record<string, 1> {
  if (attributes === undefined) return { start: 1, v: 1 }
  return { start: 1, ...Object.fromEntries(attributes.map((name) => [`v.${attributeKey(name)}`, 1 as const])) }
}

/** Buckets of a device that reach into the range, in pages: no cursor waits for a slow reader. */
export async function* readBuckets(connection: Connection, appKey: string, query: BucketQuery): AsyncGenerator<Bucket> {
  const { newest = false, attributes } = query
  const projection = onlyAttributes(attributes)
  let { start, end } = query
  for (;;) {
    const page = await connection.ask(() =>
      connection
        .collection<Bucket>('points')
        .find(bucketFilter(appKey, { ...query, start, end }), { projection, batchSize: 4 })
        .sort({ start: newest ? -1 : 1 })
        .limit(pageBuckets)
        .toArray(),
    )
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < pageBuckets) return
    if (newest) end = last.start
    else start = last.start + bucketMs
  }
}

function safe(time: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, time))
}
