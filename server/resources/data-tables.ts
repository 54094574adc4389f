import type { DataTables } from '../../nodes/services/data-tables.ts'
import { type Listing, type PageRequest, Refusal } from '../../nodes/services/listing.ts'
import type { DataColumn, DataTableDocument } from '../store/documents/tables.ts'
import { newId } from '../store/id.ts'
import { type AppStore, type Filter, StoreError } from '../store/port.ts'
import { readBody } from './check.ts'
import { exportCsv, importCsv } from './data-table-csv.ts'
import { column, columns, mostColumns, tableFields } from './data-table-fields.ts'
import { rowFilter, rowsOf } from './data-table-query.ts'
import { openRows } from './data-table-rows.ts'
import type { Actor, Happened } from './happenings.ts'
import { isoOf, listPage } from './listing.ts'
import { again } from './writing.ts'

/** A table as the API gives it. */
export interface DataTableView {
  id: string
  dataTableId: string
  applicationId: string
  name: string
  description?: string
  columns: Omit<DataColumn, 'key'>[]
  creationDate: string
  lastUpdated: string
}

/** Tables and their rows. Every method throws Refusal; `NotFound` for an unknown table. */
export interface DataTableResource extends DataTables {
  /** By name as default; also by id, creationDate and lastUpdated. Default all. */
  tables(page: PageRequest, matching?: Filter): Promise<Listing<DataTableView>>
  table(tableId: string): Promise<DataTableView>
  create(body: unknown): Promise<DataTableView>
  /** Name and description. */
  patch(tableId: string, body: unknown): Promise<DataTableView>
  /** Rows that are there have no value of it. */
  addColumn(tableId: string, body: unknown): Promise<DataTableView>
  /** With its values. */
  removeColumn(tableId: string, name: string): Promise<DataTableView>
  /** The table with its rows, in steps; no trigger is told. */
  removeTable(tableId: string): Promise<void>
  /** All rows, in steps; no trigger is told. */
  truncate(tableId: string): Promise<void>
  count(tableId: string, query?: unknown): Promise<number>
  /** `id,createdAt,updatedAt,<columns>` and the rows that a query finds, by id, in pieces; held in memory is one at a time. */
  exportCsv(tableId: string, query?: unknown): AsyncIterable<Buffer>
  /**
   * Inserts rows of CSV with a header of column names, in steps of 500: those before a wrong row stay, and the Refusal names its
   * line. `id`, `createdAt` and `updatedAt` are left out. Fires `bulkInsert` for each step.
   */
  importCsv(tableId: string, content: AsyncIterable<Uint8Array>): Promise<{ count: number }>
}

export interface DataTableDeps {
  app: AppStore
  now(): number
  actor: Actor
  happened?: Happened
}

const sortFields = { name: 'name', id: 'id', creationDate: 'creationDate', lastUpdated: 'lastUpdated' }
const removedAtOnce = 500

function ignoreChanged(error: unknown): void {
  // Changed or removed meanwhile: a value that nothing shows may stay.
  if (!(error instanceof StoreError) || (error.code !== 'conflict' && error.code !== 'missing')) throw error
}

/** The tables of one application, and their rows as `actor` changes them. */
export function openDataTables(deps: DataTableDeps): DataTableResource {
  const { app } = deps
  const collection = app.collection('dataTables')
  const rows = app.collection('dataTableRows')

  async function tableOf(tableId: string): Promise<DataTableDocument> {
    const table = await collection.get(String(tableId).trim().toLowerCase())
    if (table === undefined) {
      throw new Refusal('NotFound', `Expected the id of a data table, got "${String(tableId).slice(0, 80)}"`)
    }
    return table
  }

  const toView = ({ id, name, description, columns, creationDate, lastUpdated }: DataTableDocument): DataTableView => ({
    ...{ id, dataTableId: id, applicationId: app.scope.application, name },
    ...(description === undefined ? {} : { description }),
    columns: columns.map(({ key: _key, ...rest }) => rest),
    ...{ creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) },
  })

  const changeTable = (tableId: string, change: (table: DataTableDocument) => Partial<DataTableDocument>) =>
    again(async () => {
      const table = await tableOf(tableId)
      return await collection.update(table.id, change(table), { revision: table.revision })
    })

  async function removeRows(tableId: string): Promise<void> {
    const filter: Filter = { field: 'tableId', op: 'eq', value: tableId }
    for (const name of ['dataTableRows', 'dataTableKeys'] as const) {
      for (;;) {
        const found = await app.collection(name).find({ filter, limit: removedAtOnce })
        await app.write(found.map(({ id }) => ({ remove: name, id })))
        if (found.length < removedAtOnce) break
      }
    }
  }

  const service = openRows({ ...deps, tableOf })
  return {
    ...service,

    tables: (request, matching = { all: [] }) =>
      listPage(collection, matching, { request, sortFields, view: async (found) => found.map(toView) }),

    table: async (tableId) => toView(await tableOf(tableId)),

    async create(body) {
      const given = readBody(body, { ...tableFields, columns }, 'a data table')
      if (given.name === undefined) throw new Refusal('Validation', 'Expected "name" to be text of 1 to 255 characters')
      const keyed = (given.columns ?? []).map((one) => ({ ...one, key: newId() }))
      return toView(await collection.insert({ ...given, name: given.name, columns: keyed }))
    },

    async patch(tableId, body) {
      const given = readBody(body, tableFields, 'a data table')
      return toView(await changeTable(tableId, () => given))
    },

    async addColumn(tableId, body) {
      const added = { ...column(body, 'column'), key: newId() }
      const table = await changeTable(tableId, ({ columns }) => {
        if (columns.length >= mostColumns) {
          throw new Refusal('Validation', `Expected at most ${mostColumns} columns, got one more`)
        }
        if (columns.some(({ name }) => name === added.name)) {
          throw new Refusal('AlreadyExists', `The table has a column "${added.name}" already`)
        }
        return { columns: [...columns, added] }
      })
      return toView(table)
    },

    async removeColumn(tableId, name) {
      const key = (await tableOf(tableId)).columns.find((one) => one.name === name)?.key
      if (key === undefined) throw new Refusal('NotFound', `The table has no column "${name.slice(0, 80)}"`)
      const table = await changeTable(tableId, ({ columns }) => ({ columns: columns.filter((one) => one.key !== key) }))
      // Nothing shows its values from here on; they are only in the way.
      for await (const { id, revision, cells } of rows.each(rowsOf(table.id))) {
        const { [key]: gone, ...kept } = cells
        if (gone === undefined) continue
        await app.write([{ update: 'dataTableRows', id, change: { cells: kept }, revision }]).catch(ignoreChanged)
      }
      return toView(table)
    },

    async removeTable(tableId) {
      const { id } = await tableOf(tableId)
      await collection.remove(id)
      await removeRows(id)
    },

    truncate: async (tableId) => removeRows((await tableOf(tableId)).id),

    async count(tableId, query) {
      return rows.count(await rowFilter(await tableOf(tableId), query))
    },

    async *exportCsv(tableId, query) {
      const table = await tableOf(tableId)
      yield* exportCsv(table, rows.each(await rowFilter(table, query)))
    },

    async importCsv(tableId, content) {
      const table = await tableOf(tableId)
      return importCsv(table, content, async (part) => {
        await service.insertMany(tableId, part)
      })
    },
  }
}
