import type { TableRow } from '../../nodes/services/data-tables.ts'
import type { DataTableDocument, DataTableRowDocument } from '../store/documents/tables.ts'
import { isoOf } from './listing.ts'

/** Where the cells of a table keep when a row was made, and when it was last changed. */
export const createdKey = (tableId: string) => `c${tableId}`
export const updatedKey = (tableId: string) => `u${tableId}`

/** Gives rows of a table as flows see them; with `only`, these columns alone. What a column has no value for is null. */
export function rowViewer({ id: tableId, columns }: DataTableDocument, only: readonly string[] = []) {
  const [created, updated] = [createdKey(tableId), updatedKey(tableId)]
  const wanted = new Set(only)
  return ({ id, cells, creationDate, lastUpdated }: DataTableRowDocument): TableRow => {
    const entries: [string, unknown][] = [
      ['id', id],
      ['createdAt', isoOf(Number(cells[created] ?? creationDate))],
      ['updatedAt', isoOf(Number(cells[updated] ?? lastUpdated))],
      ...columns.map(({ key, name }): [string, unknown] => [name, cells[key] ?? null]),
    ]
    const given = wanted.size === 0 ? entries : entries.filter(([name]) => wanted.has(name))
    return Object.fromEntries(given) as TableRow
  }
}
