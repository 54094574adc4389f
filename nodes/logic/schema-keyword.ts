import type { FlowError } from '../../engine/errors.ts'
import { type Check, fail, spend } from './schema-walk.ts'

export type Schema = Record<string, unknown>

export interface SchemaScope {
  depth: number
  /** Steps that the patterns of the schema may still have, all together. */
  work: { patterns: number }
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

/** True for what JSON calls an object. A Date travels as text: its JSON is a string. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** A keyword that limits a count; `count` gives undefined for values that it says nothing about. */
export function countOf(
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

/** A list of names. Throws what `invalid` makes. */
export function textsOf(given: unknown, invalid: KeywordScope['invalid']): string[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given
  throw invalid('a list of names')
}
