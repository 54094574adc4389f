import type { Filter } from './port.ts'
import type { Database, Sql } from './sqlite-database.ts'
import { conjuncts, partOf, sortedRange } from './sqlite-drive.ts'
import { compileFilter, type FilterContext } from './sqlite-filter.ts'
import type { SmallSet } from './sqlite-find.ts'
import type { Layout } from './sqlite-plan.ts'

interface CellPage {
  filter: Filter
  key: string
  descending: boolean
  skip: number
  limit: number
}

/**
 * Pages in the order of the cells with a key. A small set is gathered and sorted. Else the index of cells is walked, which gives a
 * page without a sort, if all documents that may fit have the key: to count both costs 0.05 us a document. Where some lack
 * it, all that may fit are sorted, at 1 to 2 us each.
 */
export function openCellPages(options: {
  database: Database
  layout: Layout
  smallest(filter: Filter, context: FilterContext, most: number): SmallSet | undefined
  mostGathered: number
}) {
  const { database, layout, smallest, mostGathered } = options
  const { table } = layout

  /** Whether all documents that may fit have the key, if only as null. */
  function isComplete(filter: Filter, app: number, key: string): boolean {
    const { of, number } = layout.cells!
    const whole = conjuncts(filter).find((one) => 'field' in one && one.field === of && one.op === 'eq')
    if (whole === undefined) return false
    const { index, range } = partOf(whole, layout)
    const rows = `SELECT count(*) AS n FROM ${table} t INDEXED BY ${index} WHERE t.app = ? AND ${range.sql}`
    const cells = `SELECT count(*) AS n FROM cells INDEXED BY cells_sorted WHERE app = ? AND field = ${number} AND key = ?`
    return database.get(rows, [app, ...range.params])?.n === database.get(cells, [app, key])?.n
  }

  function walked({ filter, key, descending, skip, limit }: CellPage, context: FilterContext): Sql {
    const way = descending ? 'DESC' : 'ASC'
    // What is asked of the cell itself bounds the walk.
    const bounds = conjuncts(filter).flatMap((one) =>
      'cell' in one && one.key === key && one.value !== null ? (sortedRange(one, 'l.sorted') ?? []) : [],
    )
    const condition = compileFilter(filter, context)
    return {
      sql: `SELECT t.id, t.body FROM cells l INDEXED BY cells_sorted CROSS JOIN ${table} t ON t.row = l.row
        WHERE l.app = ? AND l.field = ${layout.cells!.number} AND l.key = ?${bounds.map(({ sql }) => ` AND ${sql}`).join('')}
        AND t.app = ? AND ${condition.sql} ORDER BY l.sorted ${way}, l.id ${way} LIMIT ? OFFSET ?`,
      params: [
        context.app,
        key,
        ...bounds.flatMap(({ params }) => params),
        context.app,
        ...condition.params,
        limit,
        skip,
      ],
    }
  }

  function sorted({ key, descending, skip, limit }: CellPage, { app }: FilterContext, { rows, rest }: Rows): Sql {
    const way = descending ? 'DESC' : 'ASC'
    // Without the bodies, which are read for the page alone.
    return {
      sql: `SELECT b.id, b.body FROM (
          SELECT t.row AS row, l.sorted AS sorted, t.id AS id
          FROM (SELECT DISTINCT row FROM (${rows.sql})) d CROSS JOIN ${table} t ON t.row = d.row
          LEFT JOIN cells l ON l.app = ? AND l.field = ${layout.cells!.number} AND l.row = t.row AND l.key = ?
          WHERE t.app = ? AND ${rest.sql} ORDER BY sorted ${way}, t.id ${way} LIMIT ? OFFSET ?) p
        CROSS JOIN ${table} b ON b.row = p.row ORDER BY p.sorted ${way}, p.id ${way}`,
      params: [...rows.params, app, key, app, ...rest.params, limit, skip],
    }
  }

  return {
    page(query: CellPage, context: FilterContext): Sql {
      const { filter, key } = query
      const { app } = context
      const few = smallest(filter, context, mostGathered)
      if (few !== undefined) return sorted(query, context, few)
      if (isComplete(filter, app, key)) return walked(query, context)
      const { index, range } = partOf(filter, layout)
      const rows = {
        sql: `SELECT t.row AS row FROM ${table} t INDEXED BY ${index} WHERE t.app = ? AND ${range.sql}`,
        params: [app, ...range.params],
      }
      return sorted(query, context, { rows, rest: compileFilter(filter, context) })
    },
  }
}

type Rows = Pick<SmallSet, 'rows' | 'rest'>
