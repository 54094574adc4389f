import type { DataTables, RowCriteria, TableRow } from '../../nodes/services/data-tables.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { DataTableDocument, DataTableRowDocument } from '../store/documents/tables.ts'
import { isId, newId } from '../store/id.ts'
import { type AppStore, type Filter, type NewDocument, StoreError, type WriteOperation } from '../store/port.ts'
import { type CellValue, checkRequired, givenCells, newCells } from './data-table-fields.ts'
import { keyOperations } from './data-table-keys.ts'
import { rowFilter, rowOrder, rowsOf } from './data-table-query.ts'
import { createdKey, rowViewer, updatedKey } from './data-table-views.ts'
import type { Actor, Happened, TableChange } from './happenings.ts'
import { again } from './writing.ts'

export interface RowDeps {
  app: AppStore
  now(): number
  actor: Actor
  happened?: Happened
  /** The table. Throws Refusal `NotFound`. */
  tableOf(tableId: string): Promise<DataTableDocument>
}

const mostInserted = 5_000
const mostPerPage = 10_000
const removedAtOnce = 200
/** Removed rows that triggers are told of by one call, and at once. */
const mostTold = 10_000
const toldAtOnce = 1_000

type NewRow = NewDocument<DataTableRowDocument> & { id: string }

/** The rows of the tables of one application, as `actor` changes them. */
export function openRows({ app, now, actor, happened, tableOf }: RowDeps): DataTables {
  const collection = app.collection('dataTableRows')

  const tell = async (table: DataTableDocument, change: TableChange) =>
    happened?.({ kind: 'table', tableId: table.id, change }, actor)

  async function filterOf(table: DataTableDocument, criteria: RowCriteria): Promise<Filter> {
    if (criteria.by === 'query') return rowFilter(table, criteria.query)
    const id = criteria.id.trim().toLowerCase()
    return isId(id) ? { all: [rowsOf(table.id), { field: 'id', op: 'eq', value: id }] } : { any: [] }
  }

  /** Writes new rows, all or none. */
  async function add(table: DataTableDocument, rows: readonly unknown[]): Promise<TableRow[]> {
    const time = now()
    const made = rows.map((row): NewRow => newRow(table, givenCells(table.columns, row), time))
    await write(
      table,
      made.flatMap((row) => insertion(table, row)),
    )
    const view = rowViewer(table)
    return made.map((row) => view({ ...row, revision: 1, creationDate: time, lastUpdated: time }))
  }

  async function removeSome(table: DataTableDocument, filter: Filter, most: number): Promise<DataTableRowDocument[]> {
    return again(async () => {
      const found = await collection.find({ filter, limit: Math.min(removedAtOnce, most) })
      await write(
        table,
        found.flatMap((row) => removal(table, row)),
      )
      return found
    })
  }

  return {
    async rows(tableId, request) {
      const table = await tableOf(tableId)
      const { query, includeFields } = request
      const sortColumn = request.sortColumn?.trim() || 'createdAt'
      const sortDirection = request.sortDirection ?? (request.sortColumn?.trim() ? 'asc' : 'desc')
      const limit = bounded(request.limit, 1_000, mostPerPage)
      const offset = bounded(request.offset, 0, 1_000_000_000)
      const sort = rowOrder(table, sortColumn, sortDirection)
      const filter = await rowFilter(table, query)
      const found = await collection.find({ filter, sort, skip: offset, limit })
      const isLast = found.length < limit && (found.length > 0 || offset === 0)
      const totalCount = isLast ? offset + found.length : await collection.count(filter)
      const items = found.map(rowViewer(table, includeFields))
      const asked = typeof query === 'string' && query.trim() !== '' ? JSON.parse(query) : query || {}
      const page = { items, count: items.length, totalCount, limit, offset, sortColumn, sortDirection }
      return { ...page, query: asked, dataTableId: table.id, applicationId: app.scope.application }
    },

    async insert(tableId, row) {
      const table = await tableOf(tableId)
      const [newRow] = await add(table, [row])
      await tell(table, { action: 'insert', newRow: newRow! })
      return newRow!
    },

    async insertMany(tableId, rows) {
      const table = await tableOf(tableId)
      if (rows.length > mostInserted) {
        const message = `Expected at most ${mostInserted} rows to insert, got ${rows.length}. Insert them in several steps.`
        throw new Refusal('Validation', message)
      }
      const createdAt = new Date(now()).toISOString()
      if (rows.length === 0) return { createdAt, count: 0, items: [] }
      const items = await add(table, rows)
      const rowIds = items.slice(0, 1_000).map(({ id }) => id)
      await tell(table, { action: 'bulkInsert', count: items.length, errorCount: 0, rowIds })
      return { createdAt, count: items.length, items }
    },

    async update(tableId, criteria, change, { upsert = false } = {}) {
      const table = await tableOf(tableId)
      const given = givenCells(table.columns, change)
      const filter = await filterOf(table, criteria)
      const view = rowViewer(table)
      const done = await again(async () => {
        const [before] = await collection.find({ filter, limit: 1 })
        if (before === undefined) return undefined
        const after = changed(table, before, given, now())
        if (after === undefined) return { oldRow: view(before), newRow: view(before), same: true }
        const { id, revision } = before
        const keys = keyOperations(table, { before: before.cells, after })
        await write(table, [{ update: 'dataTableRows', id, change: { cells: after }, revision }, ...keys])
        return { oldRow: view(before), newRow: view({ ...before, cells: after }), same: false }
      })
      if (done === undefined) {
        if (!upsert) throw new Refusal('NotFound', 'Expected a row of the table that fits, found none')
        const [newRow] = await add(table, [change])
        await tell(table, { action: 'insert', newRow: newRow! })
        return newRow!
      }
      const { oldRow, newRow, same } = done
      if (!same) await tell(table, { action: 'update', newRow, oldRow })
      return newRow
    },

    async remove(tableId, criteria, { limit = Number.POSITIVE_INFINITY, signal } = {}) {
      const table = await tableOf(tableId)
      const filter = await filterOf(table, criteria)
      const view = rowViewer(table)
      let [removed, told, last] = [0, 0, '']
      let waiting: TableRow[] = []
      const tellAll = async () => {
        if (waiting.length > 0) await tell(table, { action: 'delete', oldRows: waiting })
        waiting = []
      }
      while (removed < limit) {
        signal?.throwIfAborted()
        // By id from where the last step ended: what was passed once is not looked at again.
        const after: Filter = { all: [filter, { field: 'id', op: 'gt', value: last }] }
        const found = await removeSome(table, after, limit - removed)
        removed += found.length
        last = found.at(-1)?.id ?? last
        const more = found.slice(0, mostTold - told)
        told += more.length
        waiting.push(...more.map(view))
        if (waiting.length >= toldAtOnce) await tellAll()
        if (found.length < removedAtOnce) break
      }
      await tellAll()
      return removed
    },
  }

  async function write(table: DataTableDocument, operations: readonly WriteOperation[]): Promise<void> {
    try {
      await app.write(operations)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // Someone else removed a row: what is left is read again.
      if (error.code === 'missing') throw new StoreError('conflict', 'A row was removed meanwhile', { cause: error })
      if (error.code !== 'duplicate') throw error
      const unique = table.columns.filter(({ constraint }) => constraint === 'unique').map(({ name }) => `"${name}"`)
      throw new Refusal('AlreadyExists', `Expected values of ${unique.join(', ')} that no other row has`)
    }
  }
}

/** A row to be inserted. `given`: cells by key. Throws Refusal for a required column without a value. */
export function newRow(table: DataTableDocument, given: Record<string, CellValue>, time: number): NewRow {
  const cells = newCells(table.columns, given)
  checkRequired(table.columns, cells)
  const times = { [createdKey(table.id)]: time, [updatedKey(table.id)]: time }
  return { id: newId(), tableId: table.id, cells: { ...cells, ...times } }
}

/** A row with what keeps its unique values. */
export function insertion(table: DataTableDocument, row: NewRow): WriteOperation[] {
  return [{ insert: 'dataTableRows', document: row }, ...keyOperations(table, { after: row.cells })]
}

/** The removal of a row as it is now, with what keeps its unique values. */
export function removal(table: DataTableDocument, { id, revision, cells }: DataTableRowDocument): WriteOperation[] {
  return [{ remove: 'dataTableRows', id, revision }, ...keyOperations(table, { before: cells })]
}

/** The cells of a row with what is given; undefined when nothing is another value. */
export function changed(
  table: DataTableDocument,
  { cells }: Pick<DataTableRowDocument, 'cells'>,
  given: Record<string, CellValue>,
  time: number,
): Record<string, CellValue> | undefined {
  if (Object.entries(given).every(([key, value]) => (cells[key] ?? null) === value)) return undefined
  checkRequired(
    table.columns.filter(({ key }) => Object.hasOwn(given, key)),
    given,
  )
  return { ...cells, ...given, [updatedKey(table.id)]: time }
}

function bounded(value: number | undefined, fallback: number, most: number): number {
  if (value === undefined || !Number.isFinite(value) || value < 0) return fallback
  return Math.min(Math.floor(value), most)
}
