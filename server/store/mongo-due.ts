import type { Connection } from './mongo-client.ts'
import { appKeyOf, type Stored, scopeOf } from './mongo-document.ts'
import type { AppEntry, Journal } from './mongo-journal.ts'
import type { Leases } from './mongo-lease.ts'
import { type MongoLayouts, sortKey, tableOf } from './mongo-plan.ts'
import { type Store, StoreError } from './port.ts'

export interface DueParts {
  connection: Connection
  layouts: MongoLayouts
  journal: Journal
  writers: Leases
}

const page = 1_000

/** What is to be done in all applications. FerretDB 1.x has no use for the indexes: there it costs a look at every document. */
export function openDue(parts: DueParts): Pick<Store, 'due' | 'unsettled' | 'settle'> {
  const { connection, layouts, journal, writers } = parts
  const apps = () => connection.collection<AppEntry>('apps')

  /** The first of each application: those that have had one are passed over, so that a long line of one costs a page at most. */
  async function firstOfEach(table: string, key: string, until: number): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    for (let from = Number.MIN_SAFE_INTEGER; ; ) {
      const others = found.size === 0 ? {} : { app: { $nin: [...found.keys()] } }
      const rows = await connection
        .collection<Stored>(table)
        .find({ [key]: { $gte: from, $lte: until }, ...others }, { projection: { _id: 0, app: 1, [key]: 1 } })
        .sort({ [key]: 1, app: 1 })
        .limit(page)
        .toArray()
      for (const { app, [key]: at } of rows) if (!found.has(app)) found.set(app, Number(at))
      if (rows.length < page) return found
      from = Number(rows.at(-1)![key])
    }
  }

  return {
    async due(name, field, until) {
      if (!layouts.get(name)?.due?.includes(field)) {
        throw new StoreError('field', `Expected a field of ${name} that is due, got ${JSON.stringify(field)}.`)
      }
      const latest = Math.min(until, Number.MAX_SAFE_INTEGER)
      // Whoever has a turn after one who died completes what that one began. Most are of writers that live, and one whose turn
      // does not come is completed by the next look.
      const begun = await connection.ask(() => journal.open())
      await Promise.allSettled(begun.map((appKey) => connection.ask(() => writers.hold(appKey, async () => undefined))))
      const found = await connection.ask(() => firstOfEach(tableOf(name), sortKey(field), latest))
      return [...found].map(([appKey, at]) => ({ scope: scopeOf(appKey), at }))
    },

    unsettled: () =>
      connection.ask(async () => {
        const found = await apps()
          .find({ settled: { $ne: true } })
          .toArray()
        return found.map(({ _id, revision }) => ({ scope: scopeOf(_id), revision }))
      }),

    settle: (scope, revision) =>
      connection.ask(() =>
        // Alone: on FerretDB 1.x it might take back a revision that is written at the same time.
        writers.hold(appKeyOf(scope), async () => {
          await apps().updateOne({ _id: appKeyOf(scope), revision }, { $set: { settled: true } })
        }),
      ),
  }
}
