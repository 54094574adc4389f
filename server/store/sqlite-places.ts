import { openPlaces, type Places } from './places.ts'
import type { Database, Sql } from './sqlite-database.ts'
import { type Layout, type Layouts, numberOfField, sortIndex } from './sqlite-plan.ts'
import { textsAt } from './sqlite-scalar.ts'

/** What statements may ask of the places of devices. Only within the `reading` that gave it. */
export interface PlacesView {
  /** A condition on the row `t` of the devices: 0.1 us a row. */
  within(groupIds: readonly string[]): Sql
  count(groupIds: readonly string[]): number
}

/**
 * The places of the devices of each application (places.ts), as far as they are in memory. Each write that changes a place
 * counts up a number that the application has in the file, in the same transaction: what is in memory is used only while
 * the number is the one that it was read and kept up to, so that it never answers for what another process has written.
 */
export interface PlacesKeeper {
  /** To be told of each write of a document, within its transaction. `after` undefined: removed. */
  wrote(app: number, layout: Layout, written: { id: string; row: number; before?: unknown; after?: unknown }): void
  /**
   * Gives what `work` gives. It gets a view, or undefined as long as the places are not in memory: each call reads some
   * more of them first, at most 5,000 rows. `work` may be done again without a view, when another process writes meanwhile.
   */
  reading<T>(app: number, work: (view: PlacesView | undefined) => T): T
  /**
   * A test of one device by its row; undefined as `reading` has it. It holds when the statement that gives the row finds `version`
   * in the column `places` of the application: for a single device that costs less than a view.
   */
  testing(app: number, groupIds: readonly string[]): { version: number; isInside(row: number): boolean } | undefined
  /** Memory that is taken now, of all applications. */
  bytes(): number
}

const sliceOfGroups = 1000
const sliceOfDevices = 5000
/** What the places of an application without devices take. */
const emptyBytes = 2_000

interface Kept {
  places: Places
  /** The number of the application in the file for which the places stand. */
  version: number
  /** What has been read so far; undefined: everything. */
  cursor: Cursor | undefined
  /** The part that is counted of the memory of all. */
  bytes: number
}
type Cursor = { groupId: string } | { row: number; groupId: string }
type Change = (places: Places) => void

/** How places are kept: those of the applications that were asked last. */
export interface PlacesOptions {
  /** Memory for those of all applications. Default 128 MB; a million devices in 100,000 groups take 34 MB. */
  mostBytes?: number
  /** How long those that another process changed, or that had to make room, are not read again. Default 10,000. */
  restMs?: number
}

export function openPlacesKeeper({
  database,
  layouts,
  mostBytes = 128 << 20,
  restMs = 10_000,
}: PlacesOptions & { database: Database; layouts: Layouts }): PlacesKeeper {
  const [groups, devices] = [layouts.get('groups'), layouts.get('devices')]
  const kept = new Map<number, Kept>()
  const resting = new Map<number, number>()
  /** Of the transaction under way, by application. */
  const pending = new Map<number, { version: number; changes: Change[] }>()
  let bytes = 0
  const tests: ((row: number) => boolean)[] = []
  database.define('inside', (test, row) => (tests[Number(test)]!(Number(row)) ? 1 : 0))

  function versionOf(app: number): number | undefined {
    const found = database.get('SELECT places FROM apps WHERE app = ?', [app])
    return found === undefined ? undefined : Number(found.places)
  }

  function drop(app: number) {
    bytes -= kept.get(app)?.bytes ?? 0
    kept.delete(app)
    resting.set(app, Date.now() + restMs)
  }

  function note(app: number, change: Change) {
    const known = pending.get(app)
    if (known !== undefined) {
      known.changes.push(change)
      return
    }
    if (pending.size === 0) database.whenEnded(settle)
    database.run('UPDATE apps SET places = places + 1 WHERE app = ?', [app])
    pending.set(app, { version: versionOf(app)!, changes: [change] })
  }

  function settle(committed: boolean) {
    // Empty from here on: what fails below must not keep later writes from being noted.
    const settled = [...pending]
    pending.clear()
    for (const [app, { version, changes }] of settled) {
      const one = kept.get(app)
      if (!committed || one === undefined) continue
      if (one.version !== version - 1) {
        drop(app)
        continue
      }
      for (const change of changes) change(one.places)
      one.version = version
      makeRoom(one)
    }
  }

  /** What is kept of the application, having read some more of it; undefined while that is not everything. */
  function complete(app: number): Kept | undefined {
    if (groups === undefined || devices === undefined || database.inTransaction()) return undefined
    const one = kept.get(app) ?? begin(app)
    if (one === undefined) return undefined
    // Last in the order: asked last.
    kept.delete(app)
    kept.set(app, one)
    if (one.cursor === undefined) return one
    one.cursor = readSome(app, one.places, one.cursor)
    if (!isCurrent(app, one)) return undefined
    makeRoom(one)
    return one.cursor === undefined && kept.has(app) ? one : undefined
  }

  function begin(app: number): Kept | undefined {
    if ((resting.get(app) ?? 0) > Date.now()) return undefined
    resting.delete(app)
    const version = versionOf(app)
    return version === undefined ? undefined : { places: openPlaces(), version, cursor: { groupId: '' }, bytes: 0 }
  }

  /**
   * Whether all that was read since `one` was there is of its version: the number only grows, so what had it then and has it now
   * had it in between.
   */
  function isCurrent(app: number, one: Kept): boolean {
    if (versionOf(app) === one.version) return true
    drop(app)
    return false
  }

  /** Those that were asked longest ago go. */
  function makeRoom(grown: Kept) {
    const now = grown.places.bytes() + emptyBytes
    bytes += now - grown.bytes
    grown.bytes = now
    for (const app of kept.keys()) {
      if (bytes <= mostBytes) return
      drop(app)
    }
  }

  /** Writes of this process come in between: what they changed is read once more, or is there already. */
  function readSome(app: number, places: Places, cursor: Cursor): Cursor | undefined {
    if (!('row' in cursor)) {
      const sql = `SELECT id, body FROM ${groups!.table} INDEXED BY ${sortIndex(groups!, 'id')}
        WHERE app = ? AND id > ? ORDER BY id LIMIT ${sliceOfGroups}`
      const page = database.all(sql, [app, cursor.groupId])
      for (const { id, body } of page) {
        places.setGroup(String(id), textsAt(JSON.parse(String(body)), 'ancestorIds'))
      }
      if (page.length === sliceOfGroups) return { groupId: String(page.at(-1)!.id) }
    }
    const { row, groupId } = 'row' in cursor ? cursor : { row: 0, groupId: '' }
    const sql = `SELECT row, value FROM lists WHERE app = ? AND field = ? AND (row, value) > (?, ?)
      ORDER BY row, value LIMIT ${sliceOfDevices}`
    const page = database.lists(sql, [app, numberOfField(devices!, 'lists', 'groupIds'), row, groupId])
    for (const [at, value] of page) places.addToDevice(Number(at), String(value))
    const last = page.at(-1)
    return page.length === sliceOfDevices ? { row: Number(last![0]), groupId: String(last![1]) } : undefined
  }

  return {
    wrote(app, layout, { id, row, before, after }) {
      if (layout !== groups && layout !== devices) return
      const field = layout === groups ? 'ancestorIds' : 'groupIds'
      const [old, now] = [textsAt(before, field), textsAt(after, field)]
      if (old.length === now.length && old.every((one, at) => one === now[at])) return
      note(app, (places) => (layout === groups ? places.setGroup(id, now) : places.setDevice(row, now)))
    },

    bytes: () => bytes,

    testing(app, groupIds) {
      const one = complete(app)
      return one && { version: one.version, isInside: one.places.within(groupIds) }
    },

    reading(app, work) {
      const one = complete(app)
      if (one === undefined) return work(undefined)
      const { places } = one
      const view: PlacesView = {
        within: (groupIds) => ({ sql: 'inside(?, t.row)', params: [tests.push(places.within(groupIds)) - 1] }),
        count: (groupIds) => places.count(groupIds),
      }
      try {
        const result = work(view)
        if (isCurrent(app, one)) return result
      } finally {
        tests.length = 0
      }
      return work(undefined)
    },
  }
}
