import { type Budget, limitError } from '../budget.ts'
import { parseJsonText } from '../json-text.ts'
import { sizeOf } from '../payload.ts'
import { type Helper, type Helpers, valueHelper } from './helper.ts'
import { isRecord, printValue, toNumber } from './values.ts'

const MOST_JSON_CHARS = 5_000_000

/**
 * JSON text, with `indent` (at most 10) blanks a level; '' for undefined. Throws `template.limit` for more than 5,000,000
 * characters, before it makes them.
 */
export function toJson(value: unknown, indent = 0): string {
  const size = sizeOf(value, MOST_JSON_CHARS)
  const blanks = indent >= 1 && size <= MOST_JSON_CHARS ? blanksOf(value, Math.min(indent, 10)) : 0
  if (size + blanks > MOST_JSON_CHARS)
    throw limitError(`more than ${MOST_JSON_CHARS} characters of JSON`, 'Encode less')
  return JSON.stringify(value, undefined, indent) ?? ''
}

/** What is added to JSON by a line for each value, roughly; no more is counted once it is too much. */
function blanksOf(value: unknown, indent: number): number {
  let blanks = 0
  let level = [value]
  for (let depth = 1; level.length > 0 && blanks <= MOST_JSON_CHARS; depth++) {
    level = level.flatMap((one) => (one !== null && typeof one === 'object' ? Object.values(one) : []))
    blanks += level.length * (depth * indent + 2)
  }
  return blanks
}

const jsonEncode: Helper = {
  raw: true,
  run: ([value, indent]) => toJson(value, indent === undefined ? 0 : toNumber(indent) || 0),
}

/** `jsonEncode` for HTML: the same value, safe in a script element and in a quoted attribute. */
export const jsonEncodeForHtml: Helper = {
  raw: true,
  run: (args, call) =>
    (jsonEncode.run(args, call) as string).replace(
      /[<>&'\u2028\u2029]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
}

/** Text as JSON, URL and Base64, and back. What cannot be decoded stays as it is; what is not JSON is undefined. */
export const encodingHelpers: Helpers = {
  encodeURI: valueHelper((text) => encodeURI(printValue(text).toWellFormed())),
  decodeURI: valueHelper((text) => decode(decodeURI, printValue(text))),
  encodeURIComponent: valueHelper((text) => encodeURIComponent(printValue(text).toWellFormed())),
  decodeURIComponent: valueHelper((text) => decode(decodeURIComponent, printValue(text))),
  encodeBase64: valueHelper((text) => Buffer.from(printValue(text), 'utf8').toString('base64')),
  decodeBase64: valueHelper((text) => Buffer.from(printValue(text), 'base64').toString('utf8')),
  queryStringEncode: { run: ([value], { budget }) => toQuery(value, budget) },
  jsonEncode,
  json: jsonEncode,
  jsonDecode: valueHelper((text) => {
    if (typeof text !== 'string') return undefined
    try {
      return parseJsonText(text)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      // Promised: what is not JSON is undefined.
      return undefined
    }
  }),
}

function decode(run: (text: string) => string, text: string): string {
  try {
    return run(text)
  } catch {
    // A stray % in what a user typed is no mistake of the template.
    return text
  }
}

function toQuery(value: unknown, budget: Budget): string {
  if (!isRecord(value)) return ''
  const pairs = Object.entries(value).flatMap(([key, item]) =>
    (Array.isArray(item) ? item : [item])
      .filter((one) => one !== undefined)
      .map((one) => {
        const pair = `${encodeText(key)}=${encodeText(printValue(one))}`
        budget.text(pair.length)
        return pair
      }),
  )
  return pairs.join('&')
}

function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
