import { createHash } from 'node:crypto'
import { Refusal } from '../../nodes/services/listing.ts'
import { CsvProblem, type CsvRows, csvLine, csvRecords, csvRows } from '../resources/data-table-csv.ts'
import { type CellValue, type ColumnFields, columns as readColumns } from '../resources/data-table-fields.ts'
import { keyOperations } from '../resources/data-table-keys.ts'
import { rowsOf } from '../resources/data-table-query.ts'
import { changed, newRow } from '../resources/data-table-rows.ts'
import type { DataColumn, DataTableDocument, DataTableRowDocument } from '../store/documents/tables.ts'
import type { AppStore, WriteOperation } from '../store/port.ts'
import { type Problem, pointTo, problem } from './problem.ts'
import type { Resource } from './read.ts'
import type { Substitution } from './references.ts'
import type { Unsubstitution } from './unsubstitute.ts'

const mostRows = 100_000
const mostProblems = 20

/** The columns that a resource describes. Throws Refusal. */
export function columnsOf(value: Record<string, unknown>): ColumnFields[] {
  return readColumns(value.columns ?? [], 'columns')
}

/** Columns with keys for their cells: those of the table as it is, else such as the same folder always gives. */
export function keyedColumns(
  columns: readonly ColumnFields[],
  tableId: string,
  known: readonly DataColumn[] = [],
): DataColumn[] {
  return columns.map((column) => {
    const same = known.find(({ name, dataType }) => name === column.name && dataType === column.dataType)
    const made = () => createHash('sha256').update(`${tableId}\n${column.dataType}\n${column.name}`).digest('hex')
    return { ...column, key: same?.key ?? made().slice(0, 24) }
  })
}

/** Checks columns against each other, and every row of the file beside them. Its fields were checked without a problem. */
export function checkTable({ value, text, file, pointer }: Resource, problems: Problem[]): void {
  let columns: ColumnFields[]
  try {
    columns = columnsOf(value)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    problems.push(problem('resource.field', file, error.message, { pointer: pointTo(pointer, 'columns') }))
    return
  }
  if (text === undefined) return
  const seen = new Map<string, number>()
  let wrong = 0
  const fail = (line: number, message: string) => {
    wrong += 1
    if (wrong <= mostProblems) problems.push(problem('table.row', text.file, message, { line }))
  }
  const once = (what: string, line: number) => {
    const before = seen.get(what)
    if (before !== undefined) fail(line, `Expected ${what} once, but it stands at line ${before} as well`)
    else seen.set(what, line)
  }
  for (const { line, row, error } of rowsIn(text.content, columns)) {
    if (row === undefined) {
      fail(line, error!)
      continue
    }
    if (row.id !== undefined) once(`the id ${JSON.stringify(row.id.slice(0, 80))}`, line)
    for (const { name, constraint } of columns) {
      const cell = row.values[name] ?? null
      if (cell === null && constraint === 'required') fail(line, `Expected a value of the required column "${name}"`)
      if (cell !== null && constraint === 'unique')
        once(`${JSON.stringify(cell).slice(0, 80)} in the column "${name}"`, line)
    }
  }
  if (wrong > mostProblems) {
    problems.push(problem('table.row', text.file, `${wrong - mostProblems} more rows or values are wrong`))
  }
}

interface ReadRow {
  line: number
  row?: ReturnType<CsvRows['row']>
  error?: string
}

function* rowsIn(text: string, columns: readonly ColumnFields[]): Generator<ReadRow> {
  try {
    const [header, ...records] = csvRecords(text)
    if (header === undefined) return
    const rows = csvRows(columns, header)
    if (records.length > mostRows) {
      throw new CsvProblem(records[mostRows]!.line, `Expected at most ${mostRows} rows, got ${records.length}`)
    }
    for (const record of records) {
      try {
        yield { line: record.line, row: rows.row(record) }
      } catch (error) {
        if (!(error instanceof CsvProblem)) throw error
        yield { line: error.line, error: error.message }
      }
    }
  } catch (error) {
    if (!(error instanceof CsvProblem)) throw error
    yield { line: error.line, error: error.message }
  }
}

/** What stands for the rows of a folder among what is compared between imports. */
export function rowsHash(resource: Resource | undefined): string | undefined {
  return resource?.text && createHash('sha256').update(resource.text.content).digest('hex')
}

/**
 * What makes the rows of a table be those of its file: one that came with an earlier import is known by its id there, and removed
 * when the file has it no more; those that were made since stay. A bundle that was checked without errors.
 */
export async function rowOperations(
  app: AppStore,
  table: DataTableDocument,
  from: { resource: Resource; substitution: Substitution; isNew: boolean; now: number },
): Promise<WriteOperation[]> {
  const { resource, substitution, isNew, now } = from
  if (resource.text === undefined) return []
  const wanted = new Map<string, Record<string, CellValue>>()
  for (const { row } of rowsIn(resource.text.content, table.columns)) {
    if (row === undefined) continue
    const cells = table.columns.map(({ key, name }) => [key, substituted(row.values[name] ?? null, substitution)])
    wanted.set(row.id ?? `#${wanted.size}`, Object.fromEntries(cells))
  }
  const operations: WriteOperation[] = []
  const keys: WriteOperation[] = []
  const existing = isNew ? [] : app.collection('dataTableRows').each(rowsOf(table.id))
  for await (const row of existing) {
    const name = wanted.has(row.id) ? row.id : row.importedId
    if (name === undefined) continue
    const cells = wanted.get(name)
    wanted.delete(name)
    if (cells === undefined) {
      operations.push({ remove: 'dataTableRows', id: row.id })
      keys.push(...keyOperations(table, { before: row.cells }))
      continue
    }
    const after = changed(table, row, cells, now)
    if (after === undefined) continue
    operations.push({ update: 'dataTableRows', id: row.id, change: { cells: after } })
    keys.push(...keyOperations(table, { before: row.cells, after }))
  }
  let time = now
  for (const [importedId, cells] of wanted) {
    const row = newRow(table, cells, time++)
    operations.push({ insert: 'dataTableRows', document: { ...row, importedId } })
    keys.push(...keyOperations(table, { after: row.cells }))
  }
  // What is given up first: rows may have swapped their values.
  const given = keys.filter((one) => 'remove' in one)
  return [...operations, ...given, ...keys.filter((one) => !('remove' in one))]
}

function substituted(cell: CellValue, substitution: Substitution): CellValue {
  return typeof cell === 'string' ? substitution.text(cell) : cell
}

/** The rows of a table as the format has them: `id` and the columns in their order, without an end of the last line. */
export async function tableCsv(app: AppStore, table: DataTableDocument, texts: Unsubstitution): Promise<string> {
  const lines = [csvLine(['id', ...table.columns.map(({ name }) => name)])]
  for await (const row of app.collection('dataTableRows').each(rowsOf(table.id))) {
    const cells = table.columns.map(({ key }) => row.cells[key] ?? null)
    lines.push(csvLine([idIn(row), ...cells.map((cell) => (typeof cell === 'string' ? texts.text(cell) : cell))]))
  }
  return lines.join('\n')
}

// A row keeps the id that it came with: an import of the export knows it again.
function idIn({ id, importedId }: DataTableRowDocument): string {
  return importedId === undefined || importedId.startsWith('#') ? id : importedId
}
