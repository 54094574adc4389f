import type { Filter } from './port.ts'
import { openCellPages } from './sqlite-cells.ts'
import type { Database, Row, Sql, SqlValue } from './sqlite-database.ts'
import { type Driver, driverOf, type Part, partOf } from './sqlite-drive.ts'
import { compileFilter, type FilterContext } from './sqlite-filter.ts'
import type { SmallSet } from './sqlite-find.ts'
import { type Layout, sortColumn, sortIndex } from './sqlite-plan.ts'

/** A page in the order of a field, or of the cells with a key. */
export type PageQuery = ({ field: string } | { cell: string }) & {
  filter: Filter
  descending: boolean
  skip: number
  limit: number
}

/** How far a walk along the order has come. */
export interface Walk {
  /** Documents without a value in the field come first, descending last; sorted by id there is only one part. */
  absent: boolean
  after: Place | undefined
  /** What is still to be skipped. */
  skip: number
  found: readonly Row[]
  walked: number
}

interface Place {
  sorted: SqlValue
  id: string
}

/**
 * Two ways to a page. With a million devices a step along the index of the order costs 0.06 us, to check a row for `within` 0.2 us
 * where places are in memory and 3 us where not, to gather and sort a row 1.2 us. So the smallest set that an index gives is
 * gathered and sorted while it has few rows; rows of larger ones are met soon enough on a walk that checks each. Not where they
 * lie at the end of the order, as all devices of a site may: what is not too large is gathered after all when a walk
 * has been long.
 */
export const mostGathered = 2_000
const mostGatheredLate = 30_000
const longWalk = 10_000
/** A set that is read at once, without counting it first. */
const mostFew = 200
/** Documents that are looked at in one step: few at first, since most walks end there. */
const firstStep = 1_000
const step = 5_000

/** Pages of one collection, in steps between which others have their turn. */
export function openPages(options: {
  database: Database
  layout: Layout
  smallest(filter: Filter, context: FilterContext, most: number): SmallSet | undefined
  indexOfOne(filter: Filter): string | undefined
}) {
  const { database, layout, smallest, indexOfOne } = options
  const { table } = layout
  const cellPages = openCellPages({ database, layout, smallest, mostGathered })
  const all = ({ sql, params }: Sql): { rows: Row[] } => ({ rows: database.all(sql, params) })

  /** The rows that fit, when an index alone gives them and they are few: one step instead of a count before the read. */
  function fewRows(filter: Filter, context: FilterContext): Sql | undefined {
    const driver: Driver | undefined = 'within' in filter ? driverOf(filter, context) : undefined
    if (driver === undefined) return undefined
    const sql = `SELECT DISTINCT row FROM (${driver.rows.sql}) LIMIT ?`
    const found = database.lists(sql, [...driver.rows.params, mostFew + 1])
    if (found.length > mostFew) return undefined
    return { sql: 'SELECT value AS row FROM json_each(?)', params: [JSON.stringify(found.map(([row]) => row))] }
  }

  /** Sorted without the bodies, which are read for the page alone. */
  function gathered(query: Ordered, app: number, { rows, rest }: { rows: Sql; rest: Sql }): Sql {
    const { column, way, skip, limit } = query
    return {
      sql: `SELECT b.id, b.body FROM (
          SELECT t.row AS row, t.${column} AS sorted, t.id AS id
          FROM (SELECT DISTINCT row FROM (${rows.sql})) d CROSS JOIN ${table} t ON t.row = d.row
          WHERE t.app = ? AND ${rest.sql} ORDER BY sorted ${way}, t.id ${way} LIMIT ? OFFSET ?) p
        CROSS JOIN ${table} b ON b.row = p.row ORDER BY p.sorted ${way}, p.id ${way}`,
      params: [...rows.params, app, ...rest.params, limit, skip],
    }
  }

  function walkOn(query: Ordered, { app }: FilterContext, { condition, walk }: { condition: Sql; walk: Walk }) {
    const { column, way, part, limit, byId } = query
    const from = `FROM ${table} t INDEXED BY ${part.index} WHERE t.app = ? AND ${part.range.sql}`
    const order = `ORDER BY t.${column} ${way}, t.id ${way}`
    const start = placed(query, walk, way === 'ASC' ? '>' : '<')
    const rest: Sql = { sql: `${from} AND ${start.sql}`, params: [app, ...part.range.params, ...start.params] }
    const amount = walk.walked === 0 ? firstStep : step
    const endSql = `SELECT t.${column} AS sorted, t.id AS id ${rest.sql} ${order} LIMIT 1 OFFSET ${amount - 1}`
    const end = database.get(endSql, rest.params) as Place | undefined
    const upTo = end && placed(query, { ...walk, after: end }, way === 'ASC' ? '<=' : '>=')
    const sql = `${rest.sql}${upTo ? ` AND ${upTo.sql}` : ''} AND ${condition.sql}`
    const params = [...rest.params, ...(upTo?.params ?? []), ...condition.params]
    const fits = walk.skip === 0 ? 0 : Number(database.get(`SELECT count(*) AS n ${sql}`, params)?.n)
    const wanted = limit - walk.found.length
    const isPassed = walk.skip > 0 && fits <= walk.skip
    const rows = isPassed
      ? []
      : database.all(`SELECT t.id, t.body ${sql} ${order} LIMIT ? OFFSET ?`, [...params, wanted, walk.skip])
    // One that was moved on while others had their turn came before.
    const known = new Set(walk.found.map(({ id }) => id))
    const found = [...walk.found, ...rows.filter(({ id }) => !known.has(id))]
    const last = byId || walk.absent === (way === 'DESC')
    if (found.length === limit || (end === undefined && last)) return { rows: found }
    const skip = isPassed ? walk.skip - fits : 0
    const next = { found, skip, walked: walk.walked + amount }
    return {
      walk: end ? { ...next, absent: walk.absent, after: end } : { ...next, absent: !walk.absent, after: undefined },
    }
  }

  return {
    /** The page, or how far the way to it has come. It can be gone again from the same place. */
    step(query: PageQuery, context: FilterContext, walk?: Walk): { rows: Row[] } | { walk: Walk } {
      const { app } = context
      const { filter, descending, skip, limit } = query
      const condition = compileFilter(filter, context)
      const one = indexOfOne(filter)
      if (one !== undefined) {
        const sql = `SELECT t.id, t.body FROM ${table} t INDEXED BY ${one} WHERE t.app = ? AND ${condition.sql} LIMIT ? OFFSET ?`
        return all({ sql, params: [app, ...condition.params, limit, skip] })
      }
      if (limit === 0) return { rows: [] }
      if ('cell' in query) return all(cellPages.page({ ...query, key: query.cell }, context))
      const byId = query.field === 'id'
      const part = byId ? partOf(filter, layout) : { index: sortIndex(layout, query.field), range: everything }
      const ordered: Ordered = {
        column: sortColumn(query.field),
        way: descending ? 'DESC' : 'ASC',
        part,
        byId,
        skip,
        limit,
      }
      if (walk === undefined) {
        const few = fewRows(filter, context)
        if (few !== undefined) return all(gathered(ordered, app, { rows: few, rest: everything }))
        const set = smallest(filter, context, mostGathered)
        if (set !== undefined) return all(gathered(ordered, app, set))
      } else if (walk.walked > longWalk && walk.walked <= longWalk + step) {
        const set = smallest(filter, context, mostGatheredLate)
        if (set !== undefined) return all(gathered(ordered, app, set))
      }
      if (condition.sql === everything.sql) {
        const { column, way } = ordered
        const sql = `SELECT t.id, t.body FROM ${table} t INDEXED BY ${part.index} WHERE t.app = ? AND ${part.range.sql}
          ORDER BY t.${column} ${way}, t.id ${way} LIMIT ? OFFSET ?`
        return all({ sql, params: [app, ...part.range.params, limit, skip] })
      }
      const start: Walk = { absent: !byId && !descending, after: undefined, skip, found: [], walked: 0 }
      return walkOn(ordered, context, { condition, walk: walk ?? start })
    },
  }
}

interface Ordered {
  column: string
  way: 'ASC' | 'DESC'
  part: Part
  byId: boolean
  skip: number
  limit: number
}

const everything: Sql = { sql: '1', params: [] }

/** The part of the order that the walk is in, on one side of the place it has come to. */
function placed({ column, byId }: Ordered, { absent, after }: Walk, is: '>' | '<' | '>=' | '<='): Sql {
  if (byId) return after ? { sql: `t.id ${is} ?`, params: [after.id] } : everything
  if (absent) {
    const ids: Sql = after ? { sql: ` AND t.id ${is} ?`, params: [after.id] } : { sql: '', params: [] }
    return { sql: `t.${column} IS NULL${ids.sql}`, params: ids.params }
  }
  if (!after) return { sql: `t.${column} IS NOT NULL`, params: [] }
  return { sql: `(t.${column}, t.id) ${is} (?, ?)`, params: [after.sorted, after.id] }
}
