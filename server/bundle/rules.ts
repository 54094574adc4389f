import { type JsonSchema, objectOf, orNull } from '../schema/json-schema.ts'
import { pointTo } from './problem.ts'

/**
 * Says what is wrong with a value: calls `fail` with a pointer below `pointer` for each thing. `schema` is the same as a JSON
 * Schema, as far as one can say it; it takes all that the rule takes.
 */
export interface Rule {
  (value: unknown, pointer: string, fail: (pointer: string, message: string) => void): void
  schema?: JsonSchema
}

/** A rule with its schema. */
export function ruled(schema: JsonSchema, rule: Rule): Rule {
  return Object.assign(rule, { schema })
}

/** Text of `min` (default 0) to `max` characters. */
export function text(bounds: { min?: number; max: number; pattern?: RegExp }): Rule {
  const { min = 0, max, pattern } = bounds
  // A schema counts whole characters: the least number of them that can have this length.
  const schema = { type: 'string', minLength: Math.ceil(min / 2), maxLength: max, pattern: pattern?.source }
  return ruled(withoutNothing(schema), (value, pointer, fail) => {
    if (typeof value !== 'string') return fail(pointer, `Expected text, got ${show(value)}`)
    if (value.length < min || value.length > max) {
      return fail(pointer, `Expected ${min}-${max} characters, got ${value.length}`)
    }
    if (pattern && !pattern.test(value)) fail(pointer, `Expected text that fits ${pattern.source}, got ${show(value)}`)
  })
}

/** True or false. */
export const flag: Rule = ruled({ type: 'boolean' }, (value, pointer, fail) => {
  if (typeof value !== 'boolean') fail(pointer, `Expected true or false, got ${show(value)}`)
})

/** A whole number within bounds, both included. */
export function whole(min: number, max: number): Rule {
  return ruled({ type: 'integer', minimum: min, maximum: max }, (value, pointer, fail) => {
    const good = Number.isInteger(value) && (value as number) >= min && (value as number) <= max
    if (!good) fail(pointer, `Expected a whole number from ${min} to ${max}, got ${show(value)}`)
  })
}

/** One of a closed set of words. */
export function oneOf(...words: readonly string[]): Rule {
  return ruled({ enum: words }, (value, pointer, fail) => {
    if (!words.includes(value as string)) fail(pointer, `Expected one of ${words.join(', ')}, got ${show(value)}`)
  })
}

const referencePattern = /^(?:~exportplaceholderid-[^~]+~|[0-9a-f]{24})$/

/** A placeholder of the format, or an id. */
export const reference: Rule = ruled({ type: 'string', pattern: referencePattern.source }, (value, pointer, fail) => {
  const good = typeof value === 'string' && referencePattern.test(value)
  if (!good) fail(pointer, `Expected a reference like ~exportplaceholderid-device-pump~, got ${show(value)}`)
})

/** A list of at most `most` entries. */
export function listOf(rule: Rule, most: number): Rule {
  return ruled({ type: 'array', maxItems: most, items: rule.schema ?? {} }, (value, pointer, fail) => {
    if (!Array.isArray(value)) return fail(pointer, `Expected a list, got ${show(value)}`)
    if (value.length > most) return fail(pointer, `Expected at most ${most} entries, got ${value.length}`)
    for (const [index, entry] of value.entries()) rule(entry, pointTo(pointer, index), fail)
  })
}

/** An object whose keys are names and whose values fit `rule`. */
export function mapOf(rule: Rule, key = keyPattern): Rule {
  const schema = { type: 'object', propertyNames: { pattern: key.source }, additionalProperties: rule.schema ?? {} }
  return ruled(schema, (value, pointer, fail) => {
    if (!isObject(value)) return fail(pointer, `Expected an object, got ${show(value)}`)
    for (const [name, entry] of Object.entries(value)) {
      if (!key.test(name)) fail(pointTo(pointer, name), `Expected a key that fits ${key.source}, got ${show(name)}`)
      rule(entry, pointTo(pointer, name), fail)
    }
  })
}

/** An object with these fields; those not in `required` may be missing or null. Other fields are left to the caller. */
export function shape(fields: Record<string, Rule>, required: readonly string[] = []): Rule {
  const properties = Object.entries(fields).map(([name, { schema = {} }]) => {
    return [name, required.includes(name) ? schema : orNull(schema)] as const
  })
  return ruled(objectOf(Object.fromEntries(properties), required), (value, pointer, fail) => {
    if (!isObject(value)) return fail(pointer, `Expected an object, got ${show(value)}`)
    for (const [name, rule] of Object.entries(fields)) {
      const given = Object.hasOwn(value, name) ? value[name] : undefined
      if (given !== undefined && given !== null) rule(given, pointTo(pointer, name), fail)
      else if (required.includes(name)) fail(pointTo(pointer, name), `Expected "${name}", got nothing`)
    }
  })
}

/** JSON text. */
export function jsonText(max: number): Rule {
  return ruled({ type: 'string', maxLength: max, description: 'JSON text.' }, (value, pointer, fail) => {
    if (typeof value !== 'string' || value.length > max) {
      return fail(pointer, `Expected JSON text of at most ${max} characters, got ${show(value)}`)
    }
    try {
      JSON.parse(value)
    } catch (error) {
      fail(pointer, `Expected JSON text: ${(error as Error).message}`)
    }
  })
}

/** Any value will do. */
export const anything: Rule = () => undefined

/** Names of tags, attributes and globals. */
export const keyPattern = /^[0-9a-zA-Z_-]{1,255}$/

function withoutNothing(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100)
}
