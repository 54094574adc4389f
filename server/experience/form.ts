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
    return parse(text, { depth: 5, parameterLimit: MOST_KEYS, arrayLimit: MOST_KEYS, throwOnLimitExceeded: true })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new HttpError('request.query', `Expected at most ${MOST_KEYS} keys and list elements. ${cause.message}`, {
      cause,
    })
  }
}
