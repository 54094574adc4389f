import type { FlowError } from '../../engine/errors.ts'
import { canonical } from './schema-canonical.ts'
import { schemaFormats } from './schema-formats.ts'
import { compilePattern } from './schema-pattern.ts'
import { type Check, deeper, fail, fieldOf, fits, spend, type Walk } from './schema-walk.ts'

export type Schema = Record<string, unknown>

export interface SchemaScope {
  depth: number
  compile(schema: unknown): Check
  resolve(reference: string): Check
}

export interface KeywordScope extends SchemaScope {
  /** The schema that the keyword stands in: some keywords depend on others beside them. */
  schema: Schema
  invalid(expected: string): FlowError
}

/** Makes the check of one keyword. Undefined: it asks for nothing. */
export type Keyword = (given: unknown, scope: KeywordScope) => Check | undefined

/** The keywords of draft 4, in the order in which what does not fit is reported. */
export const keywords: Record<string, Keyword> = {
  type(given, { invalid }) {
    const names = Array.isArray(given) ? given : [given]
    for (const name of names) if (!Object.hasOwn(types, String(name))) throw invalid(`one of ${Object.keys(types)}`)
    const tests = names.map((name) => types[name as string]!)
    return (value, field, walk) => tests.some((test) => test(value)) || fail(walk, field, 'is the wrong type')
  },

  required(given, { invalid }) {
    // Draft 3 says it at the property: `properties` looks there.
    if (typeof given === 'boolean') return undefined
    const names = textsOf(given, invalid)
    return (value, field, walk) => {
      if (!isObject(value)) return true
      spend(walk, names.length)
      let all = true
      for (const name of names) if (!has(value, name)) all = fail(walk, fieldOf(field, name), 'is required')
      return all
    }
  },

  properties(given, { compile, invalid }) {
    if (!isObject(given)) throw invalid('an object of schemas')
    const inner = Object.entries(given).map(([name, schema]) => {
      const required = isObject(schema) && schema.required === true
      return { name, check: compile(schema), required }
    })
    return (value, field, walk) => {
      if (!isObject(value)) return true
      spend(walk, inner.length)
      let all = true
      for (const { name, check, required } of inner) {
        if (has(value, name)) all = deeper(walk, check, value[name], fieldOf(field, name)) && all
        else if (required) all = fail(walk, fieldOf(field, name), 'is required')
      }
      return all
    }
  },

  patternProperties(given, { compile, invalid }) {
    if (!isObject(given)) throw invalid('an object of schemas')
    const inner = Object.entries(given).map(
      ([pattern, schema]) => [compilePattern(pattern, invalid), compile(schema)] as const,
    )
    return forEachKey((key, value, field, walk) => {
      let all = true
      for (const [matches, check] of inner) {
        if (matches(key, walk)) all = deeper(walk, check, value, fieldOf(field, key)) && all
      }
      return all
    })
  },

  additionalProperties(given, { schema, compile, invalid }) {
    if (given === true) return undefined
    const named = new Set(isObject(schema.properties) ? Object.keys(schema.properties) : [])
    const patterns = isObject(schema.patternProperties)
      ? Object.keys(schema.patternProperties).map((pattern) => compilePattern(pattern, invalid))
      : []
    const check = given === false ? undefined : compile(given)
    return forEachKey((key, value, field, walk) => {
      if (named.has(key) || patterns.some((matches) => matches(key, walk))) return true
      if (check) return deeper(walk, check, value, fieldOf(field, key))
      return fail(walk, field, 'has additional properties')
    })
  },

  dependencies(given, { compile, invalid }) {
    if (!isObject(given)) throw invalid('an object')
    const inner = Object.entries(given).map(([name, one]) => {
      if (isObject(one)) return { name, names: [], check: compile(one) }
      return { name, names: typeof one === 'string' ? [one] : textsOf(one, invalid), check: undefined }
    })
    return (value, field, walk) => {
      if (!isObject(value)) return true
      let all = true
      for (const { name, names, check } of inner) {
        spend(walk, 1 + names.length)
        if (!has(value, name)) continue
        if (!names.every((other) => has(value, other))) all = fail(walk, field, 'dependencies not set')
        if (check) all = deeper(walk, check, value, field) && all
      }
      return all
    }
  },

  minProperties: countOf(keysOf, (count, limit) => count >= limit, 'has less properties than allowed'),
  maxProperties: countOf(keysOf, (count, limit) => count <= limit, 'has more properties than allowed'),

  items(given, { schema, compile, invalid }) {
    const { additionalItems } = schema
    const first = Array.isArray(given) ? given.map(compile) : []
    const rest = Array.isArray(given)
      ? isObject(additionalItems)
        ? compile(additionalItems)
        : undefined
      : compile(given)
    if (additionalItems !== undefined && typeof additionalItems !== 'boolean' && !isObject(additionalItems)) {
      throw invalid('a schema, with "additionalItems" true, false or a schema')
    }
    const closed = Array.isArray(given) && additionalItems === false
    return (value, field, walk) => {
      if (!Array.isArray(value)) return true
      let all = !closed || value.length <= first.length || fail(walk, field, 'has additional items')
      for (const [index, item] of value.entries()) {
        const check = first[index] ?? rest
        if (!check) break
        all = deeper(walk, check, item, fieldOf(field, index)) && all
      }
      return all
    }
  },

  minItems: countOf(itemsOf, (count, limit) => count >= limit, 'has less items than allowed'),
  maxItems: countOf(itemsOf, (count, limit) => count <= limit, 'has more items than allowed'),

  uniqueItems(given, { invalid }) {
    if (typeof given !== 'boolean') throw invalid('true or false')
    if (!given) return undefined
    return (value, field, walk) => {
      if (!Array.isArray(value)) return true
      const seen = new Set(value.map((item) => canonical(item, walk)))
      return seen.size === value.length || fail(walk, field, 'must be unique')
    }
  },

  enum(given, { invalid }) {
    if (!Array.isArray(given) || given.length === 0) throw invalid('a list of values')
    const allowed = new Set(given.map((one) => canonical(one)))
    return (value, field, walk) => allowed.has(canonical(value, walk)) || fail(walk, field, 'must be an enum value')
  },

  format(given, { invalid }) {
    if (typeof given !== 'string') throw invalid('a text')
    if (!Object.hasOwn(schemaFormats, given)) return undefined
    const test = schemaFormats[given]!
    return (value, field, walk) =>
      typeof value !== 'string' || test(value) || fail(walk, field, `must be ${given} format`)
  },

  pattern(given, { invalid }) {
    if (typeof given !== 'string') throw invalid('a text')
    const matches = compilePattern(given, invalid)
    return (value, field, walk) =>
      typeof value !== 'string' || matches(value, walk) || fail(walk, field, 'pattern mismatch')
  },

  minLength: countOf(lengthOf, (count, limit) => count >= limit, 'has less length than allowed'),
  maxLength: countOf(lengthOf, (count, limit) => count <= limit, 'has longer length than allowed'),

  minimum: (given, { schema, invalid }) =>
    limitOf(
      given,
      invalid,
      (value, limit) => value > limit || (value === limit && schema.exclusiveMinimum !== true),
      'is less than minimum',
    ),
  maximum: (given, { schema, invalid }) =>
    limitOf(
      given,
      invalid,
      (value, limit) => value < limit || (value === limit && schema.exclusiveMaximum !== true),
      'is more than maximum',
    ),
  // Drafts 3 and 4 give true or false beside the limit; later ones give the limit here.
  exclusiveMinimum: (given, { invalid }) =>
    typeof given === 'boolean'
      ? undefined
      : limitOf(given, invalid, (value, limit) => value > limit, 'is less than minimum'),
  exclusiveMaximum: (given, { invalid }) =>
    typeof given === 'boolean'
      ? undefined
      : limitOf(given, invalid, (value, limit) => value < limit, 'is more than maximum'),
  multipleOf(given, { invalid }) {
    if (typeof given !== 'number' || !(given > 0)) throw invalid('a number above 0')
    return limitOf(given, invalid, isMultiple, 'has a remainder')
  },

  allOf(given, { compile, invalid }) {
    const checks = schemasOf(given, compile, invalid)
    return (value, field, walk) => {
      let all = true
      for (const check of checks) all = deeper(walk, check, value, field) && all
      return all
    }
  },
  anyOf(given, { compile, invalid }) {
    const checks = schemasOf(given, compile, invalid)
    return (value, field, walk) =>
      checks.some((check) => fits(walk, check, value, field)) || fail(walk, field, 'no schemas match')
  },
  oneOf(given, { compile, invalid }) {
    const checks = schemasOf(given, compile, invalid)
    return (value, field, walk) =>
      checks.filter((check) => fits(walk, check, value, field)).length === 1 ||
      fail(walk, field, 'no (or more than one) schemas match')
  },
  not(given, { compile }) {
    const check = compile(given)
    return (value, field, walk) => !fits(walk, check, value, field) || fail(walk, field, 'negative schema matches')
  },
}

// A Date travels as text: its JSON is a string.
const types: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string' || value instanceof Date,
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: (value) => Array.isArray(value),
  object: isObject,
  any: () => true,
}

type Invalid = KeywordScope['invalid']

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

// A property that is undefined is not there: JSON would drop it.
function has(value: Record<string, unknown>, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined
}

function forEachKey(check: (key: string, value: unknown, field: string, walk: Walk) => boolean): Check {
  return (value, field, walk) => {
    if (!isObject(value)) return true
    let all = true
    for (const key of Object.keys(value)) {
      spend(walk, 1)
      if (value[key] !== undefined) all = check(key, value[key], field, walk) && all
    }
    return all
  }
}

function countOf(
  count: (value: unknown) => number | undefined,
  holds: (count: number, limit: number) => boolean,
  message: string,
): Keyword {
  return (given, { invalid }) => {
    if (!Number.isInteger(given) || (given as number) < 0) throw invalid('a whole number from 0')
    return (value, field, walk) => {
      const found = count(value)
      if (found === undefined) return true
      spend(walk, found / 50)
      return holds(found, given as number) || fail(walk, field, message)
    }
  }
}

function keysOf(value: unknown): number | undefined {
  return isObject(value) ? Object.keys(value).length : undefined
}

function itemsOf(value: unknown): number | undefined {
  return Array.isArray(value) ? value.length : undefined
}

// Characters, not UTF-16 units: a pair of surrogates counts once.
function lengthOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  let count = value.length
  for (let at = 1; at < value.length; at++) {
    if ((value.charCodeAt(at) & 0xfc00) === 0xdc00 && (value.charCodeAt(at - 1) & 0xfc00) === 0xd800) count--
  }
  return count
}

function limitOf(
  given: unknown,
  invalid: Invalid,
  holds: (value: number, limit: number) => boolean,
  message: string,
): Check {
  if (typeof given !== 'number') throw invalid('a number')
  return (value, field, walk) => typeof value !== 'number' || holds(value, given) || fail(walk, field, message)
}

// 0.3 is a multiple of 0.1, though their quotient is a little less than 3.
function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.max(1, Math.abs(quotient))
}

function textsOf(given: unknown, invalid: Invalid): string[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given
  throw invalid('a list of names')
}

function schemasOf(given: unknown, compile: SchemaScope['compile'], invalid: Invalid): Check[] {
  if (!Array.isArray(given) || given.length === 0) throw invalid('a list of schemas')
  return given.map(compile)
}
