import AjvDraft04 from 'ajv-draft-04'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkAgainstSchema } from '../../../nodes/logic/json-schema.ts'

// Names, texts and numbers are few, so that schemas and values meet.
const names = fc.constantFrom('a', 'b', 'ab', '__proto__')
const leaf = fc.oneof(fc.constantFrom(null, true, false, '', 'a', 'ab', '😀', 0, 1, 2, 2.5, -1), names)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))
const count = fc.nat({ max: 3 })
const typeName = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object')

const { schema } = fc.letrec((tie) => {
  const inner = tie('schema')
  const several = fc.array(inner, { minLength: 1, maxLength: 3 })
  const byName = fc.dictionary(
    names.filter((name) => name !== '__proto__'),
    inner,
    { maxKeys: 3, noNullPrototype: true },
  )
  const uniqueNames = fc.uniqueArray(names, { minLength: 1, maxLength: 2 })
  return {
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant({}),
      fc.record({ $ref: fc.constantFrom('#/definitions/x', '#/definitions/y') }, { noNullPrototype: true }),
      fc.record(
        {
          type: fc.oneof(typeName, fc.uniqueArray(typeName, { minLength: 1, maxLength: 2 })),
          enum: fc.uniqueArray(value, {
            minLength: 1,
            maxLength: 3,
            comparator: (a, b) => JSON.stringify(a) === JSON.stringify(b),
          }),
          required: uniqueNames,
          properties: byName,
          additionalProperties: fc.oneof(fc.boolean(), inner),
          patternProperties: fc.dictionary(fc.constantFrom('^a', 'b$'), inner, { maxKeys: 2, noNullPrototype: true }),
          dependencies: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(uniqueNames, inner), {
            maxKeys: 2,
            noNullPrototype: true,
          }),
          minProperties: count,
          maxProperties: count,
          items: fc.oneof(inner, several),
          additionalItems: fc.oneof(fc.boolean(), inner),
          minItems: count,
          maxItems: count,
          uniqueItems: fc.boolean(),
          minLength: count,
          maxLength: count,
          pattern: fc.constantFrom('^a', 'b$', 'a.?', '[^a]'),
          minimum: count,
          maximum: count,
          multipleOf: fc.constantFrom(1, 2, 0.5),
          allOf: several,
          anyOf: several,
          oneOf: several,
          not: inner,
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    ),
  }
})

test('agrees with ajv on whether a value fits a schema', () => {
  const ajv = new AjvDraft04.default({ strict: false, logger: false, ownProperties: true })
  let [fitting, compared] = [0, 0]
  fc.assert(
    fc.property(schema, schema, value, (root, x, given) => {
      // Definitions do not refer to each other: going around in circles is another test.
      const definitions = { x: { type: 'string' }, y: { not: { enum: [1, 'a'] } } }
      const whole = { allOf: [root, { anyOf: [x, {}] }], definitions }
      const fits = ajv.validate(whole, given)
      expect(checkAgainstSchema(given, whole).length === 0).toBe(fits)
      compared++
      if (fits) fitting++
    }),
    { numRuns: 200 },
  )
  // Neither answer may be so rare that agreeing means nothing.
  expect(fitting / compared).toBeGreaterThan(0.1)
  expect(fitting / compared).toBeLessThan(0.9)
})
