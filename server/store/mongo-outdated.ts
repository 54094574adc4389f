import type { Connection } from './mongo-client.ts'
import { isTaken, keyOf, type Stored } from './mongo-document.ts'
import type { Step } from './mongo-journal.ts'
import { type MongoLayouts, tableOf, uniqueKey } from './mongo-plan.ts'

const mostIds = 1_000

/**
 * Whether a change was written down too late: its writer had lost its turn by then, and others have written since what it was made
 * for. Such a writer goes no further, so that nothing of it was begun. The caller holds the lease of the application.
 */
export async function isOutdated(
  { connection, layouts }: { connection: Connection; layouts: MongoLayouts },
  appKey: string,
  steps: readonly Step[],
): Promise<boolean> {
  for (const [collection, own] of Map.groupBy(steps, (step) => step.collection)) {
    const table = connection.collection<Stored>(tableOf(collection))
    const ids = new Set(own.map(({ id }) => id))
    const uniques = layouts.get(collection)?.unique ?? []
    for (let from = 0; from < own.length; from += mostIds) {
      const part = own.slice(from, from + mostIds)
      const keys = part.map(({ id }) => keyOf(appKey, id))
      const found = await table.find({ _id: { $in: keys } }, { projection: { id: 1, stamp: 1 } }).toArray()
      const stamps = new Map(found.map(({ id, stamp }) => [id, stamp]))
      // A step that is done leads to its `after`, one that is not stands at its `before`.
      const fits = ({ id, before, after }: Step) => [before, after?.stamp ?? null].includes(stamps.get(id) ?? null)
      if (!part.every(fits)) return true
      for (const position of uniques.keys()) {
        const field = uniqueKey(position)
        const wanted = part.map(({ after }) => after?.[field]).filter(isTaken)
        if (wanted.length === 0) continue
        const query = { app: appKey, [field]: { $in: wanted } }
        for await (const { id } of table.find(query, { projection: { id: 1 } })) if (!ids.has(id)) return true
      }
    }
  }
  return false
}
