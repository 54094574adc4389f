import { stringify } from 'csv-stringify/sync'

/** What a cell holds; undefined is an empty cell. */
export type Cell = string | number | boolean | undefined

/**
 * Rows as CSV (RFC 4180, but lines end with LF), the last one ended, too. Numbers stay numbers; text is made plain (see
 * `plainText`), so that to open the file in a spreadsheet computes nothing.
 */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], {
    record_delimiter: '\n',
    cast: { string: plainText, boolean: String, number: String },
    quoted_match: /\r/,
  })
}

/** Rows on their way into a file: `add` is true when enough have come for a piece of it, which `take` gives. */
export interface CsvPieces {
  add(row: readonly Cell[]): boolean
  take(): Buffer
  /** Rows since the last piece. */
  waiting(): number
}

const pieceRows = 500
const pieceCharacters = 64 * 1024

/** Gathers rows into pieces of some 64 KB, unless a single row is larger. */
export function openCsvPieces(): CsvPieces {
  let rows: (readonly Cell[])[] = []
  let characters = 0
  return {
    add(row) {
      rows.push(row)
      for (const cell of row) characters += typeof cell === 'string' ? cell.length : 0
      return rows.length >= pieceRows || characters >= pieceCharacters
    },
    take() {
      const piece = Buffer.from(csvLines(rows))
      rows = []
      characters = 0
      return piece
    },
    waiting: () => rows.length,
  }
}

const formula = /^'*[=+\-@\t\r\n＝＋－＠]/
/** Numbers and positions: a sign makes no formula of them. */
const numeric = /^[+-]?\d{1,20}(\.\d{1,20})?(, ?[+-]?\d{1,20}(\.\d{1,20})?)?$/

/**
 * Text that no spreadsheet takes for a formula: what begins with `=`, `+`, `-`, `@`, a tab or a line break, also after
 * apostrophes, gets one apostrophe more before it. So nothing is lost: take one away where apostrophes stand before such a
 * character.
 */
export function plainText(text: string): string {
  return formula.test(text) && !numeric.test(text) ? `'${text}` : text
}
