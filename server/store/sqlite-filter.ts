import { fold } from './fold.ts'
import { type CompareOp, type Filter, type Scalar, StoreError, type TagSide } from './port.ts'
import type { Sql, SqlValue } from './sqlite-database.ts'
import type { PlacesView } from './sqlite-places.ts'
import { checkField, exactColumn, type Layout, numberOfCells, numberOfField, sortColumn } from './sqlite-plan.ts'
import { encodeScalar, encodeSorted } from './sqlite-scalar.ts'

/** What a filter is compiled for. `groups` is the layout that `within` walks, besides the devices' own. */
export interface FilterContext {
  app: number
  layout: Layout
  groups: Layout | undefined
  /** What is in memory of where devices are; undefined: nothing. */
  places: PlacesView | undefined
}

const nothing: Sql = { sql: '0', params: [] }
const everything: Sql = { sql: '1', params: [] }

/**
 * A condition on the row `t` of the collection's table; null counts as false. Values are always bound, so that the text of the
 * SQL depends on the shape of the filter alone. The filter must have passed `checkFilter`.
 */
export function compileFilter(filter: Filter, context: FilterContext): Sql {
  if ('all' in filter) return combine(filter.all, 'AND', everything, context)
  if ('any' in filter) return combine(filter.any, 'OR', nothing, context)
  if ('not' in filter) {
    const { sql, params } = compileFilter(filter.not, context)
    return { sql: `(${sql}) IS NOT TRUE`, params }
  }
  if ('field' in filter) return compileField(filter, context.layout)
  if ('cell' in filter) return compileCell(filter, context)
  if ('list' in filter) return compileList(filter, context)
  if ('tag' in filter) return compileTag(filter, context)
  return compileWithin(filter.within, context)
}

/** Joined as a balanced tree: a chain of a thousand would be too deep for the parser. */
function combine(filters: readonly Filter[], word: 'AND' | 'OR', empty: Sql, context: FilterContext): Sql {
  const first = filters[0]
  if (first === undefined) return empty
  if (filters.length === 1) return compileFilter(first, context)
  const middle = filters.length >> 1
  const left = combine(filters.slice(0, middle), word, empty, context)
  const right = combine(filters.slice(middle), word, empty, context)
  return { sql: `(${left.sql} ${word} ${right.sql})`, params: [...left.params, ...right.params] }
}

function compileField(filter: Extract<Filter, { field: string }>, layout: Layout): Sql {
  const field = checkField(layout, filter.field)
  const sorted = `t.${sortColumn(field)}`
  const exact = field === 'id' ? sorted : `coalesce(t.${exactColumn(field)}, ${sorted})`
  if (filter.op === 'in') return compileIn(filter.value, { sorted, exact })
  return compileValue(filter, { sorted, exact })
}

type ValueTest = { op: CompareOp; value: Scalar; ignoreCase?: boolean }

function compileValue({ op, value, ignoreCase }: ValueTest, { sorted, exact }: { sorted: string; exact: string }): Sql {
  if (op === 'eq' && typeof value === 'string' && !ignoreCase && exact !== sorted) {
    // The folded text first: that is what the index knows.
    return { sql: `(${sorted} = ? AND ${exact} = ?)`, params: [fold(value), value] }
  }
  const folds = ignoreCase === true || typeof value !== 'string'
  return compare(folds ? sorted : exact, op, folds ? encodeSorted(value) : encodeScalar(value))
}

/** The condition on a row `l` of the cells, whose key is known to be the one of the filter. Not for null and `ne`. */
export function compileCellValue(filter: ValueTest): Sql {
  return compileValue(filter, { sorted: 'l.sorted', exact: 'coalesce(l.exact, l.sorted)' })
}

function compileCell(filter: Extract<Filter, { cell: string }>, { app, layout }: FilterContext): Sql {
  const number = numberOfCells(layout, filter.cell, filter.key)
  const { op, value } = filter
  if (value === null && op !== 'eq' && op !== 'ne') return nothing
  // Absent is the same as null: the two questions that it answers with yes are asked the other way round.
  const { sql, params } =
    value === null
      ? { sql: 'l.sorted IS NOT NULL', params: [] }
      : compileCellValue({ ...filter, op: op === 'ne' ? 'eq' : op })
  const not = (op === 'eq') === (value === null) && (op === 'eq' || op === 'ne')
  return {
    sql: `${not ? 'NOT ' : ''}EXISTS (SELECT 1 FROM cells l WHERE l.app = ? AND l.field = ${number} AND l.row = t.row AND l.key = ? AND ${sql})`,
    params: [app, filter.key, ...params],
  }
}

/**
 * Compares a column with a value of its own type: numbers come before texts, texts before booleans (blobs) in SQLite, so the
 * open end of an order is closed by the first value of the next type.
 */
export function compare(column: string, op: CompareOp, value: SqlValue): Sql {
  if (value === null) {
    if (op === 'eq') return { sql: `${column} IS NULL`, params: [] }
    if (op === 'ne') return { sql: `${column} IS NOT NULL`, params: [] }
    return nothing
  }
  switch (op) {
    case 'eq':
      return { sql: `${column} = ?`, params: [value] }
    case 'ne':
      return { sql: `${column} IS NOT ?`, params: [value] }
    case 'gt':
    case 'gte': {
      const end =
        typeof value === 'number' ? ` AND ${column} < ''` : typeof value === 'string' ? ` AND ${column} < x''` : ''
      return { sql: `(${column} ${op === 'gt' ? '>' : '>='} ?${end})`, params: [value] }
    }
    case 'lt':
    case 'lte': {
      const start =
        typeof value === 'number' ? '' : typeof value === 'string' ? ` AND ${column} >= ''` : ` AND ${column} >= x''`
      return { sql: `(${column} ${op === 'lt' ? '<' : '<='} ?${start})`, params: [value] }
    }
  }
  // Parts of texts are compared as bytes: no character of the value means anything, and a NUL ends nothing.
  if (typeof value !== 'string') return nothing
  const bytes = Buffer.byteLength(value)
  const isText = `typeof(${column}) = 'text'`
  if (bytes === 0) return { sql: isText, params: [] }
  if (op === 'contains') return { sql: `(${isText} AND instr(${column}, ?) > 0)`, params: [value] }
  const part = op === 'startsWith' ? 'substr(CAST(# AS BLOB), 1, ?)' : 'substr(CAST(# AS BLOB), -?)'
  return {
    sql: `(${isText} AND ${part.replace('#', column)} = CAST(? AS BLOB))`,
    params: [bytes, value],
  }
}

function compileIn(values: readonly Scalar[], columns: { sorted: string; exact: string }): Sql {
  const texts = values.filter((value) => typeof value === 'string')
  const numbers = values.filter((value) => typeof value === 'number').filter(Number.isFinite)
  const parts: Sql[] = []
  if (texts.length > 0) parts.push(isOneOf(columns.exact, texts))
  if (numbers.length > 0) parts.push(isOneOf(columns.sorted, numbers))
  for (const value of [true, false]) {
    if (values.includes(value)) parts.push(compare(columns.sorted, 'eq', encodeScalar(value)))
  }
  if (values.includes(null)) parts.push({ sql: `${columns.sorted} IS NULL`, params: [] })
  if (parts.length === 0) return nothing
  return { sql: `(${parts.map((part) => part.sql).join(' OR ')})`, params: parts.flatMap((part) => part.params) }
}

/**
 * However many values there are, the shapes are few: up to eight are question marks (1, 2, 4 or 8, the last value repeated),
 * more are one JSON array.
 */
export function isOneOf(column: string, texts: readonly string[] | readonly number[]): Sql {
  const last = texts.at(-1)
  if (last === undefined) return nothing
  if (texts.length === 1) return { sql: `${column} = ?`, params: [last] }
  if (texts.length > 8) {
    return { sql: `${column} IN (SELECT value FROM json_each(?))`, params: [JSON.stringify(texts)] }
  }
  const size = texts.length <= 2 ? 2 : texts.length <= 4 ? 4 : 8
  const params = [...texts, ...Array<string | number>(size - texts.length).fill(last)]
  return { sql: `${column} IN (${params.map(() => '?').join(', ')})`, params }
}

function compileList(filter: Extract<Filter, { list: string }>, { app, layout }: FilterContext): Sql {
  const number = numberOfField(layout, 'lists', filter.list)
  const rows = `SELECT 1 FROM lists l WHERE l.app = ? AND l.field = ${number} AND l.row = t.row`
  if ('has' in filter) {
    if (filter.has.length === 0) return nothing
    const { sql, params } = isOneOf('l.value', filter.has)
    return { sql: `EXISTS (${rows} AND ${sql})`, params: [app, ...params] }
  }
  const column = filter.ignoreCase ? 'fold(l.value)' : 'l.value'
  const value = filter.ignoreCase ? encodeSorted(filter.value) : filter.value
  // Not equal: no item is. The others: some item is.
  const { sql, params } = compare(column, filter.op === 'ne' ? 'eq' : filter.op, value)
  return { sql: `${filter.op === 'ne' ? 'NOT ' : ''}EXISTS (${rows} AND ${sql})`, params: [app, ...params] }
}

function compileTag(filter: Extract<Filter, { tag: string }>, { app, layout }: FilterContext): Sql {
  const number = numberOfField(layout, 'tags', filter.tag)
  const key = compileSide('l.key', filter.key)
  const value = compileSide('l.value', filter.value)
  return {
    sql: `EXISTS (SELECT 1 FROM tags l WHERE l.app = ? AND l.field = ${number} AND l.row = t.row AND ${key.sql} AND ${value.sql})`,
    params: [app, ...key.params, ...value.params],
  }
}

export function compileSide(column: string, side: TagSide | undefined): Sql {
  if (side === undefined) return everything
  if ('in' in side) return isOneOf(column, side.in)
  const { sql, params } = isOneOf(column, side.notIn)
  return { sql: `NOT (${sql})`, params }
}

/** Upwards from the device: one of its groups is among those given, or has one of them above it. */
function compileWithin(groupIds: readonly string[], context: FilterContext): Sql {
  if (groupIds.length === 0) return nothing
  const { app, groups, places } = context
  const [device, above] = withinFields(context)
  if (places !== undefined) return places.within(groupIds)
  const given = isAmong('l.value', groupIds)
  const ancestor = isAmong('a.value', groupIds)
  return {
    sql: `EXISTS (SELECT 1 FROM lists l WHERE l.app = ? AND l.field = ${device} AND l.row = t.row AND (${given.sql} OR EXISTS (
      SELECT 1 FROM ${groups?.table} g CROSS JOIN lists a WHERE g.app = ? AND g.id = l.value
      AND a.app = ? AND a.field = ${above} AND a.row = g.row AND ${ancestor.sql})))`,
    params: [app, ...given.params, app, app, ...ancestor.params],
  }
}

/**
 * As `isOneOf`, for a few rows that are found already: the plus keeps the planner from a search per value, and comparing one by
 * one costs less than the table that IN makes of its values.
 */
function isAmong(column: string, texts: readonly string[]): Sql {
  if (texts.length > 8) return isOneOf(`+${column}`, texts)
  const { sql, params } = isOneOf(column, texts)
  if (params.length < 2) return { sql, params }
  return { sql: `(${params.map(() => `+${column} = ?`).join(' OR ')})`, params }
}

/** Numbers of the two list fields of `within`. Throws StoreError `field` for a collection other than devices. */
export function withinFields({ layout, groups }: FilterContext): [groupIds: number, ancestorIds: number] {
  if (layout.collection !== 'devices' || groups === undefined) {
    throw new StoreError('field', `Expected "within" on devices, got it on ${layout.collection}.`)
  }
  return [numberOfField(layout, 'lists', 'groupIds'), numberOfField(groups, 'lists', 'ancestorIds')]
}
