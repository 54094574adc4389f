import { cellsAt } from './cells.ts'
import type { Database, SqlValue } from './sqlite-database.ts'
import { exactColumn, type Layout, sortColumn } from './sqlite-plan.ts'
import { encodeScalar, encodeSorted, tagsAt, textsAt, valueAt } from './sqlite-scalar.ts'

/** A document as it is written: what the columns are made of, and its JSON text. */
export interface Written {
  id: string
  revision: number
  document: unknown
  body: string
}

/** Writes documents with everything that is derived of them. The caller holds the transaction. */
export interface Rows {
  /** `row` keeps a number that is known; default a new one. Gives the number. */
  insert(app: number, written: Written, row?: number): number
  /** Only what differs from `before` is touched. */
  update(app: number, row: number, before: unknown, written: Written): void
  remove(app: number, row: number, before: unknown): void
}

const addList = 'INSERT INTO lists (app, field, row, value) VALUES (?, ?, ?, ?)'
const dropList = 'DELETE FROM lists WHERE app = ? AND field = ? AND row = ? AND value = ?'
const addTag = 'INSERT INTO tags (app, field, row, key, value) VALUES (?, ?, ?, ?, ?)'
const addCell = 'INSERT OR REPLACE INTO cells (app, field, row, key, id, sorted, exact) VALUES (?, ?, ?, ?, ?, ?, ?)'
const dropCell = 'DELETE FROM cells WHERE app = ? AND field = ? AND row = ? AND key = ?'
const dropTag = 'DELETE FROM tags WHERE app = ? AND field = ? AND row = ? AND key = ? AND value = ?'
const dropCells = 'DELETE FROM cells WHERE app = ? AND field = ? AND row = ?'

/** The rows of one collection. */
export function openRows(database: Database, layout: Layout): Rows {
  const columns = layout.fields.flatMap((field) => [sortColumn(field), exactColumn(field)])
  const names = ['row', 'app', 'id', 'revision', ...columns, 'body']
  const insertSql = `INSERT INTO ${layout.table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  const removeSql = `DELETE FROM ${layout.table} WHERE app = ? AND row = ?`

  return {
    insert(app, { id, revision, document, body }, known) {
      const values: SqlValue[] = [known ?? null, app, id, revision]
      for (const field of layout.fields) values.push(...columnsOf(document, field))
      values.push(body)
      const { lastRow } = database.run(insertSql, values)
      const row = known ?? lastRow
      for (const [field, number] of layout.lists) {
        for (const value of textsAt(document, field)) database.run(addList, [app, number, row, value])
      }
      for (const [field, number] of layout.tags) {
        for (const [key, value] of tagsAt(document, field)) database.run(addTag, [app, number, row, key, value])
      }
      if (layout.cells) {
        const { field, number } = layout.cells
        for (const [key, value] of cellsAt(document, field)) {
          database.run(addCell, [app, number, row, key, id, ...sortedAndExact(value)])
        }
      }
      return row
    },

    update(app, row, before, { id, revision, document, body }) {
      const set = ['revision = ?', 'body = ?']
      const values: SqlValue[] = [revision, body]
      for (const field of layout.fields) {
        const old = columnsOf(before, field)
        const now = columnsOf(document, field)
        // An index is rewritten when its column is named, changed or not.
        if (old[0] === now[0] && old[1] === now[1]) continue
        set.push(`${sortColumn(field)} = ?`, `${exactColumn(field)} = ?`)
        values.push(...now)
      }
      database.run(`UPDATE ${layout.table} SET ${set.join(', ')} WHERE app = ? AND row = ?`, [...values, app, row])
      for (const [field, number] of layout.lists) {
        const { added, removed } = difference(textsAt(before, field), textsAt(document, field))
        for (const value of removed) database.run(dropList, [app, number, row, value])
        for (const value of added) database.run(addList, [app, number, row, value])
      }
      for (const [field, number] of layout.tags) {
        const { added, removed } = difference(tagsAt(before, field), tagsAt(document, field))
        for (const [key, value] of removed) database.run(dropTag, [app, number, row, key, value])
        for (const [key, value] of added) database.run(addTag, [app, number, row, key, value])
      }
      if (layout.cells) {
        const { field, number } = layout.cells
        const [old, now] = [new Map(cellsAt(before, field)), new Map(cellsAt(document, field))]
        for (const key of old.keys()) if (!now.has(key)) database.run(dropCell, [app, number, row, key])
        for (const [key, value] of now) {
          if (old.get(key) !== value) database.run(addCell, [app, number, row, key, id, ...sortedAndExact(value)])
        }
      }
    },

    remove(app, row, before) {
      database.run(removeSql, [app, row])
      for (const [field, number] of layout.lists) {
        for (const value of textsAt(before, field)) database.run(dropList, [app, number, row, value])
      }
      for (const [field, number] of layout.tags) {
        for (const [key, value] of tagsAt(before, field)) database.run(dropTag, [app, number, row, key, value])
      }
      if (layout.cells) database.run(dropCells, [app, layout.cells.number, row])
    },
  }
}

/** Sort column and exact column; the second is null where it would repeat the first. */
function columnsOf(document: unknown, field: string): [SqlValue, SqlValue] {
  return sortedAndExact(valueAt(document, field))
}

function sortedAndExact(value: unknown): [SqlValue, SqlValue] {
  const sorted = encodeSorted(value)
  const exact = encodeScalar(value)
  return [sorted, exact === sorted ? null : exact]
}

function difference<T>(before: readonly T[], after: readonly T[]): { added: T[]; removed: T[] } {
  const keyOf = (value: T) => JSON.stringify(value)
  const old = new Set(before.map(keyOf))
  const now = new Set(after.map(keyOf))
  return { added: after.filter((v) => !old.has(keyOf(v))), removed: before.filter((v) => !now.has(keyOf(v))) }
}
