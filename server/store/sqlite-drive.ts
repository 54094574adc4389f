import { fold } from './fold.ts'
import type { CompareOp, Filter, Scalar } from './port.ts'
import type { Database, Sql } from './sqlite-database.ts'
import { compare, compileSide, type FilterContext, isOneOf, withinFields } from './sqlite-filter.ts'
import { checkField, type Layout, numberOfCells, numberOfField, sortColumn, sortIndex } from './sqlite-plan.ts'
import { encodeSorted } from './sqlite-scalar.ts'

/** A part of a filter that an index can answer: the statement gives the rows (`row`, perhaps several times) that may fit. */
export interface Driver {
  rows: Sql
  /** The rows fit the part for certain: it need not be checked again. */
  exact: boolean
}

const mostBranches = 100

/** The driver of one part of a filter (no `all`); undefined when no index knows it. The filter must have passed `checkFilter`. */
export function driverOf(filter: Filter, context: FilterContext): Driver | undefined {
  if ('any' in filter) return driverOfAny(filter.any, context)
  if ('field' in filter) return driverOfField(filter, context)
  if ('cell' in filter) return driverOfCell(filter, context)
  if ('list' in filter) return driverOfList(filter, context)
  if ('tag' in filter) return driverOfTag(filter, context)
  if ('within' in filter) return driverOfWithin(filter.within, context)
  return undefined
}

/** The number of rows, repeated ones included, counted to `most` + 1. */
export function countRows(database: Database, { rows }: Driver, most: number): number {
  const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM (${rows.sql}) LIMIT ?)`
  return Number(database.get(sql, [...rows.params, most + 1])?.n)
}

/** An index in whose order of ids all lie that may fit, within a range of it. */
export interface Part {
  index: string
  range: Sql
}

/** The documents that have a text which the filter asks for, else all of the application. */
export function partOf(filter: Filter, layout: Layout): Part {
  for (const part of conjuncts(filter)) {
    if (!('field' in part) || part.field === 'id' || part.op !== 'eq' || typeof part.value !== 'string') continue
    const field = checkField(layout, part.field)
    return {
      index: sortIndex(layout, field),
      range: { sql: `t.${sortColumn(field)} = ?`, params: [fold(part.value)] },
    }
  }
  return { index: sortIndex(layout, 'id'), range: { sql: '1', params: [] } }
}

/** Parts that must all fit. */
export function conjuncts(filter: Filter): Filter[] {
  return 'all' in filter ? filter.all.flatMap(conjuncts) : [filter]
}

function driverOfAny(filters: readonly Filter[], context: FilterContext): Driver | undefined {
  if (filters.length === 0 || filters.length > mostBranches) return undefined
  const drivers: Driver[] = []
  for (const filter of filters) {
    const parts = conjuncts(filter)
    const found = parts.map((part) => driverOf(part, context)).find((driver) => driver !== undefined)
    if (found === undefined) return undefined
    drivers.push(parts.length === 1 ? found : { ...found, exact: false })
  }
  return {
    rows: union(drivers.map((driver) => driver.rows)),
    exact: drivers.every((driver) => driver.exact),
  }
}

function union(parts: readonly Sql[]): Sql {
  return {
    sql: parts.map(({ sql }) => `SELECT * FROM (${sql})`).join(' UNION ALL '),
    params: parts.flatMap(({ params }) => params),
  }
}

function driverOfField(filter: Extract<Filter, { field: string }>, context: FilterContext): Driver | undefined {
  const { app, layout } = context
  const field = checkField(layout, filter.field)
  const column = sortColumn(field)
  const condition = sortedCondition(filter, column)
  if (condition === undefined) return undefined
  const { sql, params } = condition
  return {
    rows: {
      sql: `SELECT row FROM ${layout.table} INDEXED BY ${sortIndex(layout, field)} WHERE app = ? AND ${sql}`,
      params: [app, ...params],
    },
    // Texts that differ by case alone lie together.
    exact: false,
  }
}

function driverOfCell(filter: Extract<Filter, { cell: string }>, { app, layout }: FilterContext): Driver | undefined {
  const number = numberOfCells(layout, filter.cell, filter.key)
  const { value, ignoreCase } = filter
  // A document without the key has no row here.
  const range = value === null ? undefined : sortedRange(filter, 'sorted')
  if (range === undefined) return undefined
  return {
    rows: {
      sql: `SELECT row FROM cells INDEXED BY cells_sorted WHERE app = ? AND field = ${number} AND key = ? AND ${range.sql}`,
      params: [app, filter.key, ...range.params],
    },
    exact: typeof value !== 'string' || (ignoreCase === true && filter.op !== 'startsWith'),
  }
}

/** What the folded column must be when the condition holds; undefined when it can be anything. */
function sortedCondition(filter: Extract<Filter, { field: string }>, column: string): Sql | undefined {
  if (filter.op === 'in') {
    const texts = filter.value.filter((value) => typeof value === 'string')
    return texts.length === filter.value.length && texts.length > 0 ? isOneOf(column, texts.map(fold)) : undefined
  }
  return sortedRange(filter, column)
}

type ValueTest = { op: CompareOp; value: Scalar; ignoreCase?: boolean }

/** What a folded column must be when the test holds; undefined when it can be anything. */
export function sortedRange({ op, value, ignoreCase }: ValueTest, column: string): Sql | undefined {
  if (op === 'ne' || op === 'endsWith' || op === 'contains') return undefined
  if (op === 'startsWith') return typeof value === 'string' ? startOf(value, column) : undefined
  // The order of texts as they are written is not the order of folded ones.
  if (op !== 'eq' && typeof value === 'string' && ignoreCase !== true) return undefined
  return compare(column, op, encodeSorted(value))
}

/** The range of a start of plain ASCII, without its last letter: an accent that follows may fuse with that one. */
function startOf(value: string, column: string): Sql | undefined {
  if (value.length < 2 || !/^[ -~]+$/.test(value)) return undefined
  const start = fold(value.slice(0, -1))
  return { sql: `(${column} >= ? AND ${column} < ?)`, params: [start, `${start}\u{10ffff}`] }
}

function driverOfList(filter: Extract<Filter, { list: string }>, { app, layout }: FilterContext): Driver | undefined {
  const number = numberOfField(layout, 'lists', filter.list)
  if (!('has' in filter) && (filter.op !== 'eq' || filter.ignoreCase)) return undefined
  const { sql, params } = isOneOf('value', 'has' in filter ? filter.has : [filter.value])
  return {
    rows: {
      sql: `SELECT row FROM lists INDEXED BY lists_value WHERE app = ? AND field = ${number} AND ${sql}`,
      params: [app, ...params],
    },
    exact: true,
  }
}

function driverOfTag(filter: Extract<Filter, { tag: string }>, { app, layout }: FilterContext): Driver | undefined {
  const number = numberOfField(layout, 'tags', filter.tag)
  if (filter.key === undefined || 'notIn' in filter.key) return undefined
  const key = compileSide('key', filter.key)
  const value = compileSide('value', filter.value)
  return {
    rows: {
      sql: `SELECT row FROM tags INDEXED BY tags_key WHERE app = ? AND field = ${number} AND ${key.sql} AND ${value.sql}`,
      params: [app, ...key.params, ...value.params],
    },
    exact: true,
  }
}

/** Downwards: the groups given and all below them, then their devices. The order is pinned, the planner would turn it round. */
function driverOfWithin(groupIds: readonly string[], context: FilterContext): Driver {
  const { app, groups } = context
  const [device, above] = withinFields(context)
  const given = JSON.stringify(groupIds)
  const below = `json_each(?) v CROSS JOIN lists a INDEXED BY lists_value
      ON a.app = ? AND a.field = ${above} AND a.value = v.value`
  return {
    rows: {
      sql: `SELECT l.row AS row FROM (
        SELECT value AS id FROM json_each(?) UNION ALL
        SELECT g.id AS id FROM ${below} CROSS JOIN ${groups?.table} g ON g.app = ? AND g.row = a.row) w
        CROSS JOIN lists l INDEXED BY lists_value ON l.app = ? AND l.field = ${device} AND l.value = w.id`,
      params: [given, given, app, app, app],
    },
    exact: true,
  }
}
