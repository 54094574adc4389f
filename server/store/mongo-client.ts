import { type Collection, type Db, type Document, MongoClient, MongoError, MongoServerError } from 'mongodb'
import { StoreError } from './port.ts'

/** A connection to one database. Failures of the driver leave `ask` as StoreError. */
export interface Connection {
  /** Must be used within `ask`. */
  collection<T extends Document = Document & { _id: string }>(name: string): Collection<T>
  /** Does the work; after `close` it is refused with `unavailable`. */
  ask<T>(work: () => Promise<T>): Promise<T>
  /** False: an update may cross another one of the same document (FerretDB 1.x). Inserts never do. */
  readonly atomic: boolean
  /** False: `$elemMatch` does not look at one element for all its conditions (FerretDB 1.x). */
  readonly elemMatch: boolean
  ping(): Promise<void>
  /** Refuses new work, waits for `ended`, then lets go of the server. */
  close(ended?: () => Promise<void>): Promise<void>
}

const oldestWireVersion = 17 // MongoDB 6.0
const tooOld = 'Expected MongoDB 6.0 or newer'
const defaultDatabase = 'headgate'
/**
 * Of one process, so that eight stay below a hundred: FerretDB 1.x answers nothing any more once each of its hundred connections
 * to SQLite is held by an update that waits for one more.
 */
const mostFerretConnections = 12
const namesDatabase = /^mongodb(\+srv)?:\/\/[^/?]+\/[^?]/
const form = 'mongodb://user:password@host:27017/database (reserved characters of the password percent-encoded)'

/**
 * Connects once; from then on the driver comes back by itself when the server does. Throws StoreError `unavailable`, in one
 * line without the password, for a malformed URL, a server that does not answer within about five seconds, wrong credentials and a
 * server older than MongoDB 6.
 */
export async function connect(url: string): Promise<Connection> {
  let client = clientOf(url)
  try {
    await client.connect()
    const name = namesDatabase.test(url) ? client.options.dbName : defaultDatabase
    const { maxWireVersion } = await client.db(name).command({ hello: 1 })
    const { version, ferretdbVersion } = await client.db(name).command({ buildInfo: 1 })
    if (maxWireVersion < oldestWireVersion) {
      throw new StoreError('unavailable', `${tooOld}, found ${version}. Upgrade the server.`)
    }
    const ferret1 = isFerret1(ferretdbVersion)
    if (ferret1 && client.options.maxPoolSize > mostFerretConnections) {
      await client.close()
      client = clientOf(url, { maxPoolSize: mostFerretConnections })
    }
    const db = client.db(name)
    // Whoever may not read is told now, not by the first request.
    await db.collection('apps').findOne({ _id: '' as never })
    return openConnection(client, db, ferret1)
  } catch (error) {
    await client.close()
    throw toStoreError(error)
  }
}

function clientOf(url: string, limits: { maxPoolSize?: number } = {}): MongoClient {
  try {
    return new MongoClient(url, {
      appName: 'headgate',
      readPreference: 'primary',
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5_000 },
      serverSelectionTimeoutMS: 3_000,
      connectTimeoutMS: 2_500,
      // A server that hangs is noticed by its heartbeat, not by long answers.
      heartbeatFrequencyMS: 1_000,
      socketTimeoutMS: 60_000,
      ignoreUndefined: true,
      ...limits,
    })
  } catch {
    // The cause is left out: it may quote a part of the password.
    throw new StoreError('unavailable', `Expected the URL of the store as ${form}, got one that MongoDB does not know.`)
  }
}

function isFerret1(version: unknown): boolean {
  return typeof version === 'string' && /^v?[01]\./.test(version)
}

function openConnection(client: MongoClient, db: Db, ferret1: boolean): Connection {
  let open = true
  return {
    atomic: !ferret1,
    elemMatch: !ferret1,
    collection: (name) => db.collection(name),
    async ask(work) {
      if (!open) throw new StoreError('unavailable', 'The store is closed.')
      try {
        return await work()
      } catch (error) {
        throw toStoreError(error)
      }
    },
    async ping() {
      await db.command({ ping: 1 })
    },
    async close(ended) {
      open = false
      await ended?.()
      await client.close()
    },
  }
}

const codes = { full: [14031], limit: [10334, 17280, 17419], credentials: [13, 18, 8000] }

/** Errors of the driver as StoreError, with their cause; others are left as they are. */
function toStoreError(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error
  const cause = error
  const code = error instanceof MongoServerError ? Number(error.code) : undefined
  // What is older than the driver knows never gets as far as telling its version.
  if (/wire version/.test(error.message)) {
    return new StoreError('unavailable', `${tooOld}, found a much older one. Upgrade the server.`, { cause })
  }
  if (code === undefined) {
    const message = `MongoDB did not answer (${error.name}). Check that it runs and that the URL of the store leads to it.`
    return new StoreError('unavailable', message, { cause })
  }
  if (codes.full.includes(code)) return new StoreError('full', 'MongoDB has no room left on its disk.', { cause })
  if (codes.limit.includes(code)) {
    return new StoreError('limit', 'Expected a document of at most 16 MB, got a larger one.', { cause })
  }
  if (codes.credentials.includes(code)) {
    const message = 'MongoDB refused the user. Check user, password, authSource and rights in the URL of the store.'
    return new StoreError('unavailable', message, { cause })
  }
  return new StoreError('unavailable', `MongoDB refused a command (${error.name} ${code}).`, { cause })
}

/** True when a unique index refused the write. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000
}
