import type { Document } from './documents/document.ts'
import type { CollectionName, CollectionPlan, Documents } from './documents.ts'
import { planBatch } from './mongo-batch.ts'
import { openBlobs } from './mongo-blobs.ts'
import { type Connection, connect } from './mongo-client.ts'
import { openCollection } from './mongo-collection.ts'
import { appKeyOf, type Stored, scopeOf } from './mongo-document.ts'
import { openDue } from './mongo-due.ts'
import { openHosts } from './mongo-hosts.ts'
import { type AppEntry, type Journal, openJournal } from './mongo-journal.ts'
import { type Leases, openLeases } from './mongo-lease.ts'
import { layoutsOf, type MongoLayouts, tableOf } from './mongo-plan.ts'
import { migrate, prepare } from './mongo-schema.ts'
import { openTelemetry } from './mongo-telemetry.ts'
import { openTurns, type Turns } from './mongo-turns.ts'
import { openValues } from './mongo-values.ts'
import { type AppStore, type Collection, type Store, StoreError, type WriteOperation } from './port.ts'
import { type Scope, scopeKey } from './scope.ts'

export interface MongoOptions {
  /** `mongodb://` or `mongodb+srv://`; its path names the database, default `headgate`. */
  url: string
  /** What is kept and how; default documents.ts. */
  plans?: Readonly<Record<string, CollectionPlan>>
  /** After so long without a sign of life another process takes over what this one was writing. Default 4,000. */
  leaseMs?: number
}

/**
 * The store on MongoDB 6 or newer, alone, as replica set or sharded, or on FerretDB. Several processes on several machines may
 * open the database. Documents of an application are written by one process at a time, in turns; many documents at once by way
 * of a journal, since transactions need a replica set: another reader may for a moment see a part of such a write, never after it
 * was acknowledged, and never for good, because the next writer, or the next process that opens the store, completes what a dead
 * one began. Throws StoreError `unavailable`, in one line without the password, for a malformed URL, a server that cannot be reached
 * or is too old, and wrong credentials. While the server is away calls fail with `unavailable`, within about five seconds; they
 * work again when it is back.
 */
export async function openMongo({ url, plans, leaseMs = 4_000 }: MongoOptions): Promise<Store> {
  const connection = await connect(url)
  try {
    const layouts = layoutsOf(plans)
    await connection.ask(async () => {
      await migrate(connection, layouts)
      await prepare(connection, layouts)
    })
    const journal = openJournal(connection, layouts)
    const taken = (key: string, lease: Parameters<Journal['complete']>[1]) => journal.complete(key, lease)
    const writers = openLeases({ connection, collection: 'locks', leaseMs, taken })
    const others = openLeases({ connection, collection: 'turns', leaseMs })
    const turns = openTurns(connection, others)
    const left = await connection.ask(() => journal.open())
    await Promise.all(left.map((appKey) => connection.ask(() => writers.hold(appKey, async () => undefined))))
    const ended = async () => void (await Promise.all([writers.ended(), others.ended()]))
    return openStore({ connection, layouts, journal, writers, turns, ended })
  } catch (error) {
    await connection.close()
    throw error
  }
}

interface Parts {
  connection: Connection
  layouts: MongoLayouts
  journal: Journal
  writers: Leases
  turns: Turns
  /** Resolves when nothing holds a lock. */
  ended(): Promise<void>
}

/** Handles that are kept open, so that asking for one costs nothing; any number more may be made. */
const mostHandles = 1_000

function openStore(parts: Parts): Store {
  const { connection, turns } = parts
  const handles = new Map<string, AppStore>()
  return {
    app(scope) {
      const key = scopeKey(scope)
      const handle = handles.get(key) ?? openApp(parts, { ...scope })
      handles.set(key, handle)
      if (handles.size > mostHandles) handles.delete(handles.keys().next().value!)
      return handle
    },
    hosts: openHosts(connection, turns),

    applications: () =>
      connection.ask(async () => {
        const found = await connection.collection<Stored>(tableOf('application')).distinct('app')
        const byApplication = (a: Scope, b: Scope) =>
          compare(a.application, b.application) || compare(a.tenant, b.tenant)
        return found.map(scopeOf).sort(byApplication)
      }),

    ...openDue(parts),

    check: () => connection.ask(() => connection.ping()),
    close: () => connection.close(parts.ended),
  }
}

function openApp({ connection, layouts, journal, writers, turns }: Parts, scope: Scope): AppStore {
  const appKey = appKeyOf(scope)
  const apps = () => connection.collection<AppEntry>('apps')
  const opened = new Map<string, Collection<Document>>()

  const revision = async () => (await apps().findOne({ _id: appKey }))?.revision ?? 0

  function write(operations: readonly WriteOperation[], indexed: boolean): Promise<(Document | boolean)[]> {
    return connection.ask(() =>
      writers.hold(appKey, async (lease) => {
        const batch = await planBatch({ connection, layouts, appKey, operations, indexed })
        const next = batch.definition ? (await revision()) + 1 : null
        await journal.commit(appKey, { steps: batch.steps, revision: next }, lease)
        return batch.results
      }),
    )
  }

  function collectionOf(name: string): Collection<Document> {
    const known = opened.get(name)
    if (known !== undefined) return known
    const layout = layouts.get(name)
    if (layout === undefined) {
      throw new StoreError('field', `Expected a declared collection, got ${JSON.stringify(name)}.`)
    }
    const writeOne = async (operation: WriteOperation) => (await write([operation], false))[0]!
    const collection = openCollection<Document>({ connection, layout, appKey, writeOne })
    opened.set(name, collection)
    return collection
  }

  return {
    scope,
    collection: <N extends CollectionName>(name: N) => collectionOf(name) as unknown as Collection<Documents[N]>,
    async write(operations) {
      if (operations.length > 0) await write(operations, true)
    },
    revision: () => connection.ask(revision),
    telemetry: openTelemetry(connection, appKey, turns),
    blobs: openBlobs(connection, appKey, turns),
    values: openValues(connection, appKey, turns),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
