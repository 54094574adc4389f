import { fold } from './store/fold.ts'
import type { CompareOp, Filter, Scalar, TagSide } from './store/port.ts'

/**
 * True when the document fits the filter: the same answer as a store gives, for a document that is not stored yet. The
 * filter must have no `within`, which only a store can answer.
 */
export function matchesFilter(filter: Filter, document: object): boolean {
  if ('all' in filter) return filter.all.every((one) => matchesFilter(one, document))
  if ('any' in filter) return filter.any.some((one) => matchesFilter(one, document))
  if ('not' in filter) return !matchesFilter(filter.not, document)
  if ('tag' in filter) {
    return tagsAt(document, filter.tag).some(
      ([key, value]) => fitsSide(key, filter.key) && fitsSide(value, filter.value),
    )
  }
  if ('within' in filter) throw new TypeError('A filter with "within" can only be answered by a store')
  if ('list' in filter) {
    const items = valuesAt(document, filter.list)
    if ('has' in filter) return items.some((item) => filter.has.includes(String(item)))
    return items.some((item) => compares(String(item), filter.op, filter.value, filter.ignoreCase))
  }
  if ('cell' in filter) {
    return compares(
      (valuesAt(document, `${filter.cell}.${filter.key}`)[0] ?? null) as Scalar,
      filter.op,
      filter.value,
      filter.ignoreCase,
    )
  }
  const value = valuesAt(document, filter.field)[0] ?? null
  if (filter.op === 'in') return filter.value.includes(value as Scalar)
  return compares(value as Scalar, filter.op, filter.value, filter.ignoreCase)
}

function compares(left: Scalar, op: CompareOp, right: Scalar, ignoreCase = false): boolean {
  const a = ignoreCase ? folded(left) : left
  const b = ignoreCase ? folded(right) : right
  if (op === 'eq') return a === b
  if (op === 'ne') return a !== b
  if (a === null || b === null || typeof a !== typeof b) return false
  if (op === 'gt') return a > b
  if (op === 'gte') return a >= b
  if (op === 'lt') return a < b
  if (op === 'lte') return a <= b
  if (typeof a !== 'string' || typeof b !== 'string') return false
  if (op === 'startsWith') return a.startsWith(b)
  return op === 'endsWith' ? a.endsWith(b) : a.includes(b)
}

function folded(value: Scalar): Scalar {
  return typeof value === 'string' ? fold(value) : value
}

function fitsSide(text: string, side: TagSide | undefined): boolean {
  if (side === undefined) return true
  return 'in' in side ? side.in.includes(text) : !side.notIn.includes(text)
}

/** Values at a dotted field; a list on the way is walked: `attributes.name` gives every name. */
function valuesAt(document: object, field: string): unknown[] {
  let values: unknown[] = [document]
  for (const name of field.split('.')) {
    values = values
      .filter((value) => value !== null && typeof value === 'object' && Object.hasOwn(value, name))
      .flatMap((value) => (value as Record<string, unknown>)[name])
  }
  return values.filter((value) => value !== undefined && value !== null)
}

function tagsAt(document: object, field: string): [string, string][] {
  const tags: unknown = Object.hasOwn(document, field) ? (document as Record<string, unknown>)[field] : undefined
  if (Array.isArray(tags)) return tags.map((tag: { key: string; value: string }) => [tag.key, tag.value])
  return Object.entries((tags ?? {}) as Record<string, string>)
}
