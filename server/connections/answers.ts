import { parseJsonText } from '../../engine/json-text.ts'
import { Refusal } from '../../nodes/services/listing.ts'

/** Most rows or documents that one question gives. */
export const MOST_ROWS = 10_000

/** Most bytes of an answer, on the wire and as JSON. */
export const MOST_BYTES = 5 << 20

/** An answer as a payload holds it: dates as ISO text, bytes as base64, whole numbers beyond 2^53 as text. Throws Refusal above 5 MB. */
export function toPayload(value: unknown): unknown {
  const text = toText(value)
  if (text === undefined) return undefined
  if (text.length > MOST_BYTES) throw tooLarge()
  return parseJsonText(text)
}

/** The refusal of an answer with too many rows. */
export function tooMany(): Refusal {
  return new Refusal('Validation', `Expected at most ${MOST_ROWS} rows in an answer, got more. Limit the question.`)
}

/** The refusal of an answer with too many bytes. */
export function tooLarge(): Refusal {
  return new Refusal(
    'Validation',
    `Expected an answer of at most ${MOST_BYTES} bytes, got a larger one. Limit the question.`,
  )
}

function toText(value: unknown): string | undefined {
  try {
    return JSON.stringify(plain(value))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Refusal('Validation', 'Expected an answer that is nested less deep')
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}
