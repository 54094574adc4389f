import { expect, test } from 'vitest'
import { validatePayload } from '../../../nodes/logic/validate-payload.ts'
import { runNode } from '../../helpers/run-node.ts'

const checked = (schema: unknown, value: unknown, more = {}) =>
  runNode(validatePayload, {
    config: { schema: JSON.stringify(schema), toValidatePath: 'v', errorsPath: 'e', ...more },
    payload: { v: value, limit: 5, kinds: ['a', 'b'] },
  })

const object = (properties: object, more = {}) => ({ type: 'object', properties, ...more })

test.each<[object, unknown, string[]]>([
  [object({ a: { type: 'number' } }), { a: 'x' }, ['data.a is the wrong type']],
  [object({}, { required: ['a', 'b'] }), { b: 1 }, ['data.a is required']],
  [object({}, { required: ['a'] }), { a: undefined }, ['data.a is required']],
  [object({ a: { type: 'string', required: true } }), {}, ['data.a is required']],
  [object({ a: {} }, { additionalProperties: false }), { a: 1, b: 2 }, ['data has additional properties']],
  [object({ a: { enum: ['x', { k: 1 }] } }), { a: 'y' }, ['data.a must be an enum value']],
  [object({ a: { format: 'email' } }), { a: 'nobody' }, ['data.a must be email format']],
  [object({ a: { minLength: 2 } }), { a: '😀' }, ['data.a has less length than allowed']],
  [object({ a: { maxLength: 1 } }), { a: 'ab' }, ['data.a has longer length than allowed']],
  [object({ a: { minimum: 3 } }), { a: 2 }, ['data.a is less than minimum']],
  [object({ a: { maximum: 3, exclusiveMaximum: true } }), { a: 3 }, ['data.a is more than maximum']],
  [object({ a: { pattern: '^x' } }), { a: 'yx' }, ['data.a pattern mismatch']],
  [object({ a: { anyOf: [{ type: 'null' }, { type: 'string' }] } }), { a: 1 }, ['data.a no schemas match']],
  [object({ a: { oneOf: [{}, {}] } }), { a: 1 }, ['data.a no (or more than one) schemas match']],
  [object({ a: { not: {} } }), { a: 1 }, ['data.a negative schema matches']],
  [
    object({ a: { type: 'array', minItems: 1, items: { type: 'string' } } }),
    { a: [] },
    ['data.a has less items than allowed'],
  ],
  [
    object({ a: { items: object({ b: { type: 'string' } }) } }),
    { a: [{}, { b: 1 }] },
    ['data.a.1.b is the wrong type'],
  ],
  [
    object({ a: { maxItems: 1 }, b: { uniqueItems: true } }),
    { a: [1, 2], b: [{}, {}] },
    ['data.a has more items than allowed', 'data.b must be unique'],
  ],
  [object({ a: { multipleOf: 0.1 } }), { a: 0.35 }, ['data.a has a remainder']],
  [object({}, { dependencies: { a: ['b'] } }), { a: 1 }, ['data dependencies not set']],
  [{ type: 'object' }, undefined, ['data is the wrong type']],
  [{ type: 'object' }, [], ['data is the wrong type']],
  [{ type: 'object' }, null, ['data is the wrong type']],
  [{ type: ['string', 'null'] }, 5, ['data is the wrong type']],
])('%j on %j: %j', async (schema, value, expected) => {
  const run = await checked(schema, value)
  expect(run).toMatchObject({ output: 'invalid', problems: [], error: undefined })
  const errors = run.payload.e as { field: string; message: string }[]
  expect(errors.map(({ field, message }) => `${field} ${message}`)).toEqual(expected)
})

test.each<[object, unknown]>([
  [{}, undefined],
  [object({ a: { type: 'integer' } }), { a: 3 }],
  [object({ a: { multipleOf: 0.1 } }), { a: 0.3 }],
  [object({ a: { enum: [{ y: 1, x: [2] }] } }), { a: { x: [2], y: 1 } }],
  [object({ at: { type: 'string', format: 'date-time' } }), { at: '2024-01-02T03:04:05Z' }],
  [object({ at: { type: 'string' } }), { at: new Date(0) }],
  [object({ a: { format: 'no-such-format' } }), { a: 'x' }],
  [{ definitions: { n: { type: 'number' } }, items: { $ref: '#/definitions/n' } }, [1, 2]],
  [{ type: 'object', patternProperties: { '^n': { type: 'number' } }, additionalProperties: false }, { n1: 1 }],
  [object({ child: { $ref: '#' } }, { additionalProperties: false }), { child: { child: {} } }],
])('%j takes %j', async (schema, value) => {
  const run = await checked(schema, value)
  expect(run).toMatchObject({ output: 'valid', error: undefined })
  expect(run.payload.e).toEqual([])
})

test('checks the whole payload, and reports nothing, when no paths are set', async () => {
  const run = await checked({ required: ['v'] }, 1, { toValidatePath: '', errorsPath: '' })
  expect(run).toMatchObject({ output: 'valid' })
  expect(run.payload).not.toHaveProperty('e')
})

test('reads a schema that is made of the payload', async () => {
  const schema = '{ "properties": { "n": { "maximum": {{limit}} }, "k": { "enum": {{jsonEncode kinds}} } } }'
  expect((await checked({}, { n: 5, k: 'a' }, { schema })).output).toBe('valid')
  expect((await checked({}, { n: 6, k: 'c' }, { schema })).payload.e).toHaveLength(2)
})

test('takes a schema from a path', async () => {
  const config = { schemaType: 'path', schema: 'schema', toValidatePath: 'v' }
  const payload = { schema: { type: 'number' }, v: 'x' }
  expect((await runNode(validatePayload, { config, payload })).output).toBe('invalid')
  expect((await runNode(validatePayload, { config: { ...config, schema: 'none' }, payload })).error).toMatchObject({
    code: 'schema.invalid',
  })
})

test.each<[unknown, string]>([
  [{ type: 'strin' }, 'one of string'],
  [{ type: 'constructor' }, 'one of string'],
  [{ properties: [] }, '"properties"'],
  [{ properties: { a: 5 } }, 'a schema to be an object'],
  [{ required: 'a' }, '"required"'],
  [{ required: [], minLength: -1 }, '"minLength"'],
  [{ enum: [] }, '"enum"'],
  [{ anyOf: [] }, '"anyOf"'],
  [{ multipleOf: 0 }, '"multipleOf"'],
  [{ pattern: '(' }, '"pattern"'],
  [{ pattern: '(?=a)' }, '"pattern"'],
  [{ pattern: 'a'.repeat(1_001) }, '"pattern"'],
  [{ pattern: `(?:${'ab'.repeat(400)}){1000}` }, '"pattern"'],
  [{ allOf: Array.from({ length: 20 }, (_, n) => ({ pattern: `(?:a{900})|${n}` })) }, 'all together'],
  [{ $ref: 'http://example.com/schema' }, '"$ref" to stay'],
  [{ $ref: 'file:///etc/passwd' }, '"$ref" to stay'],
  [{ $ref: '#/definitions/none' }, 'nothing at "$ref"'],
  [{ $ref: '#/__proto__' }, 'nothing at "$ref"'],
  [{ description: 'x'.repeat(300_000) }, 'at most'],
  [[], 'other than an object'],
  [5, 'other than an object'],
])('refuses the schema %.60j', async (schema, words) => {
  const { error } = await checked(schema, 'x')
  expect(error).toMatchObject({ code: 'schema.invalid', message: expect.stringContaining(words) })
})

test('refuses a schema that is no JSON', async () => {
  expect((await checked({}, 1, { schema: '{ "type": {{none}} }' })).error).toMatchObject({ code: 'template.not-json' })
})

const levels = Array.from({ length: 40 }, (_, index) => index)
const doubling = {
  ...{ $ref: '#/definitions/s0' },
  definitions: Object.fromEntries(
    levels.map((level) => {
      const next = level === 39 ? { type: 'number' } : { $ref: `#/definitions/s${level + 1}` }
      return [`s${level}`, { allOf: [next, next] }]
    }),
  ),
}

test.each<[string, unknown, unknown]>([
  ['asks the same thing twice at each of 40 levels', doubling, 1],
  ['leads to itself', { $ref: '#' }, 1],
  ['leads to itself in alternatives', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 1],
  [
    'compares much with much',
    { items: { enum: Array.from({ length: 10_000 }, (_, index) => ({ index })), anyOf: Array(500).fill({ not: {} }) } },
    Array.from({ length: 100_000 }, () => 1),
  ],
  ['matches a large text with a heavy pattern', { pattern: '(a|b|ab)*(c|d){100}$' }, 'ab'.repeat(500_000)],
])('stops in short time at a schema that %s', async (_, schema, value) => {
  const started = performance.now()
  const { error } = await checked(schema, value)
  expect(error).toMatchObject({ code: 'schema.work' })
  expect(performance.now() - started).toBeLessThan(5_000)
})

// Each of these is another text for the same place.
function spellings(name: string, count: number): string[] {
  const spell = (char: string, bit: number) => (bit ? `%${char.charCodeAt(0).toString(16)}` : char)
  return Array.from(
    { length: count },
    (_, n) => `#/definitions/${[...name].map((c, i) => spell(c, (n >> i) & 1)).join('')}`,
  )
}

test('compiles a large part once, however many references in whatever spelling lead to it', async () => {
  const large = { properties: Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`p${n}`, { items: {} }])) }
  const references = spellings('abcdefghijkl', 2_000).map(($ref) => ({ $ref }))
  const schema = { definitions: { abcdefghijkl: large }, allOf: references }
  expect((await checked(schema, 1)).output).toBe('valid')
})

test('a part that refers to itself from within, and from elsewhere, is checked as it says', async () => {
  const schema = {
    definitions: { tree: { properties: { left: { $ref: '#/definitions/tree' }, at: { type: 'number' } } } },
    properties: { a: { $ref: '#/definitions/tree' }, b: { $ref: '#/definitions/%74ree' } },
  }
  const tree = (at: unknown) => ({ left: { left: { at } } })
  expect((await checked(schema, { a: tree(1), b: tree(2) })).output).toBe('valid')
  expect((await checked(schema, { a: tree('x'), b: tree('y') })).payload.e).toEqual([
    { field: 'data.a.left.left.at', message: 'is the wrong type' },
    { field: 'data.b.left.left.at', message: 'is the wrong type' },
  ])
})

test('a pattern that would take forever by backtracking is matched at once', async () => {
  const run = await checked({ pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`)
  expect(run).toMatchObject({ output: 'invalid', error: undefined })
})

test('finds twins in a long list at once, and reports at most 100 problems', async () => {
  const list = Array.from({ length: 100_000 }, (_, index) => ({ index: index % 99_999 }))
  expect((await checked({ uniqueItems: true }, list)).output).toBe('invalid')
  expect((await checked({ items: { type: 'string' } }, list)).payload.e).toHaveLength(100)
})
