import { countOf, isObject, type Keyword, textsOf } from './schema-keyword.ts'
import { compilePattern } from './schema-pattern.ts'
import { type Check, deeper, fail, fieldOf, spend, type Walk } from './schema-walk.ts'

/** The keywords that say something about objects, in the order in which what does not fit is reported. */
export const objectKeywords: Record<string, Keyword> = {
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

  patternProperties(given, { compile, invalid, work }) {
    if (!isObject(given)) throw invalid('an object of schemas')
    const inner = Object.entries(given).map(
      ([pattern, schema]) => [compilePattern(pattern, { invalid, work }), compile(schema)] as const,
    )
    return forEachKey((key, value, field, walk) => {
      let all = true
      for (const [matches, check] of inner) {
        if (matches(key, walk)) all = deeper(walk, check, value, fieldOf(field, key)) && all
      }
      return all
    })
  },

  additionalProperties(given, { schema, compile, invalid, work }) {
    if (given === true) return undefined
    const named = new Set(isObject(schema.properties) ? Object.keys(schema.properties) : [])
    const patterns = isObject(schema.patternProperties)
      ? Object.keys(schema.patternProperties).map((pattern) => compilePattern(pattern, { invalid, work }))
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

function keysOf(value: unknown): number | undefined {
  return isObject(value) ? Object.keys(value).length : undefined
}
