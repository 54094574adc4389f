import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, type Options, parse } from 'csv-parse'
import { parse as parseWhole } from 'csv-parse/sync'
import { Refusal } from '../../nodes/services/listing.ts'
import { openCsvPieces } from '../jobs/csv.ts'
import type { DataTableDocument, DataTableRowDocument } from '../store/documents/tables.ts'
import { builtIn, type CellValue, type ColumnFields, castCell, mostColumns } from './data-table-fields.ts'
import { rowViewer } from './data-table-views.ts'

/** A record of CSV: null is an empty cell that has no quotes. `line`: where it ends. */
export interface CsvRecord {
  line: number
  cells: (string | null)[]
}

/** What is wrong with CSV, and where. */
export class CsvProblem extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

const options: Options = {
  bom: true,
  info: true,
  skip_empty_lines: true,
  max_record_size: 8 << 20,
  cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
}

/** Rows of CSV as objects by column, for tables with these columns. */
export interface CsvRows {
  /** A row by column name; `id` is what stands under that name. Throws CsvProblem. */
  row(record: CsvRecord): { id?: string; values: Record<string, CellValue> }
}

/** Reads the header. A column that the table does not have is left out. Throws CsvProblem. */
export function csvRows(columns: readonly ColumnFields[], { cells, line }: CsvRecord): CsvRows {
  if (cells.length > mostColumns + builtIn.length) {
    throw new CsvProblem(line, `Expected at most ${mostColumns + builtIn.length} columns, got ${cells.length}`)
  }
  const twice = cells.find((name, i) => cells.indexOf(name) !== i)
  if (twice !== undefined) throw new CsvProblem(line, `Expected columns of different names, got ${shown(twice)} twice`)
  const own = columns.flatMap((column) => {
    const index = cells.indexOf(column.name)
    return index < 0 ? [] : [{ column, index }]
  })
  if (own.length === 0 && columns.length > 0) {
    const known = columns.map(({ name }) => name).join(', ')
    throw new CsvProblem(line, `Expected a header with columns of the table (${known.slice(0, 200)}), got none of them`)
  }
  const idAt = cells.indexOf('id')
  return {
    row(record) {
      const values = own.map(({ column, index }): [string, CellValue] => {
        const cell = record.cells[index] ?? null
        // A required text may be empty; nothing else can be told from it in CSV without quotes.
        const text = cell === null && column.dataType === 'string' && column.constraint === 'required' ? '' : cell
        try {
          return [column.name, castCell(column, text)]
        } catch (error) {
          throw error instanceof Refusal ? new CsvProblem(record.line, error.message) : error
        }
      })
      const id = idAt < 0 ? undefined : (record.cells[idAt] ?? undefined)
      return { ...(id === undefined ? {} : { id }), values: Object.fromEntries(values) }
    },
  }
}

/** All records of a text. Throws CsvProblem where it is no CSV. */
export function csvRecords(text: string): CsvRecord[] {
  try {
    return (parseWhole(text, options) as unknown as Parsed[]).map(toRecord)
  } catch (error) {
    throw toProblem(error)
  }
}

interface Parsed {
  info: { lines: number }
  record: (string | null)[]
}

function toRecord({ info, record }: Parsed): CsvRecord {
  return { line: info.lines, cells: record }
}

function toProblem(error: unknown): unknown {
  if (!(error instanceof CsvError)) return error
  const line = 'lines' in error ? Number(error.lines) : 1
  return new CsvProblem(line, `Expected CSV: ${error.message.split('\n')[0]!.slice(0, 200)}`)
}

/** One line of CSV without its end: null gives an empty cell, empty text one in quotes. */
export function csvLine(cells: readonly (CellValue | undefined)[]): string {
  return cells
    .map((cell) => {
      if (cell === null || cell === undefined) return ''
      const text = String(cell)
      return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    })
    .join(',')
}

/** The rows as CSV for people, in pieces: what a spreadsheet would take for a formula is made plain text. */
export async function* exportCsv(
  table: DataTableDocument,
  rows: AsyncIterable<DataTableRowDocument>,
): AsyncGenerator<Buffer> {
  const names = [...builtIn, ...table.columns.map(({ name }) => name)]
  const view = rowViewer(table)
  const pieces = openCsvPieces()
  pieces.add(names)
  for await (const row of rows) {
    const shownRow = view(row)
    if (pieces.add(names.map((name) => (shownRow[name] ?? undefined) as string | number | boolean | undefined))) {
      yield pieces.take()
    }
  }
  if (pieces.waiting() > 0) yield pieces.take()
}

const insertedAtOnce = 500

/** Reads CSV and gives its rows to `insert`, 500 at once; in memory are those alone. Throws Refusal that names the line. */
export async function importCsv(
  table: DataTableDocument,
  content: AsyncIterable<Uint8Array>,
  insert: (rows: Record<string, CellValue>[]) => Promise<void>,
): Promise<{ count: number }> {
  const parser = parse(options)
  // A failure is thrown where the records are read.
  pipeline(Readable.from(content), parser).catch(() => undefined)
  let rows: CsvRows | undefined
  let part: Record<string, CellValue>[] = []
  let count = 0
  let line = 1
  const flush = async () => {
    if (part.length > 0) await insert(part)
    count += part.length
    part = []
  }
  try {
    for await (const parsed of parser) {
      const record = toRecord(parsed as Parsed)
      line = record.line
      if (rows === undefined) rows = csvRows(table.columns, record)
      else part.push(rows.row(record).values)
      if (part.length === insertedAtOnce) await flush()
    }
    await flush()
  } catch (error) {
    const problem = toProblem(error)
    const stored = count === 0 ? 'No row was inserted' : `The first ${count} rows were inserted`
    if (problem instanceof CsvProblem) {
      throw new Refusal('Validation', `Line ${problem.line} of the CSV: ${problem.message}. ${stored}.`)
    }
    if (problem instanceof Refusal) {
      throw new Refusal(problem.type, `Lines up to ${line} of the CSV: ${problem.message}. ${stored}.`)
    }
    throw problem
  }
  return { count }
}

function shown(value: string | null): string {
  return value === null ? 'an empty name' : JSON.stringify(value.slice(0, 80))
}
