import type { RowsAsked } from '../jobs/resource-export-document.ts'
import type { DataTableDocument, DataTableRowDocument } from '../store/documents/tables.ts'
import type { AppStore } from '../store/port.ts'
import { rowFilter, rowOrder } from './data-table-query.ts'

const pageSize = 1_000

/**
 * The rows that are asked for, page by page: in memory are never more. In an order of a column each page is looked for from the first
 * row on; without one, and without a place to begin at, they come by id and cost the same however many there are. `tell` is
 * waited for, and throws to end it. Throws Refusal.
 */
export async function* sortedRows(
  app: AppStore,
  table: DataTableDocument,
  asked: Pick<RowsAsked, 'query' | 'sortColumn' | 'sortDirection' | 'limit' | 'offset'>,
  tell: (rows: number) => Promise<void>,
): AsyncGenerator<DataTableRowDocument> {
  const { query, sortColumn, sortDirection = 'asc', limit = Number.POSITIVE_INFINITY, offset = 0 } = asked
  const filter = await rowFilter(table, query)
  const rows = app.collection('dataTableRows')
  let given = 0
  if (sortColumn === undefined && offset === 0) {
    for await (const row of rows.each(filter)) {
      if (given >= limit) return
      yield row
      given += 1
      if (given % pageSize === 0) await tell(given)
    }
    return
  }
  const sort = sortColumn === undefined ? undefined : rowOrder(table, sortColumn, sortDirection)
  while (given < limit) {
    const page = await rows.find({ filter, sort, skip: offset + given, limit: Math.min(pageSize, limit - given) })
    yield* page
    given += page.length
    await tell(given)
    if (page.length < pageSize) return
  }
}
