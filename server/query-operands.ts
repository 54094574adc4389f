import { Refusal } from '../nodes/services/listing.ts'
import type { Filter, TagSide } from './store/port.ts'

/** The forms of a tag condition: `{ $tagKey, $tagValue }`, pairs `{ key: value }`, or null for "no tags". Throws Refusal. */
export function tagCondition(field: string, operand: unknown, place: string): Filter {
  if (operand === null) return { not: { tag: field } }
  if (typeof operand !== 'object' || Array.isArray(operand) || operand instanceof Date) {
    throw wrong(place, 'expected {"$tagKey": key, "$tagValue": value} or {key: value}')
  }
  const form = operand as Record<string, unknown>
  const names = Object.keys(form)
  return names.some((name) => name.startsWith('$')) ? tagSides(field, form, place) : tagPairs(field, form, place)
}

function tagSides(field: string, form: Record<string, unknown>, place: string): Filter {
  for (const name of Object.keys(form)) {
    if (name !== '$tagKey' && name !== '$tagValue') {
      throw wrong(place, `unknown key "${name.slice(0, 80)}" in a tag condition; use $tagKey and $tagValue`)
    }
  }
  const key = tagSide(Object.hasOwn(form, '$tagKey') ? form.$tagKey : undefined, `${place}.$tagKey`)
  const value = tagSide(Object.hasOwn(form, '$tagValue') ? form.$tagValue : undefined, `${place}.$tagValue`)
  return { tag: field, ...(key ? { key } : {}), ...(value ? { value } : {}) }
}

function tagSide(side: unknown, place: string): TagSide | undefined {
  if (side === undefined || side === null || side === '') return undefined
  if (typeof side !== 'object' || side instanceof Date) return { in: [toText(side, place)] }
  const names = Object.keys(side)
  const name = names[0]
  const list = (side as Record<string, unknown>)[name ?? '']
  if (names.length !== 1 || (name !== '$in' && name !== '$nin') || !Array.isArray(list) || list.length > 100) {
    throw wrong(place, 'expected text, {"$in": [...]} or {"$nin": [...]} with at most 100 items')
  }
  const texts = list.map((item, i) => toText(item, `${place}.${name}[${i}]`))
  return name === '$in' ? { in: texts } : { notIn: texts }
}

function tagPairs(field: string, form: Record<string, unknown>, place: string): Filter {
  const entries = Object.entries(form)
  if (entries.length > 100) throw wrong(place, `at most 100 tags, got ${entries.length}`)
  const filters = entries.map(
    ([key, value]): Filter =>
      value === null
        ? { not: { tag: field, key: { in: [key] } } }
        : { tag: field, key: { in: [key] }, value: { in: [toText(value, `${place}.${key}`)] } },
  )
  return filters.length === 1 ? filters[0]! : { all: filters }
}

/** The text that an operand of a text field stands for. Throws Refusal for lists, objects and too long text. */
export function toText(operand: unknown, place: string): string {
  if (typeof operand === 'number' || typeof operand === 'boolean') return String(operand)
  if (operand instanceof Date && !Number.isNaN(operand.getTime())) return operand.toISOString()
  if (typeof operand !== 'string')
    throw wrong(place, `expected text, got ${Array.isArray(operand) ? 'a list' : typeof operand}`)
  if (operand.length > 8192) throw wrong(place, `at most 8192 characters, got ${operand.length}`)
  return operand
}

/** A Refusal that names the place in the query. */
export function wrong(place: string, message: string): Refusal {
  return new Refusal('Validation', `Query at ${place.slice(0, 300)}: ${message}`)
}
