import { checkFilter } from './filter.ts'
import type { Filter } from './port.ts'
import type { Database, Row, Sql } from './sqlite-database.ts'
import { conjuncts, countRows, type Driver, driverOf } from './sqlite-drive.ts'
import { compileFilter, type FilterContext } from './sqlite-filter.ts'
import { type Layout, sortColumn, sortIndex } from './sqlite-plan.ts'

/** A page in the order of a field. */
export interface PageQuery {
  filter: Filter
  field: string
  descending: boolean
  skip: number
  limit: number
}

/** Reads documents (`id`, `body`) by filter. */
export interface Finder {
  page(app: number, query: PageQuery): Row[]
  count(app: number, filter: Filter): Promise<number>
  matches(app: number, id: string, filter: Filter): boolean
  /** Pages of at most 500 in the order of ids, in short steps. */
  each(app: number, filter: Filter): AsyncGenerator<Row[]>
}

/**
 * Rows up to which a set is gathered, then sorted; larger ones are met soon enough on a walk along the index of the order.
 * A million devices: gathering costs 2 us a row, a step of the walk 1 us, a page of 100 takes a million steps / rows * 100.
 */
const gathered = 3000
/** The same when other conditions may throw most of the set away again, and for counting. */
const gatheredAndChecked = 20_000
/** A statement reads at most so many documents in a row, where it can be cut. */
const slice = 20_000

export function openFinder(database: Database, layout: Layout, groups: Layout | undefined): Finder {
  const { table } = layout
  const idIndex = sortIndex(layout, 'id')

  function compiled(filter: Filter, app: number): Sql {
    checkFilter(filter)
    return compileFilter(filter, { app, layout, groups })
  }

  /** The smallest set that an index gives, unless each is too large; and what must be checked besides. */
  function gather(filter: Filter, context: FilterContext, wanted: number): { rows: Sql; rest: Sql } | undefined {
    const parts = conjuncts(filter)
    let most = parts.length === 1 ? Math.min(Math.max(gathered, wanted), gatheredAndChecked) : gatheredAndChecked
    let best: { driver: Driver; part: Filter } | undefined
    for (const part of parts) {
      const driver = driverOf(part, context)
      if (driver === undefined) continue
      const size = countRows(database, driver, most)
      if (size > most) continue
      best = { driver, part }
      most = size
      if (size <= 100) break
    }
    if (best === undefined) return undefined
    const { driver, part } = best
    const rest = driver.exact ? parts.filter((other) => other !== part) : parts
    return { rows: driver.rows, rest: compileFilter({ all: rest }, context) }
  }

  return {
    page(app, { filter, field, descending, skip, limit }) {
      const context = { app, layout, groups }
      const condition = compiled(filter, app)
      const column = sortColumn(field)
      const way = descending ? 'DESC' : 'ASC'
      const set = gather(filter, context, skip + limit)
      if (set === undefined) {
        const sql = `SELECT t.id, t.body FROM ${table} t INDEXED BY ${sortIndex(layout, field)}
          WHERE t.app = ? AND ${condition.sql} ORDER BY t.${column} ${way}, t.id ${way} LIMIT ? OFFSET ?`
        return database.all(sql, [app, ...condition.params, limit, skip])
      }
      // Sorted without the bodies, which are read for the page alone.
      const sql = `SELECT b.id, b.body FROM (
          SELECT t.row AS row, t.${column} AS sorted, t.id AS id
          FROM (SELECT DISTINCT row FROM (${set.rows.sql})) d CROSS JOIN ${table} t ON t.row = d.row
          WHERE t.app = ? AND ${set.rest.sql} ORDER BY sorted ${way}, t.id ${way} LIMIT ? OFFSET ?) p
        CROSS JOIN ${table} b ON b.row = p.row ORDER BY p.sorted ${way}, p.id ${way}`
      return database.all(sql, [...set.rows.params, app, ...set.rest.params, limit, skip])
    },

    async count(app, filter) {
      const condition = compiled(filter, app)
      const set = gather(filter, { app, layout, groups }, gatheredAndChecked)
      if (set !== undefined) {
        const sql = `SELECT count(*) AS n FROM (SELECT DISTINCT row FROM (${set.rows.sql})) d
          CROSS JOIN ${table} t ON t.row = d.row WHERE t.app = ? AND ${set.rest.sql}`
        return Number(database.get(sql, [...set.rows.params, app, ...set.rest.params])?.n)
      }
      let total = 0
      for (const { after, end } of slices(app)) {
        const range = rangeOf(app, after, end)
        const sql = `SELECT count(*) AS n FROM ${table} t INDEXED BY ${idIndex} WHERE ${range.sql} AND ${condition.sql}`
        total += Number(database.get(sql, [...range.params, ...condition.params])?.n)
        if (end !== undefined) await pause()
      }
      return total
    },

    matches(app, id, filter) {
      const condition = compiled(filter, app)
      const sql = `SELECT 1 FROM ${table} t INDEXED BY ${idIndex} WHERE t.app = ? AND t.id = ? AND ${condition.sql}`
      return database.get(sql, [app, id, ...condition.params]) !== undefined
    },

    async *each(app, filter) {
      const condition = compiled(filter, app)
      for (const { after, end } of slices(app)) {
        let last = after
        for (;;) {
          const range = rangeOf(app, last, end)
          const sql = `SELECT t.id, t.body FROM ${table} t INDEXED BY ${idIndex}
            WHERE ${range.sql} AND ${condition.sql} ORDER BY t.id LIMIT 500`
          const page = database.all(sql, [...range.params, ...condition.params])
          if (page.length > 0) yield page
          if (page.length < 500) break
          last = String(page.at(-1)?.id)
        }
        if (end !== undefined) await pause()
      }
    },
  }

  /** The documents of an application in ranges of ids, each found when it is asked for. */
  function* slices(app: number): Generator<{ after: string; end: string | undefined }> {
    const sql = `SELECT id FROM ${table} WHERE app = ? AND id > ? ORDER BY id LIMIT 1 OFFSET ${slice - 1}`
    let after = ''
    for (;;) {
      const found = database.get(sql, [app, after])?.id
      const end = found === undefined ? undefined : String(found)
      yield { after, end }
      if (end === undefined) return
      after = end
    }
  }
}

function rangeOf(app: number, after: string, end: string | undefined): Sql {
  if (end === undefined) return { sql: 't.app = ? AND t.id > ?', params: [app, after] }
  return { sql: 't.app = ? AND t.id > ? AND t.id <= ?', params: [app, after, end] }
}

/** Lets others have their turn. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
