import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { flag, path, read } from '../../engine/fields.ts'
import { sizeOf } from '../../engine/payload.ts'
import { MOST_BYTES, MOST_ITEMS, takeTurns } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { CsvFailure, type CsvFormat, csvFields, csvFormatOf } from './csv-format.ts'

export const csvDecode = defineNode({
  type: 'csv-decode',
  aliases: ['CSVDecodeNode'],
  group: 'logic',
  title: 'CSV: Decode',
  summary: 'Reads CSV text into a list of objects, whose keys stand in the first row.',
  outputs: ['next'],
  needs: [],
  config: {
    ...csvFields,
    source: read({ key: 'source', label: 'Text', help: 'Where the CSV text is found, at most 5 MB.', required: true }),
    destination: path({
      key: 'destination',
      label: 'Rows',
      help: 'A list with an object for each row, whose values are texts; { error: { message } } when it cannot be read.',
      required: true,
      writes: true,
    }),
    stripBom: flag({
      key: 'stripBom',
      label: 'Without byte order mark',
      help: 'Leaves out a byte order mark at the start of the text.',
    }),
  },
  examples: [
    {
      title: 'Every value is a text',
      config: { source: 'data.file', destination: 'data.rows' },
      payload: { data: { file: 'name,floor\npump,8\n' } },
      output: 'next',
      result: { data: { file: 'name,floor\npump,8\n', rows: [{ name: 'pump', floor: '8' }] } },
    },
    {
      title: 'A row with too few values',
      config: { source: 'data', destination: 'data' },
      payload: { data: 'name,floor\npump\n' },
      output: 'next',
      result: { data: { error: { message: 'Invalid Record Length: expect 2, got 1 on line 2' } } },
    },
  ],
  async run({ config, signal }) {
    try {
      config.destination.write(await decode(config.source, config, signal))
    } catch (error) {
      if (!(error instanceof CsvError) && !(error instanceof CsvFailure)) throw error
      config.destination.write({ error: { message: error.message } })
    }
  },
})

const CHUNK_CHARS = 32_768
const MOST_COLUMNS = 10_000

async function decode(source: unknown, config: CsvFormat & { stripBom: boolean }, signal: AbortSignal) {
  if (typeof source !== 'string') {
    throw new CsvFailure(`Expected CSV text, got ${source === undefined ? 'nothing' : typeof source}`)
  }
  if (source.length > MOST_BYTES) throw new CsvFailure(`Expected at most ${MOST_BYTES} characters of CSV`)
  const format = csvFormatOf(config)
  const lines = format.record_delimiter === '\n' ? { record_delimiter: ['\r\n', '\n'] } : {}
  const parser = parse({ ...format, ...lines, bom: config.stripBom, skip_empty_lines: true })
  const turn = takeTurns(signal)
  const chunks = Readable.from(chunksOf(source, turn))
  // A pipe does not pass on that the run is over.
  chunks.on('error', (error) => parser.destroy(error))
  let header: string[] | undefined
  const rows: Record<string, string>[] = []
  let size = 0
  for await (const record of chunks.pipe(parser) as AsyncIterable<string[]>) {
    await turn()
    if (header === undefined) {
      header = record
      if (header.length > MOST_COLUMNS) throw new CsvFailure(`Expected at most ${MOST_COLUMNS} columns`)
      continue
    }
    const names = header
    // fromEntries makes own properties, also of a column named "__proto__".
    const row = Object.fromEntries(record.map((value, index) => [names[index], value]))
    size += sizeOf(row)
    if (size > MOST_BYTES || rows.length >= MOST_ITEMS) {
      throw new CsvFailure(`Expected at most ${MOST_ITEMS} rows and ${MOST_BYTES} bytes of values with their keys`)
    }
    rows.push(row)
  }
  return rows
}

async function* chunksOf(text: string, turn: () => Promise<void> | undefined): AsyncIterable<string> {
  for (let start = 0; start < text.length; ) {
    let end = start + CHUNK_CHARS
    // A pair of surrogates is one character: apart they would be none.
    if (/[\ud800-\udbff]/.test(text.charAt(end - 1))) end += 1
    // A single row may be as long as the text: others wait no longer than for one piece of it.
    await turn()
    yield text.slice(start, end)
    start = end
  }
}
