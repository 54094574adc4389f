import { type ParsedQs, parse } from 'qs'
import { HttpError } from '../errors.ts'

/** Keys of a query or form, and elements of one of its lists. */
export const MOST_KEYS = 1_000

/**
 * Parses a query or form: a repeated key gives a list, `a[b]=1` an object, down to 5 levels. Values are strings. Keys
 * that an object has from its prototype are dropped. Throws HttpError `request.query`.
 */
export function parseForm(text: string): ParsedQs {
  if (text === '') return {}
  try {
    return parse(unescaped(text), {
      depth: 5,
      parameterLimit: MOST_KEYS,
      arrayLimit: MOST_KEYS,
      throwOnLimitExceeded: true,
    })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new HttpError('request.query', `Expected at most ${MOST_KEYS} keys and list elements. ${cause.message}`, {
      cause,
    })
  }
}

/**
 * The text with what the library would replace: a plus stands for a blank, and brackets may be written as %5B and %5D. In millions of
 * them its patterns take seconds.
 */
function unescaped(text: string): string {
  if (!text.includes('+') && !text.includes('%5')) return text
  const units = Buffer.from(text, 'utf16le')
  const is = (at: number, code: number) => units[at] === code && units[at + 1] === 0
  let end = 0
  for (let at = 0; at < units.length; at += 2) {
    let [low, high] = [units[at]!, units[at + 1]!]
    if (is(at, PLUS)) low = BLANK
    else if (is(at, PERCENT) && is(at + 2, FIVE)) {
      const bracket = units[at + 5] === 0 ? brackets.get(units[at + 4]!) : undefined
      if (bracket !== undefined) {
        low = bracket
        high = 0
        at += 4
      }
    }
    units[end++] = low
    units[end++] = high
  }
  return units.toString('utf16le', 0, end)
}

const [PLUS, BLANK, PERCENT, FIVE] = [0x2b, 0x20, 0x25, 0x35]
/** What follows `%5`, in either case, and what the three stand for. */
const brackets = new Map([
  [0x42, 0x5b],
  [0x62, 0x5b],
  [0x44, 0x5d],
  [0x64, 0x5d],
])
