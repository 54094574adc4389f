import { setImmediate as pause } from 'node:timers/promises'
import { checkFilter } from './filter.ts'
import type { Filter } from './port.ts'
import type { Database, Row, Sql } from './sqlite-database.ts'
import { conjuncts, countRows, type Driver, driverOf, type Part, partOf } from './sqlite-drive.ts'
import { compileFilter, type FilterContext } from './sqlite-filter.ts'
import { openPages, type PageQuery, type Walk } from './sqlite-page.ts'
import type { PlacesKeeper } from './sqlite-places.ts'
import { type Layout, quoted, sortIndex, uniqueIndex } from './sqlite-plan.ts'

/** Reads documents (`id`, `body`) by filter. */
export interface Finder {
  /** In short steps, too, where many must be looked at. */
  page(app: number, query: PageQuery): Promise<Row[]>
  count(app: number, filter: Filter): Promise<number>
  matches(app: number, id: string, filter: Filter): boolean
  /** Pages of at most 500 in the order of ids, in short steps. */
  each(app: number, filter: Filter): AsyncGenerator<Row[]>
}

/** A set that is gathered to count what fits besides. */
const mostLookedUp = 30_000
/** A set that is counted whole, at 0.3 us a row, rather than slice by slice. */
const mostCounted = 100_000
/** A statement reads at most so many documents in a row, where it can be cut. */
const slice = 5000

export interface SmallSet {
  size: number
  rows: Sql
  /** What must be checked besides. */
  rest: Sql
  /** Nothing need be checked besides. */
  whole: boolean
}

/** The finder of one collection; `groups` is where `within` walks. */
export function openFinder({
  database,
  layout,
  groups,
  places,
}: {
  database: Database
  layout: Layout
  groups: Layout | undefined
  places: PlacesKeeper
}): Finder {
  const { table } = layout
  const idIndex = sortIndex(layout, 'id')
  const pages = openPages({ database, layout, smallest, indexOfOne })

  /** Gives what `work` gives, which reads all that it reads at once. It may be done twice. */
  function reading<T>({ app, filter }: { app: number; filter: Filter }, work: (context: FilterContext) => T): T {
    checkFilter(filter)
    const context = { app, layout, groups, places: undefined }
    if (!asksWithin(filter)) return work(context)
    return places.reading(app, (view) => work({ ...context, places: view }))
  }

  /** The index by which the filter finds one document at most; undefined when it may find more. */
  function indexOfOne(filter: Filter): string | undefined {
    const fields = new Set<string>()
    for (const part of conjuncts(filter)) {
      if ('field' in part && part.op === 'eq' && part.value !== null && !part.ignoreCase) fields.add(part.field)
    }
    if (fields.has('id')) return idIndex
    const position = layout.unique.findIndex((unique) => unique.every((field) => fields.has(field)))
    return position < 0 ? undefined : quoted(uniqueIndex(layout, position))
  }

  /** The smallest set that an index gives for a part of the filter; undefined when each has more than `most` rows. */
  function smallest(filter: Filter, context: FilterContext, most: number): SmallSet | undefined {
    const parts = conjuncts(filter)
    let best: { driver: Driver; part: Filter; size: number } | undefined
    for (const part of parts) {
      const driver = driverOf(part, context)
      if (driver === undefined) continue
      const limit = best?.size ?? ('within' in part ? Math.min(most, mostLookedUp) : most)
      const size = countRows(database, driver, limit)
      if (size <= limit) best = { driver, part, size }
      if (size <= 100) break
    }
    if (best === undefined) return undefined
    const { driver, part, size } = best
    const rest = driver.exact ? parts.filter((other) => other !== part) : parts
    return { size, rows: driver.rows, rest: compileFilter({ all: rest }, context), whole: rest.length === 0 }
  }

  /** The count, or what one slice adds to it and the slice that follows. */
  function countOf(
    filter: Filter,
    context: FilterContext,
    slice?: Slice,
  ): { whole: number } | { part: number; next?: Slice } {
    const { app } = context
    if ('within' in filter && context.places) return { whole: context.places.count(filter.within) }
    const set = slice === undefined ? smallest(filter, context, mostCounted) : undefined
    if (set?.whole) {
      const { sql, params } = set.rows
      return { whole: Number(database.get(`SELECT count(*) AS n FROM (SELECT DISTINCT row FROM (${sql}))`, params)?.n) }
    }
    if (set !== undefined && set.size <= mostLookedUp) {
      const sql = `SELECT count(*) AS n FROM (SELECT DISTINCT row FROM (${set.rows.sql})) d
        CROSS JOIN ${table} t ON t.row = d.row WHERE t.app = ? AND ${set.rest.sql}`
      return { whole: Number(database.get(sql, [...set.rows.params, app, ...set.rest.params])?.n) }
    }
    const part = partOf(filter, layout)
    const { after, end } = slice ?? sliceAfter(app, part, '')
    const range = rangeOf(app, part, { after, end })
    const condition = compileFilter(filter, context)
    const sql = `SELECT count(*) AS n FROM ${table} t INDEXED BY ${part.index} WHERE ${range.sql} AND ${condition.sql}`
    const counted = Number(database.get(sql, [...range.params, ...condition.params])?.n)
    return { part: counted, ...(end === undefined ? {} : { next: sliceAfter(app, part, end) }) }
  }

  return {
    async page(app, query) {
      let walk: Walk | undefined
      for (;;) {
        const step = reading({ app, filter: query.filter }, (context) => pages.step(query, context, walk))
        if ('rows' in step) return step.rows
        walk = step.walk
        await pause()
      }
    },

    async count(app, filter) {
      let total = 0
      let slice: Slice | undefined
      do {
        const counted = reading({ app, filter }, (context) => countOf(filter, context, slice))
        if ('whole' in counted) return counted.whole
        total += counted.part
        slice = counted.next
        if (slice !== undefined) await pause()
      } while (slice !== undefined)
      return total
    },

    matches(app, id, filter) {
      checkFilter(filter)
      const test =
        'within' in filter && layout.collection === 'devices' ? places.testing(app, filter.within) : undefined
      if (test !== undefined) {
        const sql = `SELECT t.row, (SELECT places FROM apps a WHERE a.app = t.app) AS places
          FROM ${table} t INDEXED BY ${idIndex} WHERE t.app = ? AND t.id = ?`
        const found = database.get(sql, [app, id])
        if (found === undefined) return false
        if (found.places === test.version) return test.isInside(Number(found.row))
      }
      return reading({ app, filter }, (context) => {
        const condition = compileFilter(filter, context)
        const sql = `SELECT 1 FROM ${table} t INDEXED BY ${idIndex} WHERE t.app = ? AND t.id = ? AND ${condition.sql}`
        return database.get(sql, [app, id, ...condition.params]) !== undefined
      })
    },

    async *each(app, filter) {
      const part = partOf(filter, layout)
      for (const { after, end } of slices(app, part)) {
        let last = after
        for (;;) {
          const page = reading({ app, filter }, (context) => {
            const condition = compileFilter(filter, context)
            const range = rangeOf(app, part, { after: last, end })
            const sql = `SELECT t.id, t.body FROM ${table} t INDEXED BY ${part.index}
              WHERE ${range.sql} AND ${condition.sql} ORDER BY t.id LIMIT 500`
            return database.all(sql, [...range.params, ...condition.params])
          })
          if (page.length > 0) yield page
          if (page.length < 500) break
          last = String(page.at(-1)?.id)
        }
        if (end !== undefined) await pause()
      }
    },
  }

  /** The documents of a part in ranges of ids, each found when it is asked for. */
  function* slices(app: number, part: Part): Generator<Slice> {
    let after = ''
    for (;;) {
      const slice = sliceAfter(app, part, after)
      yield slice
      if (slice.end === undefined) return
      after = slice.end
    }
  }

  function sliceAfter(app: number, { index, range }: Part, after: string): Slice {
    const sql = `SELECT t.id FROM ${table} t INDEXED BY ${index} WHERE t.app = ? AND ${range.sql} AND t.id > ?
      ORDER BY t.id LIMIT 1 OFFSET ${slice - 1}`
    const found = database.get(sql, [app, ...range.params, after])?.id
    return { after, end: found === undefined ? undefined : String(found) }
  }
}

/** Ids after one, up to another; to the last where there is none. */
interface Slice {
  after: string
  end: string | undefined
}

function asksWithin(filter: Filter): boolean {
  const inner = 'all' in filter ? filter.all : 'any' in filter ? filter.any : 'not' in filter ? [filter.not] : []
  return 'within' in filter || inner.some(asksWithin)
}

function rangeOf(app: number, { range }: Part, { after, end }: Slice): Sql {
  const start = { sql: `t.app = ? AND ${range.sql} AND t.id > ?`, params: [app, ...range.params, after] }
  return end === undefined ? start : { sql: `${start.sql} AND t.id <= ?`, params: [...start.params, end] }
}
