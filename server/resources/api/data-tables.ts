import { isObject, oneOf, refused } from '../check.ts'
import {
  type ApiWorld,
  anId,
  body,
  type Calls,
  call,
  found,
  fromJson,
  needed,
  number,
  offered,
  success,
  words,
} from './call.ts'
import { answerOf, listParams, pageOf, patternFilter } from './lists.ts'

const table = { dataTableId: anId }
const row = { ...table, rowId: anId }
const ordered = {
  ...{ sortColumn: words, sortDirection: oneOf(['asc', 'desc', 'ASC', 'DESC']), limit: number, offset: number },
  includeFields: (value: unknown, place: string) => listOfNames(value, place),
}

export const dataTables: Calls = {
  get: call(listParams, async (world, params) => {
    return answerOf(await tablesOf(world).tables(pageOf(params), patternFilter(params, ['name'])), world, params)
  }),
  post: call({ dataTable: body }, async (world, params) =>
    tablesOf(world).create(needed(params.dataTable, 'dataTable')),
  ),
}

export const dataTable: Calls = {
  get: call(table, async (world, params) => tablesOf(world).table(idOf(params))),
  patch: call({ ...table, dataTable: body }, async (world, params) => {
    return await tablesOf(world).patch(idOf(params), needed(params.dataTable, 'dataTable'))
  }),
  delete: call(table, async (world, params) => {
    await tablesOf(world).removeTable(idOf(params))
    return success
  }),
  addColumn: call({ ...table, dataTableColumn: body }, async (world, params) => {
    return await tablesOf(world).addColumn(idOf(params), needed(params.dataTableColumn, 'dataTableColumn'))
  }),
  removeColumn: call({ ...table, columnName: words }, async (world, params) => {
    return await tablesOf(world).removeColumn(idOf(params), needed(params.columnName, 'columnName'))
  }),
}

/** Rows that one call removes. */
const mostRemoved = 10_000

export const dataTableRows: Calls = {
  get: call({ ...table, ...ordered }, async (world, params) => rowsOf(world, params, undefined)),
  query: call({ ...table, ...ordered, query: fromJson }, async (world, { query, ...params }) => {
    return await rowsOf(world, params, query)
  }),
  post: call({ ...table, dataTableRow: fromJson }, async (world, params) => {
    const given = needed(params.dataTableRow, 'dataTableRow')
    if (!Array.isArray(given)) return await tablesOf(world).insert(idOf(params), given as Record<string, unknown>)
    const { createdAt, count, items } = await tablesOf(world).insertMany(idOf(params), given)
    return { createdAt, count, rowIds: items.slice(0, 1_000).map(({ id }) => id) }
  }),
  delete: call({ ...table, query: fromJson, limit: number }, async (world, { query, limit = 1_000, ...params }) => {
    const most = Math.min(Math.max(0, Math.trunc(limit)), mostRemoved)
    const removed = await tablesOf(world).remove(idOf(params), { by: 'query', query: query ?? {} }, { limit: most })
    return { removed }
  }),
  truncate: call(table, async (world, params) => {
    await tablesOf(world).truncate(idOf(params))
    return success
  }),
}

export const dataTableRow: Calls = {
  get: call(row, async (world, params) => {
    const query = { id: { $eq: needed(params.rowId, 'rowId') } }
    const { items } = await tablesOf(world).rows(idOf(params), { query, limit: 1 })
    return found(items[0], 'Data table row')
  }),
  patch: call({ ...row, dataTableRow: body }, async (world, params) => {
    const by = { by: 'id', id: needed(params.rowId, 'rowId') } as const
    return await tablesOf(world).update(idOf(params), by, needed(params.dataTableRow, 'dataTableRow'))
  }),
  delete: call(row, async (world, params) => {
    const by = { by: 'id', id: needed(params.rowId, 'rowId') } as const
    found((await tablesOf(world).remove(idOf(params), by)) || undefined, 'Data table row')
    return success
  }),
}

interface RowParams {
  dataTableId?: string
  sortColumn?: string
  sortDirection?: 'asc' | 'desc' | 'ASC' | 'DESC'
  limit?: number
  offset?: number
  includeFields?: string[]
}

async function rowsOf(world: ApiWorld, { sortDirection, ...params }: RowParams, query: unknown) {
  const { sortColumn, limit, offset, includeFields } = params
  const direction = sortDirection?.toLowerCase() as 'asc' | 'desc' | undefined
  const order = { sortColumn, sortDirection: direction, limit, offset, includeFields }
  return await tablesOf(world).rows(idOf(params), { query, ...order })
}

function idOf({ dataTableId }: { dataTableId?: string }): string {
  return needed(dataTableId, 'dataTableId')
}

function tablesOf(world: ApiWorld) {
  return offered(world.dataTables, 'data tables')
}

/** A list, its JSON text, or names with commas between them. */
function listOfNames(value: unknown, place: string): string[] {
  const text = typeof value === 'string' && !/^\s*\[/.test(value)
  const names = text ? value.split(',').map((one) => one.trim()) : fromJson(value, place)
  if (Array.isArray(names) && names.length <= 200 && names.every((one) => typeof one === 'string')) return names
  throw refused(place, 'at most 200 names of columns', isObject(names) ? {} : names)
}
