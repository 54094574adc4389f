import type { Field } from '../../engine/fields.ts'
import type { JsonSchema } from './json-schema.ts'

type AnyField = Field<unknown>
type Fields = Record<string, AnyField>

const nothing: JsonSchema = { type: ['string', 'null'], pattern: '^\\s*$' }
const scalar: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] }
const notBlank: JsonSchema = { anyOf: [{ type: ['number', 'boolean'] }, { type: 'string', pattern: '\\S' }] }
const pathText: JsonSchema = { type: ['string', 'null'] }

/**
 * What may stand at the key of each kind of setting. Takes all that is read without a word; where a schema cannot say what
 * is wrong, such as a template that does not parse, it says nothing.
 */
const byKind: Record<string, (one: AnyField) => JsonSchema> = {
  template: templateSchema,
  'choice-template': (one) => ({ anyOf: [{ enum: one.of }, templateSchema(one)] }),
  expression: (one) => (one.required ? notBlank : scalar),
  value: () => scalar,
  // Text that is no number has a template in it.
  number: () => ({
    anyOf: [{ type: ['number', 'null'] }, { type: 'string', pattern: '^\\s*([-+.0-9I][\\s\\S]*)?$|\\{\\{' }],
  }),
  json: (one) => (one.required ? { anyOf: [notBlank, { type: ['object', 'array'] }] } : {}),
  text: (one) => ({ type: one.required ? ['string', 'number'] : ['string', 'number', 'null'] }),
  flag: (one) => {
    const blank = one.required ? [] : [nothing]
    return { anyOf: [{ type: 'boolean' }, { enum: ['true', 'false'] }, ...blank] }
  },
  choice: ({ of }) => ({ anyOf: [{ enum: of }, { enum: ['', null] }] }),
  path: pathSchema,
  read: pathSchema,
  unused: () => ({}),
  'whole-payload': () => ({}),
  texts: () => ({ anyOf: [{ type: 'array', items: scalar }, nothing] }),
  values: () => ({ anyOf: [{ type: 'array', items: scalar }, { type: 'string' }, { type: 'null' }] }),
  list: ({ of }) => ({ anyOf: [{ type: 'array', items: fieldsSchema(of as Fields) }, nothing] }),
  group: ({ of }) => ({ anyOf: [fieldsSchema(of as Fields), nothing] }),
  // What it may be depends on its sibling: see `conditionsOf`.
  'by-type': () => ({}),
  'custom-inputs': () => ({}),
}

/** True when the kind of a setting has a schema; any value will do for one that has none. */
export function isKnownKind(kind: string): boolean {
  return Object.hasOwn(byKind, kind)
}

/** The object that holds the settings of some fields, among others. */
export function fieldsSchema(fields: Fields, from: 'config' | 'meta' = 'config'): JsonSchema {
  const own = Object.values(fields).filter((one) => (one.from ?? 'config') === from)
  const properties: Record<string, JsonSchema> = {}
  for (const one of own) {
    if (one.typeKey !== undefined) properties[one.typeKey] ??= typeKeySchema(one)
    properties[one.key] = { ...words(one), ...fieldSchema(one) }
  }
  const required = own.filter(mustBeThere).map(({ key }) => key)
  const conditions = own.flatMap(conditionsOf)
  return {
    ...{ type: 'object', properties },
    ...(required.length > 0 ? { required } : {}),
    ...(conditions.length > 0 ? { allOf: conditions } : {}),
  }
}

function fieldSchema(one: AnyField): JsonSchema {
  return isKnownKind(one.kind) ? byKind[one.kind]!(one) : {}
}

function templateSchema(one: AnyField): JsonSchema {
  return one.required && isBlank(one.default) ? notBlank : scalar
}

function pathSchema(one: AnyField): JsonSchema {
  return one.required && isBlank(one.default) ? { type: 'string', pattern: '\\S' } : pathText
}

// Numbers that are missing are told when the flow runs.
const toldWhenRead = new Set(['template', 'choice-template', 'expression', 'json', 'text', 'flag', 'path', 'read'])
const withDefault = new Set(['template', 'choice-template', 'path', 'read'])

function mustBeThere({ kind, required, default: initial }: AnyField): boolean {
  return required === true && toldWhenRead.has(kind) && !(withDefault.has(kind) && !isBlank(initial))
}

function words({ label, help, default: initial }: AnyField): JsonSchema {
  return {
    ...(label === undefined ? {} : { title: label }),
    ...(help === undefined ? {} : { description: help }),
    ...(initial === undefined ? {} : { default: initial }),
  }
}

function typeKeySchema(one: AnyField): JsonSchema {
  const title = one.label === undefined ? {} : { title: `${one.label}: kind` }
  return { ...title, anyOf: [{ enum: Object.keys(one.kinds as Fields) }, nothing], default: one.default }
}

/** One condition for each kind of a setting whose kind stands beside it. */
function conditionsOf(one: AnyField): JsonSchema[] {
  const { typeKey, kinds, key } = one
  if (typeKey === undefined) return []
  return Object.entries(kinds as Fields).flatMap(([kind, inner]) => {
    const schema = { ...words(one), ...words(inner), default: undefined, ...fieldSchema(inner) }
    const named = { properties: { [typeKey]: { const: kind } }, required: [typeKey] }
    const isDefault = kind === one.default
    const unnamed = [{ not: { required: [typeKey] } }, { properties: { [typeKey]: nothing } }]
    const when = isDefault ? { anyOf: [named, ...unnamed] } : named
    const then = { properties: { [key]: schema }, ...(mustBeThere(inner) ? { required: [key] } : {}) }
    return Object.keys(fieldSchema(inner)).length === 0 ? [] : [{ if: when, then }]
  })
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}
