import { type AnyBulkWriteOperation, BSON, type Document } from 'mongodb'
import type { Connection } from './mongo-client.ts'
import { freeKey, keyOf, newStamp, type Stored } from './mongo-document.ts'
import type { Lease } from './mongo-lease.ts'
import { isOutdated } from './mongo-outdated.ts'
import { type MongoLayouts, tableOf, uniqueKey } from './mongo-plan.ts'
import { StoreError } from './port.ts'

/** What happens to one document: from the stamp that it has (null: there is none) to what it will be (null: removed). */
export interface Step {
  collection: string
  id: string
  before: string | null
  after: Stored | null
  /** It gives up a unique combination, which another step may take. */
  releases: boolean
}

/** What is known of an application besides its documents. */
export interface AppEntry {
  _id: string
  revision: number
  /** What follows from this revision is in the store. */
  settled?: boolean
}

export interface Change {
  steps: readonly Step[]
  /** The revision that the application has then; null: as before. */
  revision: number | null
}

/** Changes of many documents that are made whole, whatever happens in between. The caller holds the lease of the application. */
export interface Journal {
  commit(appKey: string, change: Change, lease: Lease): Promise<void>
  /** Completes what was begun by one who did not come to its end; what was written down after others had a turn is dropped. */
  complete(appKey: string, lease: Lease): Promise<void>
  /** Keys of applications with something to complete. */
  open(): Promise<string[]>
}

interface Entry {
  _id: string
  app: string
  token: string
  steps: Step[]
  /** Only in the entry whose `_id` is the application: it is written last, and makes the change. */
  parts?: number
  revision?: number | null
}

const mostBytes = 12 * 1024 * 1024
const bulkSize = 500

/**
 * The intent is written first, then carried out, then removed. Every step names the stamp that it finds and can be repeated;
 * more than 12 MB are written in parts, which count for nothing until the last one is there.
 */
export function openJournal(connection: Connection, layouts: MongoLayouts): Journal {
  const entries = () => connection.collection<Entry>('journals')
  const apps = () => connection.collection<AppEntry>('apps')

  async function apply(appKey: string, steps: readonly Step[], lease: Lease) {
    for (const [collection, own] of Map.groupBy(steps, (step) => step.collection)) {
      const unique = layouts.get(collection)?.unique ?? []
      for (const operations of inBulks(appKey, own, unique.length)) {
        await lease.check()
        await connection.collection(tableOf(collection)).bulkWrite(operations, { ordered: true })
      }
    }
  }

  /** A single operation is made whole by the server. */
  async function applyOne(appKey: string, step: Step, lease: Lease) {
    const operations = step.after === null ? releaseOf(appKey, step, 0) : placeOf(appKey, step)
    await lease.check()
    const { matchedCount, deletedCount, upsertedCount } = await connection
      .collection(tableOf(step.collection))
      .bulkWrite(operations)
    // It was on its way for so long that another one has had a turn.
    if (matchedCount + deletedCount + upsertedCount > 0) return
    throw new StoreError('unavailable', 'Another process took over this write. Try again.')
  }

  async function finish(appKey: string, steps: readonly Step[], revision: number | null, lease: Lease) {
    await apply(appKey, steps, lease)
    // Last: who reads the revision before the documents never keeps old ones under a new revision.
    if (revision === null) return
    await apps().updateOne({ _id: appKey }, { $max: { revision }, $set: { settled: false } }, { upsert: true })
  }

  return {
    async commit(appKey, { steps, revision }, lease) {
      if (steps.length === 0) return
      const [first] = steps
      if (first !== undefined && steps.length === 1 && revision === null) return applyOne(appKey, first, lease)
      const token = newStamp()
      const [last = [], ...parts] = inParts(steps)
      for (const [n, part] of parts.entries()) {
        await lease.check()
        const _id = keyOf(appKey, `${n}`)
        await entries().replaceOne({ _id }, { app: appKey, token, steps: part }, { upsert: true })
      }
      await lease.check()
      await entries().insertOne({ _id: appKey, app: appKey, token, steps: last, parts: parts.length, revision })
      await finish(appKey, steps, revision, lease)
      await entries().deleteOne({ _id: appKey, token })
      if (parts.length > 0) await entries().deleteMany({ app: appKey, token })
    },

    async complete(appKey, lease) {
      const left = await entries().findOne({ _id: appKey })
      if (left === null) return
      const steps = [...left.steps]
      for (let n = 0; n < (left.parts ?? 0); n += 1) {
        const part = await entries().findOne({ _id: keyOf(appKey, `${n}`), token: left.token })
        steps.push(...(part?.steps ?? []))
      }
      if (!(await isOutdated({ connection, layouts }, appKey, steps))) {
        await finish(appKey, steps, left.revision ?? null, lease)
      }
      await entries().deleteOne({ _id: appKey, token: left.token })
      if ((left.parts ?? 0) > 0) await entries().deleteMany({ app: appKey, token: left.token })
    },

    async open() {
      const left = await entries()
        .find({ parts: { $gte: 0 } }, { projection: { _id: 1 } })
        .toArray()
      return left.map(({ _id }) => _id)
    },
  }
}

function inParts(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [[]]
  let bytes = 0
  for (const step of steps) {
    const size = BSON.calculateObjectSize(step) + 16
    if (bytes > 0 && bytes + size > mostBytes) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)?.push(step)
    bytes += size
  }
  return parts
}

type Operation = AnyBulkWriteOperation<Document & { _id: string }>

/** First all that gives up a unique combination, then all that takes one; every operation may be repeated. */
function* inBulks(appKey: string, steps: readonly Step[], uniques: number): Generator<Operation[]> {
  const operations = [
    ...steps.flatMap((step) => releaseOf(appKey, step, uniques)),
    ...steps.flatMap((step) => placeOf(appKey, step)),
  ]
  for (let at = 0; at < operations.length; at += bulkSize) yield operations.slice(at, at + bulkSize)
}

function releaseOf(appKey: string, { id, before, after, releases }: Step, uniques: number): Operation[] {
  if (before === null) return []
  const filter = { _id: keyOf(appKey, id), stamp: before }
  if (after === null) return [{ deleteOne: { filter } }]
  if (!releases) return []
  const free = Object.fromEntries(Array.from({ length: uniques }, (_, n) => [uniqueKey(n), freeKey(id)]))
  return [{ updateOne: { filter, update: { $set: free } } }]
}

function placeOf(appKey: string, { id, before, after }: Step): Operation[] {
  if (after === null) return []
  const _id = keyOf(appKey, id)
  const { _id: _same, ...document } = after
  if (before !== null) return [{ replaceOne: { filter: { _id, stamp: before }, replacement: document } }]
  return [{ updateOne: { filter: { _id }, update: { $setOnInsert: document }, upsert: true } }]
}
