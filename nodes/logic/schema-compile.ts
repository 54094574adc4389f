import { FlowError } from '../../engine/errors.ts'
import { readPath } from '../../engine/payload.ts'
import type { Keyword, Schema, SchemaScope } from './schema-keyword.ts'
import { keywords } from './schema-keywords.ts'
import { type Check, deeper, spend } from './schema-walk.ts'

const compiled = new WeakMap<object, Check>()
const inOrder = Object.entries<Keyword>(keywords)
const MOST_NESTED = 200
const MOST_PATTERN_STEPS = 10_000

/**
 * A JSON Schema of draft 4, ready to check values with. Compiled once for each schema object; forgotten with it. Throws
 * `schema.invalid` for keywords of the wrong shape, unusable patterns and references to other documents.
 */
export function compileSchema(schema: object): Check {
  const known = compiled.get(schema)
  if (known) return known
  // By what they lead to: one place can be written in many ways, and a place that is referred to is compiled once.
  const references = new Map<unknown, Check>()
  const parts = new Map<object, Check>()
  const scope: SchemaScope = {
    depth: 0,
    work: { patterns: MOST_PATTERN_STEPS },
    compile(inner) {
      if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) {
        throw invalid(`Expected a schema to be an object, got ${JSON.stringify(inner)}`)
      }
      const done = parts.get(inner)
      if (done) return done
      if (scope.depth >= MOST_NESTED) throw invalid(`The schema is nested more than ${MOST_NESTED} levels deep`)
      scope.depth++
      const check = compileObject(inner as Schema, scope)
      scope.depth--
      parts.set(inner, check)
      return check
    },
    resolve(reference) {
      const place = lookUp(schema, reference)
      const found = references.get(place)
      if (found) return found
      // Known before it is compiled: what it refers to may refer back.
      let target: Check | undefined
      const check: Check = (value, field, walk) => deeper(walk, target!, value, field)
      references.set(place, check)
      target = scope.compile(place)
      return check
    },
  }
  const check = scope.compile(schema)
  compiled.set(schema, check)
  return check
}

function compileObject(schema: Schema, scope: SchemaScope): Check {
  if (Object.hasOwn(schema, '$ref')) {
    if (typeof schema.$ref !== 'string') throw invalid('Expected "$ref" to be a text')
    return scope.resolve(schema.$ref)
  }
  const checks: Check[] = []
  let type: Check | undefined
  for (const [name, keyword] of inOrder) {
    if (!Object.hasOwn(schema, name) || schema[name] === undefined) continue
    const check = keyword(schema[name], {
      ...scope,
      schema,
      invalid: (expected) => invalid(`Expected "${name}" to be ${expected}`),
    })
    if (!check) continue
    if (name === 'type') type = check
    else checks.push(check)
  }
  return (value, field, walk) => {
    spend(walk, 1 + checks.length)
    // What is of the wrong type is not looked at further.
    if (type && !type(value, field, walk)) return false
    let fits = true
    for (const check of checks) if (!check(value, field, walk)) fits = false
    return fits
  }
}

function lookUp(root: object, reference: string): unknown {
  if (reference === '#' || reference === '') return root
  if (!reference.startsWith('#/')) {
    throw invalid(
      `Expected "$ref" to stay in this schema, such as "#/definitions/name", got "${reference.slice(0, 100)}"`,
    )
  }
  let path: string[]
  try {
    path = reference
      .slice(2)
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    throw invalid(`Expected "$ref" to be a JSON pointer, got "${reference.slice(0, 100)}"`)
  }
  const found = readPath(root, path)
  if (found === undefined) throw invalid(`There is nothing at "$ref" ${reference.slice(0, 100)}`)
  return found
}

function invalid(message: string): FlowError {
  return new FlowError('schema.invalid', `The JSON Schema is not valid. ${message}.`)
}
