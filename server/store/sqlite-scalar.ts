import { fold } from './fold.ts'
import type { SqlValue } from './sqlite-database.ts'

const falseBlob = new Uint8Array([0])
const trueBlob = new Uint8Array([1])

/**
 * A scalar as a column value; null for what is no scalar. Booleans are blobs of one byte: no number and no text is equal to
 * them, and they have an order.
 */
export function encodeScalar(value: unknown): SqlValue {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'boolean') return value ? trueBlob : falseBlob
  return null
}

/** The scalar of a column value. */
export function decodeScalar(value: unknown): string | number | boolean {
  return value instanceof Uint8Array ? value[0] === 1 : (value as string | number)
}

/** A scalar as it is ordered: text folded. */
export function encodeSorted(value: unknown): SqlValue {
  return typeof value === 'string' ? fold(value) : encodeScalar(value)
}

/** What stands at a dotted path of a document; through arrays it is what stands in each item. Undefined when there is none. */
export function valueAt(document: unknown, path: string): unknown {
  let value: unknown = document
  for (const key of path.split('.')) {
    if (Array.isArray(value)) value = value.map((item) => own(item, key))
    else value = own(value, key)
  }
  return value
}

/** The texts of a list field, each once. */
export function textsAt(document: unknown, path: string): string[] {
  const value = valueAt(document, path)
  if (!Array.isArray(value)) return []
  return [...new Set(value.flat(8).filter((item) => typeof item === 'string'))]
}

/** The pairs of a tag field, each once; a side that is missing counts as empty text. */
export function tagsAt(document: unknown, path: string): [key: string, value: string][] {
  const field = valueAt(document, path)
  if (typeof field !== 'object' || field === null) return []
  const pairs: [string, string][] = Array.isArray(field)
    ? field.map((tag) => [textOf(own(tag, 'key')), textOf(own(tag, 'value'))])
    : Object.entries(field).map(([key, value]) => [key, textOf(value)])
  const distinct = new Map(pairs.map((pair) => [JSON.stringify(pair), pair]))
  return [...distinct.values()]
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
