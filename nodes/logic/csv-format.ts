import { template } from '../../engine/fields.ts'

/** CSV that cannot be read or written: nodes put it at their destination as `{ error: { message } }`. */
export class CsvFailure extends Error {}

/** The settings that reading and writing CSV share. */
export const csvFields = {
  recordDelimiter: template({ key: 'recordDelimiterTemplate', label: 'Between rows', help: 'Empty: a new line.' }),
  delimiter: template({ key: 'delimiterTemplate', label: 'Between values', help: 'Empty: a comma. \\t is a tab.' }),
  quoteChar: template({ key: 'quoteCharTemplate', label: 'Quote', help: 'Empty: ".' }),
  escapeChar: template({ key: 'escapeCharTemplate', label: 'Before a quote in quotes', help: 'Empty: ".' }),
}

export interface CsvFormat {
  recordDelimiter: string
  delimiter: string
  quoteChar: string
  escapeChar: string
}

const MOST_CHARS = 16

/** The format that the settings name; one that renders to nothing has its default. Throws CsvFailure for more than 16 characters. */
export function csvFormatOf(config: CsvFormat) {
  const format = {
    record_delimiter: toControl(config.recordDelimiter) || '\n',
    delimiter: toControl(config.delimiter) || ',',
    quote: config.quoteChar || '"',
    escape: config.escapeChar || '"',
  }
  // Each character of the text may be compared with all of them.
  if (Object.values(format).every(({ length }) => length <= MOST_CHARS)) return format
  throw new CsvFailure(`Expected delimiters, quote and escape of at most ${MOST_CHARS} characters`)
}

const controls: Record<string, string> = { '\\n': '\n', '\\r': '\r', '\\t': '\t' }

// Forms give a line break or a tab as it is written in programs.
function toControl(text: string): string {
  return text.replace(/\\[nrt]/g, (written) => controls[written]!)
}
