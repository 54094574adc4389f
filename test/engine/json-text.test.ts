import { expect, test } from 'vitest'
import { hasMoreKeys, MOST_JSON_KEYS, nestsDeeper, parseJsonText } from '../../engine/json-text.ts'

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

const keyed = (count: number, gap = '') =>
  `{${Array.from({ length: count }, (_, n) => `"key${n}"${gap}:${gap}${n}`).join(`${gap},${gap}`)}}`

test.each([
  ['as many keys as may be', keyed(100), false],
  ['one key more', keyed(101), true],
  ['one key more, blanks around', keyed(101, ' \n\t\r'), true],
  ['the same keys in many objects', `[${Array(1_000).fill(keyed(100)).join()}]`, false],
  ['keys in objects of their own', JSON.stringify(Array.from({ length: 101 }, (_, n) => ({ [`key${n}`]: 1 }))), true],
  ['texts that look like keys', JSON.stringify(Array.from({ length: 500 }, (_, n) => `"key${n}":`)), false],
  ['keys with quotes in them', JSON.stringify({ ...JSON.parse(keyed(100)), '"a":"b': 1 }), true],
  ['texts that are keys nowhere', JSON.stringify(Array.from({ length: 500 }, (_, n) => `${n}`)), false],
])('different keys: %s', (_, text, expected) => {
  expect(hasMoreKeys(text, 100)).toBe(expected)
})

test('what has more different keys than anyone reads is not parsed', () => {
  expect(Object.keys(parseJsonText(keyed(MOST_JSON_KEYS)) as object)).toHaveLength(MOST_JSON_KEYS)
  const tooMany = expect.objectContaining({ code: 'limit.payload' })
  expect(() => parseJsonText(keyed(MOST_JSON_KEYS + 1))).toThrow(tooMany)
  expect(() => parseJsonText(`${keyed(MOST_JSON_KEYS + 1)}}`)).toThrow(tooMany)
})
