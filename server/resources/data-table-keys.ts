import { createHash } from 'node:crypto'
import type { DataTableDocument } from '../store/documents/tables.ts'
import type { WriteOperation } from '../store/port.ts'
import type { CellValue } from './data-table-fields.ts'

type Cells = Readonly<Record<string, CellValue>>

/**
 * What keeps values of unique columns apart: to be written in one batch with the row. What the row gives up comes first. No value
 * is equal to no value.
 */
export function keyOperations(table: DataTableDocument, change: { before?: Cells; after?: Cells }): WriteOperation[] {
  const before = keyIds(table, change.before)
  const after = keyIds(table, change.after)
  return [
    ...[...before].filter((id) => !after.has(id)).map((id): WriteOperation => ({ remove: 'dataTableKeys', id })),
    ...[...after]
      .filter((id) => !before.has(id))
      .map((id): WriteOperation => ({ insert: 'dataTableKeys', document: { id, tableId: table.id } })),
  ]
}

function keyIds({ columns }: DataTableDocument, cells: Cells = {}): Set<string> {
  const unique = columns.filter(({ key, constraint }) => constraint === 'unique' && (cells[key] ?? null) !== null)
  return new Set(unique.map(({ key }) => keyId(key, cells[key]!)))
}

function keyId(key: string, value: CellValue): string {
  return createHash('sha256')
    .update(`${key}\n${JSON.stringify(value)}`)
    .digest('hex')
    .slice(0, 24)
}
