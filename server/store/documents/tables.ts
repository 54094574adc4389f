import type { Document } from './document.ts'

/** A table of the author's own columns. Its rows are documents of `dataTableRows`. */
export interface DataTableDocument extends Document {
  name: string
  description?: string
  columns: DataColumn[]
}

export interface DataColumn {
  /** What its values stand under in `cells`: never that of another column, of this table or another. */
  key: string
  name: string
  dataType: 'string' | 'number' | 'boolean'
  constraint: 'unique' | 'required' | 'optional'
  defaultValue?: string | number | boolean
}

export interface DataTableRowDocument extends Document {
  tableId: string
  /**
   * Values by the key of their column, null for none. Under `c` and `u`, followed by the id of the table: when the row was made and
   * last changed (milliseconds since the epoch), so that rows of one table are found in this order, too.
   */
  cells: Record<string, string | number | boolean | null>
  /** The id that the row had in the folder that it was imported from. */
  importedId?: string
}

/** Keeps a value of a unique column for one row: its id is made of both, so that there is no second. */
export interface DataTableKeyDocument extends Document {
  tableId: string
}
