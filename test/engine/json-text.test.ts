import { expect, test } from 'vitest'
import { nestsDeeper, parseJsonText } from '../../engine/json-text.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

test.each([
  ['as many levels as may be', nested(500), false],
  ['one level more', nested(501), true],
  ['objects', `${'{"a":'.repeat(501)}1${'}'.repeat(501)}`, true],
  ['many lists beside each other', `[${'[],'.repeat(5_000)}1]`, false],
  ['brackets in a text', JSON.stringify(nested(5_000)), false],
  ['brackets in a text, after a quote in it', JSON.stringify(`"\\${nested(5_000)}`), false],
  ['brackets behind a text that ends with a backslash', `["\\\\",${nested(500)}]`, true],
  ['brackets that never close', '['.repeat(1_000_000), true],
])('%s', (_, text, expected) => {
  expect(nestsDeeper(text, 500)).toBe(expected)
})

test('what is not too deep is parsed as JSON.parse does', () => {
  expect(parseJsonText('{"a":[1,"[["]}')).toEqual({ a: [1, '[['] })
  expect(() => parseJsonText('{')).toThrow(SyntaxError)
  expect(() => parseJsonText(nested(1_000_000))).toThrow(expect.objectContaining({ code: 'value.too-deep' }))
})
