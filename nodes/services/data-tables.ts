import type { Payload } from '../../engine/payload.ts'

/** A row as flows see it: its columns by name, null for none, with `createdAt` and `updatedAt` as ISO text. */
export type TableRow = Payload & { id: string; createdAt: string; updatedAt: string }

export type RowCriteria = { by: 'id'; id: string } | { by: 'query'; query: unknown }

export interface RowListing {
  items: TableRow[]
  count: number
  totalCount: number
  limit: number
  offset: number
  sortColumn: string
  sortDirection: 'asc' | 'desc'
  /** As it was understood: an object. */
  query: unknown
  dataTableId: string
  applicationId: string
}

/** The tables of an application, by id. Every method throws Refusal, NotFound for an unknown table. */
export interface DataTables {
  /**
   * Without `sortColumn` newest first. `limit` defaults to 1,000, most 10,000. `includeFields`: the columns to give, built-in ones among
   * them; default and empty: all. A listing and its rows are the caller's own.
   */
  rows(
    tableId: string,
    request: {
      query?: unknown
      sortColumn?: string
      sortDirection?: 'asc' | 'desc'
      limit?: number
      offset?: number
      includeFields?: readonly string[]
    },
  ): Promise<RowListing>
  /** Values are cast to the types of their columns; what is no column is left out. Fires triggers. */
  insert(tableId: string, row: unknown): Promise<TableRow>
  /** All or none, at most 5,000. Fires triggers. */
  insertMany(
    tableId: string,
    rows: readonly unknown[],
  ): Promise<{ createdAt: string; count: number; items: TableRow[] }>
  /**
   * Changes the columns that are given of the first row (by id) that fits; null clears. `upsert`: a row is made when none fits. Fires
   * triggers when something is another value than before.
   */
  update(tableId: string, criteria: RowCriteria, change: unknown, options?: { upsert?: boolean }): Promise<TableRow>
  /** Gives the number removed: at most `limit`, default all. Stops between steps with the signal. Fires triggers for 10,000 at most. */
  remove(tableId: string, criteria: RowCriteria, options?: { limit?: number; signal?: AbortSignal }): Promise<number>
}
