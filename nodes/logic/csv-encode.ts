import { type Options, stringify } from 'csv-stringify/sync'
import { byType, path, read, unused, values } from '../../engine/fields.ts'
import { MOST_BYTES, MOST_ITEMS, takeTurns } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { CsvFailure, csvFields, csvFormatOf } from './csv-format.ts'

export const csvEncode = defineNode({
  type: 'csv-encode',
  aliases: ['CSVEncodeNode'],
  group: 'logic',
  title: 'CSV: Encode',
  summary: 'Turns a list of objects into CSV text with a row of column names.',
  outputs: ['next'],
  needs: [],
  config: {
    ...csvFields,
    source: read({
      key: 'source',
      label: 'Rows',
      help: 'A list of objects or of lists, or one object.',
      required: true,
    }),
    destination: path({
      key: 'destination',
      label: 'Text',
      help: 'The text; { error: { message } } when it cannot be written.',
      required: true,
      writes: true,
    }),
    columns: byType({
      key: 'headerTemplate',
      label: 'Columns',
      typeKey: 'headerTemplateType',
      default: 'objectKeys',
      help: 'The keys of the rows, some names, or the place of a list of names.',
      kinds: { objectKeys: unused(), stringTemplates: values(), payloadPath: read() },
    }),
  },
  examples: [
    {
      title: 'The keys are the columns',
      config: { source: 'data', destination: 'working.text' },
      payload: { data: [{ name: 'pump, old', floor: 8 }, { name: 'fan' }] },
      output: 'next',
      result: {
        data: [{ name: 'pump, old', floor: 8 }, { name: 'fan' }],
        working: { text: 'name,floor\n"pump, old",8\nfan,\n' },
      },
    },
  ],
  async run({ config, signal }) {
    try {
      const rows = rowsOf(config.source)
      const columns = config.columns === undefined ? keysOf(rows) : namesOf(config.columns)
      config.destination.write(await encode(rows, columns, { format: csvFormatOf(config), turn: takeTurns(signal) }))
    } catch (error) {
      if (!(error instanceof CsvFailure)) throw error
      config.destination.write({ error: { message: error.message } })
    }
  },
})

type CsvRow = Record<string, unknown> | unknown[]

const MOST_COLUMNS = 10_000
const ROWS_AT_ONCE = 200

async function encode(
  rows: CsvRow[],
  columns: string[],
  { format, turn }: { format: Options; turn(): Promise<void> | undefined },
): Promise<string> {
  let text = columns.length === 0 ? '' : write([columns], format)
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    await turn()
    let chars = text.length
    const cellOf = (value: unknown) => {
      const cell = toCell(value)
      // Counted one by one: a column may be named many times, and each of its cells hold a whole object.
      chars += cell.length + 1
      if (chars > MOST_BYTES) throw tooLong()
      return cell
    }
    const some = rows.slice(start, start + ROWS_AT_ONCE)
    const cells = some.map((row) => (Array.isArray(row) ? row : columns.map((name) => own(row, name))).map(cellOf))
    text += write(cells, format)
    if (text.length > MOST_BYTES) throw tooLong()
  }
  return text
}

function write(cells: string[][], format: Options): string {
  try {
    return stringify(cells, format)
  } catch (error) {
    // All that it can refuse is the format: the cells are texts.
    throw new CsvFailure((error as Error).message)
  }
}

function rowsOf(source: unknown): CsvRow[] {
  const rows = Array.isArray(source) ? source : [source]
  if (rows.length > MOST_ITEMS) throw new CsvFailure(`Expected at most ${MOST_ITEMS} rows, got ${rows.length}`)
  const wrong = rows.find((row) => row === null || typeof row !== 'object' || row instanceof Date)
  if (rows.length > 0 && (wrong !== undefined || rows.includes(undefined))) {
    throw new CsvFailure(`Expected a list of objects, got ${wrong === undefined ? 'nothing' : `a ${typeof wrong}`}`)
  }
  return rows as CsvRow[]
}

/** All keys in the order in which they come first. Rows that are lists have none. */
function keysOf(rows: CsvRow[]): string[] {
  const keys = new Set<string>()
  for (const row of rows) {
    if (Array.isArray(row)) continue
    for (const key of Object.keys(row)) keys.add(key)
    if (keys.size > MOST_COLUMNS) throw new CsvFailure(`Expected at most ${MOST_COLUMNS} columns`)
  }
  return [...keys]
}

function namesOf(columns: unknown): string[] {
  const [only] = Array.isArray(columns) ? columns : [columns]
  const names = Array.isArray(columns) && columns.length !== 1 ? columns : textOf(only).split(',')
  if (names.length > MOST_COLUMNS) throw new CsvFailure(`Expected at most ${MOST_COLUMNS} columns`)
  return names.map((name) => textOf(name).trim())
}

function textOf(name: unknown): string {
  return typeof name === 'string' || typeof name === 'number' ? String(name) : ''
}

function own(row: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

function toCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function tooLong(): CsvFailure {
  return new CsvFailure(`Expected CSV of at most ${MOST_BYTES} characters`)
}
