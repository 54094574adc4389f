import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { type CsvError, parse } from 'csv-parse'
import { Refusal } from '../../nodes/services/listing.ts'
import { keyText } from '../resources/check.ts'

export const mostCsvBytes = 10 << 20
export const mostRows = 100_000
const mostColumns = 100
const mostRecordBytes = 128 << 10
const pieceBytes = 64 << 10
const mostProblems = 20
const turnMs = 10

/** A record of a CSV file. */
export interface CsvRow {
  /** As a spreadsheet counts: the header is row 1. */
  row: number
  cells: string[]
}

/**
 * The rows that hold anything, in their order; other work goes on in between. Throws Refusal `Validation` where the text is no CSV:
 * what follows could not be told apart.
 */
export async function* csvRows(bytes: Uint8Array): AsyncGenerator<CsvRow> {
  const parser = parse({ bom: true, relax_column_count: true, relax_quotes: true, max_record_size: mostRecordBytes })
  // A failure is thrown where the rows are read.
  pipeline(Readable.from(pieces(bytes)), parser).catch(() => undefined)
  let row = 0
  let since = performance.now()
  try {
    for await (const record of parser) {
      row += 1
      if (performance.now() - since > turnMs) {
        await setImmediate()
        since = performance.now()
      }
      const cells = (record as string[]).map((cell) => cell.trim())
      if (cells.some((cell) => cell !== '')) yield { row, cells }
    }
  } catch (error) {
    throw isCsvError(error) ? notCsv(error) : error
  }
}

function* pieces(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let i = 0; i < bytes.length; i += pieceBytes) yield bytes.subarray(i, i + pieceBytes)
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && 'code' in error && /^(CSV|INVALID)_/.test(String(error.code))
}

function notCsv(cause: CsvError): Refusal {
  const why =
    cause.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quote (") is opened and never closed'
      : cause.code === 'CSV_MAX_RECORD_SIZE'
        ? `it is longer than ${mostRecordBytes} bytes; a quote (") may be open`
        : 'quotes (") or separators are not as CSV has them'
  return new Refusal('Validation', `Row ${Number(cause.records) + 1} of the CSV cannot be read: ${why}`, { cause })
}

/** Where the cells of a row go. */
export interface Columns {
  count: number
  name?: number
  description?: number
  deviceClass?: number
  tags: { key: string; index: number }[]
  /** Of the tag that tells which device a row means. */
  match?: number
}

export interface ColumnRules {
  /** Devices can have their name from elsewhere. */
  nameless: boolean
  matchTag?: string
  /** Keys of tags that each device gets whatever the file says. */
  fixed: readonly string[]
}

const ownColumns = ['name', 'description', 'deviceClass'] as const

/** Reads the header. Throws Refusal `Validation` that names all its problems. */
export function readColumns(header: readonly string[], { nameless, matchTag, fixed }: ColumnRules): Columns {
  const problems: string[] = []
  const columns: Columns = { count: header.length, tags: [] }
  if (header.length > mostColumns) problems.push(`expected at most ${mostColumns} columns, got ${header.length}`)
  for (const [index, key] of header.slice(0, mostColumns).entries()) {
    const shown = JSON.stringify(key.slice(0, 40))
    const own = ownColumns.find((one) => one === key)
    if (header.indexOf(key) !== index) problems.push(`column ${index + 1}: ${shown} is there twice`)
    else if (own !== undefined) columns[own] = index
    else if (key === '') problems.push(`column ${index + 1}: expected a name, got nothing`)
    else if (!isKey(key)) problems.push(`column ${index + 1}: expected letters, digits, "_" or "-", got ${shown}`)
    else if (fixed.includes(key)) problems.push(`column ${index + 1}: ${shown} is set by the import; leave it out`)
    else columns.tags.push({ key, index })
  }
  if (columns.name === undefined && !nameless) problems.push('expected a column "name", separated by commas')
  if (matchTag !== undefined) {
    columns.match = columns.tags.find(({ key }) => key === matchTag)?.index
    if (columns.match === undefined) problems.push(`expected a column "${matchTag}", by which devices are found`)
  }
  if (problems.length === 0) return columns
  const more = problems.length > mostProblems ? `; and ${problems.length - mostProblems} more` : ''
  const listed = problems.slice(0, mostProblems).join('; ')
  throw new Refusal('Validation', `The header of the CSV cannot be used: ${listed}${more}`)
}

function isKey(text: string): boolean {
  try {
    return keyText(text, '') !== ''
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}
