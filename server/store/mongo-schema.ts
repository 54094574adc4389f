import { type IndexDescription, MongoServerError } from 'mongodb'
import type { Connection } from './mongo-client.ts'
import { indexesOf, type MongoLayouts, tableOf } from './mongo-plan.ts'

/** Indexes of what is kept besides the documents. */
const fixed: Record<string, IndexDescription[]> = {
  apps: [],
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
