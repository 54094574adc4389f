import { type IndexDescription, MongoServerError } from 'mongodb'
import type { Document } from './documents/document.ts'
import type { Connection } from './mongo-client.ts'
import { type Stored, toDocument, toStored } from './mongo-document.ts'
import { indexesOf, type MongoLayout, type MongoLayouts, tableOf } from './mongo-plan.ts'

const rebuildPage = 200

/** Indexes of what is kept besides the documents. */
const fixed: Record<string, IndexDescription[]> = {
  apps: [{ key: { settled: 1 } }],
  journals: [{ key: { app: 1, token: 1 } }],
  locks: [{ key: { key: 1 }, unique: true }],
  turns: [{ key: { key: 1 }, unique: true }],
  hosts: [{ key: { app: 1 } }],
  values: [{ key: { app: 1, space: 1, key: 1 } }],
  points: [{ key: { app: 1, device: 1, start: 1 } }],
  lastValues: [],
  blobs: [],
  'blobs.files': [{ key: { filename: 1, uploadDate: 1 } }],
  'blobs.chunks': [{ key: { files_id: 1, n: 1 }, unique: true }],
  'blobs.uploads': [{ key: { app: 1, startedAt: 1 } }],
}

interface Plan {
  _id: string
  /** JSON of the layout that the documents were written by. */
  layout: string
}

/**
 * Makes what is searched in the documents of a collection anew when its layout is another than that of the last start; the
 * documents themselves stay as they are. Only then come the indexes, which may be unique.
 */
export async function migrate(connection: Connection, layouts: MongoLayouts) {
  const plans = connection.collection<Plan>('plans')
  const known = new Map((await plans.find().toArray()).map(({ _id, layout }) => [_id, layout]))
  for (const layout of layouts.values()) {
    const _id = layout.collection
    const json = JSON.stringify(layout)
    if (known.get(_id) === json) continue
    if (known.has(_id)) await rebuild(connection, layout)
    await plans.updateOne({ _id }, { $set: { layout: json } }, { upsert: true })
  }
}

async function rebuild(connection: Connection, layout: MongoLayout) {
  const table = connection.collection<Stored>(tableOf(layout.collection))
  for (let after = ''; ; ) {
    const page = await table
      .find({ _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(rebuildPage)
      .toArray()
    const operations = page.map(({ _id, app, stamp, body }) => {
      const { _id: _same, ...replacement } = toStored(app, layout, toDocument<Document>({ body }), stamp)
      // One that was written meanwhile by a newer process is as it should be.
      return { replaceOne: { filter: { _id, stamp }, replacement } }
    })
    if (operations.length > 0) await table.bulkWrite(operations, { ordered: false })
    const last = page.at(-1)
    if (last === undefined) return
    after = last._id
  }
}

/** Makes the indexes that are missing, and asks for none that is there: FerretDB 1.24 stumbles over that. */
export async function prepare(connection: Connection, layouts: MongoLayouts) {
  const declared = [...layouts.values()].map((layout) => [tableOf(layout.collection), indexesOf(layout)] as const)
  for (const [name, indexes] of [...Object.entries(fixed), ...declared]) {
    const known = await indexNames(connection, name)
    const missing = indexes.filter((index) => !known.has(nameOf(index)))
    if (missing.length === 0) continue
    await connection.collection(name).createIndexes(missing.map((index) => ({ ...index, name: nameOf(index) })))
  }
}

async function indexNames(connection: Connection, collection: string): Promise<Set<string>> {
  try {
    const found = await connection.collection(collection).listIndexes().toArray()
    return new Set(found.map(({ name }) => String(name)))
  } catch (error) {
    // There is no collection of this name yet.
    if (error instanceof MongoServerError && error.code === 26) return new Set()
    throw error
  }
}

function nameOf({ key, unique }: IndexDescription): string {
  return [unique ? 'unique' : 'by', ...Object.keys(key)].join('.')
}
