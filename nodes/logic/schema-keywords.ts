import { canonical } from './schema-canonical.ts'
import { schemaFormats } from './schema-formats.ts'
import { countOf, isObject, type Keyword, type KeywordScope, type SchemaScope } from './schema-keyword.ts'
import { objectKeywords } from './schema-objects.ts'
import { compilePattern } from './schema-pattern.ts'
import { type Check, deeper, fail, fieldOf, fits } from './schema-walk.ts'

/** The keywords of draft 4, in the order in which what does not fit is reported. */
export const keywords: Record<string, Keyword> = {
  type(given, { invalid }) {
    const names = Array.isArray(given) ? given : [given]
    for (const name of names) if (!Object.hasOwn(types, String(name))) throw invalid(`one of ${Object.keys(types)}`)
    const tests = names.map((name) => types[name as string]!)
    return (value, field, walk) => tests.some((test) => test(value)) || fail(walk, field, 'is the wrong type')
  },

  ...objectKeywords,

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

  pattern(given, { invalid, work }) {
    if (typeof given !== 'string') throw invalid('a text')
    const matches = compilePattern(given, { invalid, work })
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

function schemasOf(given: unknown, compile: SchemaScope['compile'], invalid: Invalid): Check[] {
  if (!Array.isArray(given) || given.length === 0) throw invalid('a list of schemas')
  return given.map(compile)
}
