import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Document } from './documents/document.ts'
import type { CollectionName, Documents } from './documents.ts'
import { type AppStore, type Collection, type Store, StoreError, type WriteOperation } from './port.ts'
import { type Scope, scopeKey } from './scope.ts'
import { openBlobs } from './sqlite-blobs.ts'
import { type AppNumber, openCollection, type SqliteCollection } from './sqlite-collection.ts'
import { type Database, openDatabase } from './sqlite-database.ts'
import { openDue } from './sqlite-due.ts'
import { openHosts } from './sqlite-hosts.ts'
import { openPlacesKeeper, type PlacesKeeper, type PlacesOptions } from './sqlite-places.ts'
import { declaredPlans, type Layouts, type Plans } from './sqlite-plan.ts'
import { migrate } from './sqlite-schema.ts'
import { openTelemetry } from './sqlite-telemetry.ts'
import { openValues } from './sqlite-values.ts'

export interface SqliteOptions {
  file: string
  /** Pages of 4 KB that the file may have; then `full`. Default: as many as the disk has. */
  mostPages?: number
  /** How long a write waits for one of another process, which holds up this one; then `unavailable`. Default 5,000. */
  busyTimeoutMs?: number
  places?: PlacesOptions
  /** What is kept and how; default documents.ts. */
  plans?: Plans
}

/**
 * The embedded store: one file (with its -wal and -shm beside it), made with its folder when missing and migrated when older.
 * An acknowledged write survives the death of the process; a loss of power may take the last moments, whole writes and newest
 * first. Several processes of one machine may open the file: writes wait for each other at most five seconds, then fail with
 * `unavailable`. A file of a newer release, of another program or a damaged one is refused with `unavailable`.
 */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const { file, plans = declaredPlans, places } = options
  mkdirSync(dirname(file), { recursive: true })
  const database = openDatabase(options)
  try {
    const layouts = migrate(database, plans)
    return openStore({ database, layouts, places: openPlacesKeeper({ database, layouts, ...places }) })
  } catch (error) {
    database.close()
    throw error
  }
}

/** Handles that are kept open, so that asking for one costs nothing; any number more may be made. */
const mostHandles = 1_000

interface Kept {
  database: Database
  layouts: Layouts
  places: PlacesKeeper
}

function openStore(store: Kept): Store {
  const { database, layouts } = store
  const appOf = appNumbers(database)
  const handles = new Map<string, AppStore>()
  return {
    app(scope) {
      const key = scopeKey(scope)
      const handle = handles.get(key) ?? openApp({ ...store, scope: { ...scope }, app: appOf(scope) })
      handles.set(key, handle)
      if (handles.size > mostHandles) handles.delete(handles.keys().next().value!)
      return handle
    },
    hosts: openHosts(database, appOf),

    async applications() {
      const sql = `SELECT DISTINCT a.tenant, a.application FROM c_application t JOIN apps a ON a.app = t.app
        ORDER BY a.application, a.tenant`
      return database.all(sql).map((row) => ({ tenant: String(row.tenant), application: String(row.application) }))
    },

    ...openDue(database, layouts),

    async check() {
      database.get('SELECT count(*) AS n FROM plans')
    },

    async close() {
      database.close()
    },
  }
}

/** Numbers never change once made, so that they may be kept. */
function appNumbers(database: Database): (scope: Scope) => AppNumber {
  const numbers = new Map<string, number>()
  return ({ tenant, application }) => {
    const key = JSON.stringify([tenant, application])
    const known = () => {
      const kept = numbers.get(key)
      if (kept !== undefined) return kept
      const found = database.get('SELECT app FROM apps WHERE tenant = ? AND application = ?', [tenant, application])
      if (found === undefined) return 0
      // Within a transaction it may yet be undone.
      if (!database.inTransaction()) numbers.set(key, Number(found.app))
      return Number(found.app)
    }
    const make = () => {
      const number = known()
      if (number !== 0) return number
      const sql = 'INSERT OR IGNORE INTO apps (tenant, application) VALUES (?, ?)'
      database.run(sql, [tenant, application])
      return known()
    }
    return { known, make }
  }
}

function openApp(options: Kept & { scope: Scope; app: AppNumber }): AppStore {
  const { database, layouts, places, scope, app } = options
  const opened = new Map<string, SqliteCollection<Document>>()

  function collectionOf(name: string): SqliteCollection<Document> {
    const known = opened.get(name)
    if (known !== undefined) return known
    const layout = layouts.get(name)
    if (layout === undefined)
      throw new StoreError('field', `Expected a declared collection, got ${JSON.stringify(name)}.`)
    const collection = openCollection<Document>({ database, layout, groups: layouts.get('groups'), places, app })
    opened.set(name, collection)
    return collection
  }

  function apply(operation: WriteOperation) {
    if ('insert' in operation) collectionOf(operation.insert).writer.insert(operation.document)
    else if ('update' in operation) {
      collectionOf(operation.update).writer.update(operation.id, operation.change, operation.revision)
    } else if (!collectionOf(operation.remove).writer.remove(operation.id, operation.revision)) {
      if (operation.revision === undefined) return
      throw new StoreError('missing', `Expected a document of ${operation.remove} with this id, found none.`)
    }
  }

  return {
    scope,
    collection: <N extends CollectionName>(name: N) => collectionOf(name) as unknown as Collection<Documents[N]>,

    async write(operations) {
      database.transaction(() => {
        operations.forEach((operation, index) => {
          try {
            apply(operation)
          } catch (error) {
            throw at(error, index)
          }
        })
      })
    },

    async revision() {
      return Number(database.get('SELECT revision FROM apps WHERE app = ?', [app.known()])?.revision ?? 0)
    },

    telemetry: openTelemetry(database, app),
    blobs: openBlobs(database, app),
    values: openValues(database, app),
  }
}

/** The same failure, with the index of its operation. */
function at(error: unknown, operation: number): unknown {
  if (!(error instanceof StoreError)) return error
  const { code, message, details, cause } = error
  return new StoreError(code, `Operation ${operation}: ${message}`, { cause, revision: details.revision, operation })
}
