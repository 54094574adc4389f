import { Refusal } from '../nodes/services/listing.ts'
import { type Field, fieldsOf, type QueryResource } from './query-fields.ts'
import type { Filter } from './store/port.ts'

/**
 * What a query has to look up while it is translated. A member left out makes the field that needs it a refusal: queries
 * of groups go without the first two, since who is in a group must not depend on who is in a group.
 */
export interface QueryWorld {
  /** Groups that have the user as a direct member. Blank and unknown ids: none. */
  groupsOfUser?(userId: string): Promise<readonly string[]>
  /** The group itself when it exists. */
  groupsOfGroup?(groupId: string): Promise<readonly string[]>
  /** The device itself and every system below it. */
  systemsBelow?(deviceId: string): Promise<readonly string[]>
  groupsOfEndpoint?(endpointId: string): Promise<readonly string[]>
  /** The devices that match: what events are found by. */
  devicesIn?(filter: Filter): Promise<readonly string[]>
}

export const everything: Filter = { all: [] }
export const nothing: Filter = { any: [] }

/** Most levels of `$and`, `$or`, `$nor` inside each other; most conditions in all; most items of a list; most text. */
export const queryLimits = { depth: 12, conditions: 300, items: 100, characters: 65_536 }

/** Parts of the filter that a query may become: stores take a thousand, and callers add some of their own. */
const mostParts = 800

/**
 * Translates a published advanced query. Undefined, blank text and `{}` are everything; text is read as JSON. Throws
 * Refusal `Validation`, saying where, for what the language does not know and for input over `queryLimits`.
 */
export async function parseQuery(
  resource: QueryResource | OwnFields,
  query: unknown,
  world: QueryWorld,
): Promise<Filter> {
  const parsed = typeof query === 'string' ? parseText(query) : query
  if (parsed === undefined) return everything
  const asked = typeof resource === 'string' ? { of: `${resource}s`, fields: fieldsOf(resource) } : resource
  const reading = { ...asked, world, budget: { left: queryLimits.conditions } }
  const filter = await parseObject(parsed, reading, 'query', 0)
  if (partsOf(filter) > mostParts)
    throw invalid('query', 'the query is too large; use $in for many values of one field')
  return filter
}

function partsOf(filter: Filter): number {
  const inner = 'all' in filter ? filter.all : 'any' in filter ? filter.any : 'not' in filter ? [filter.not] : []
  return inner.reduce((sum, one) => sum + partsOf(one), 1)
}

/** What a query may name where that is not the same everywhere. */
export interface OwnFields {
  /** What is asked for, in the plural. */
  of: string
  fields: Readonly<Record<string, Field>>
}

interface Reading extends OwnFields {
  world: QueryWorld
  budget: { left: number }
}

async function parseObject(query: unknown, reading: Reading, place: string, depth: number): Promise<Filter> {
  if (query === null || typeof query !== 'object' || Array.isArray(query)) {
    throw invalid(place, `expected an object like {"name": {"$eq": "x"}}, got ${shown(query)}`)
  }
  if (depth > queryLimits.depth) throw invalid(place, `the query is nested more than ${queryLimits.depth} levels deep`)
  const parts: Filter[] = []
  for (const [key, value] of Object.entries(query)) {
    const at = place === 'query' ? key : `${place}.${key}`
    if (key === '$and' || key === '$or' || key === '$nor') parts.push(await parseLogic(key, value, reading, at, depth))
    else parts.push(await parseField(key, value, reading, at))
  }
  return parts.length === 1 ? parts[0]! : { all: parts }
}

async function parseLogic(
  word: string,
  list: unknown,
  reading: Reading,
  place: string,
  depth: number,
): Promise<Filter> {
  if (!Array.isArray(list)) throw invalid(place, `expected a list of queries, got ${shown(list)}`)
  if (list.length > queryLimits.items) throw invalid(place, `at most ${queryLimits.items} queries, got ${list.length}`)
  // The format's own idea of empty lists: "$or" of nothing is everything, "$nor" of nothing is nothing.
  if (list.length === 0) return word === '$nor' ? nothing : everything
  const parts: Filter[] = []
  for (const [i, one] of list.entries()) {
    spend(reading.budget, place)
    parts.push(await parseObject(one, reading, `${place}[${i}]`, depth + 1))
  }
  if (word === '$and') return { all: parts }
  return word === '$or' ? { any: parts } : { not: { any: parts } }
}

async function parseField(name: string, raw: unknown, reading: Reading, place: string): Promise<Filter> {
  if (!Object.hasOwn(reading.fields, name)) {
    const known = Object.keys(reading.fields).join(', ')
    const what = name.startsWith('$') ? 'operator' : 'field'
    throw invalid(
      place,
      `unknown ${what} "${name.slice(0, 80)}" in a query of ${reading.of}; use $and, $or, $nor or a field: ${known}`,
    )
  }
  const field = reading.fields[name]!
  const conditions = conditionsOf(field, raw, place)
  const filters: Filter[] = []
  for (const { op, value, ignoreCase } of conditions) {
    const at = `${place}.${op}`
    if (op === '$in' || op === '$nin') {
      const found = await oneOf(field, value, { reading, at, ignoreCase })
      filters.push(op === '$in' ? found : { not: found })
    } else {
      spend(reading.budget, at)
      const positive = op === '$ne' ? '$eq' : op
      const filter = await field.test(positive, value, { world: reading.world, place: at, ignoreCase })
      filters.push(op === '$ne' ? { not: filter } : filter)
    }
  }
  return filters.length === 1 ? filters[0]! : { all: filters }
}

async function oneOf(
  field: Field,
  list: unknown,
  { reading, at, ignoreCase }: { reading: Reading; at: string; ignoreCase: boolean },
): Promise<Filter> {
  if (!Array.isArray(list)) throw invalid(at, `expected a list of values, got ${shown(list)}`)
  if (list.length > queryLimits.items) throw invalid(at, `at most ${queryLimits.items} values, got ${list.length}`)
  const filters: Filter[] = []
  spend(reading.budget, at)
  for (const [i, item] of list.entries()) {
    filters.push(await field.test('$eq', item, { world: reading.world, place: `${at}[${i}]`, ignoreCase }))
  }
  return joined(filters)
}

// Plain equalities of one field become one `in`, which stores look up faster than a chain of alternatives.
function joined(filters: Filter[]): Filter {
  const first = filters[0]
  if (first === undefined || !('field' in first)) return { any: filters }
  const values = filters.flatMap((filter) =>
    'field' in filter &&
    filter.op === 'eq' &&
    filter.field === first.field &&
    !filter.ignoreCase &&
    filter.value !== null
      ? [filter.value]
      : [],
  )
  return values.length === filters.length ? { field: first.field, op: 'in', value: values } : { any: filters }
}

interface Condition {
  op: string
  value: unknown
  ignoreCase: boolean
}

function conditionsOf(field: Field, raw: unknown, place: string): Condition[] {
  if (!isOperators(raw) || (field.ownForms && !hasAny(raw, field.operators))) {
    return [{ op: '$eq', value: raw, ignoreCase: false }]
  }
  const given = Object.entries(raw).filter(([op]) => op !== '$ci' || !field.operators.includes('$ci'))
  for (const [op] of given) {
    if (!field.operators.includes(op)) {
      throw invalid(place, `unknown operator "${op.slice(0, 80)}"; use ${field.operators.join(', ')}`)
    }
  }
  if (given.length === 0) throw invalid(place, `expected an operator: ${field.operators.join(', ')}`)
  if (field.single && given.length > 1) throw invalid(place, `expected exactly one operator, got ${given.length}`)
  const ci = Object.hasOwn(raw, '$ci') ? raw.$ci : false
  if (ci !== false && ci !== true && ci !== 'true' && ci !== 'false') {
    throw invalid(`${place}.$ci`, `expected true or false, got ${shown(ci)}`)
  }
  return given.map(([op, value]) => ({ op, value, ignoreCase: ci === true || ci === 'true' }))
}

function isOperators(raw: unknown): raw is Record<string, unknown> {
  return raw !== null && typeof raw === 'object' && !Array.isArray(raw) && !(raw instanceof Date)
}

function hasAny(raw: Record<string, unknown>, operators: readonly string[]): boolean {
  return operators.some((op) => Object.hasOwn(raw, op))
}

function parseText(text: string): unknown {
  if (text.length > queryLimits.characters) {
    throw invalid('query', `at most ${queryLimits.characters} characters, got ${text.length}`)
  }
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(
      'query',
      `expected JSON, got ${shown(text)} (${error instanceof Error ? error.message : 'unreadable'})`,
    )
  }
}

function spend(budget: { left: number }, place: string): void {
  budget.left -= 1
  if (budget.left < 0) throw invalid(place, `a query has at most ${queryLimits.conditions} conditions`)
}

function invalid(place: string, message: string): Refusal {
  return new Refusal('Validation', `Query at ${place.slice(0, 300)}: ${message}`)
}

function shown(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? 'a list' : String(JSON.stringify(value))
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}
