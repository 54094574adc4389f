import { expect, test } from 'vitest'
import { toJson } from '../../../engine/helpers/encoding.ts'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  text: `a b/ü?"'`,
  lone: '\ud800',
  query: { a: 1, 'b c': ['x', 'y&z'], none: undefined, nothing: null },
  date: new Date(0),
  object: { a: [1, null], d: new Date(0) },
  json: '{"a":[1]}',
  nothing: null,
}

test.each([
  ['encodeURI text', encodeURI(root.text)],
  ['encodeURI lone', '%EF%BF%BD'],
  ['decodeURI "a%20b%2F"', 'a b%2F'],
  ['decodeURI "100%"', '100%'],
  ['encodeURIComponent text', encodeURIComponent(root.text)],
  ['encodeURIComponent lone', '%EF%BF%BD'],
  ['encodeURIComponent missing', ''],
  ['decodeURIComponent "a%20b%2F"', 'a b/'],
  ['decodeURIComponent "%E0%A4%A"', '%E0%A4%A'],
  ['encodeBase64 "hé"', 'aMOp'],
  ['encodeBase64 "a"', 'YQ=='],
  ['decodeBase64 "aMOp"', 'hé'],
  ['decodeBase64 missing', ''],
  ['decodeBase64 "%%%"', ''],
  ['encodeBase64 nothing', ''],
  ['encodeBase64 5', 'NQ=='],
  ['encodeURI nothing', ''],
  ['decodeURI missing', ''],
  ['decodeURIComponent 5', '5'],
  ['encodeURIComponent object.a', '1%2C'],
  ['queryStringEncode (obj d=date l=(array))', 'd=1970-01-01T00%3A00%3A00.000Z'],
  ['queryStringEncode "a=1"', ''],
  ['queryStringEncode object.a', ''],
  ['jsonEncode object.a "2"', '[\n  1,\n  null\n]'],
  ['jsonEncode object.a "x"', '[1,null]'],
  ['jsonEncode object.a nothing', '[1,null]'],
  ['jsonEncode', ''],
  ['jsonEncode false', 'false'],
  ['jsonDecode missing', undefined],
  ['jsonDecode ""', undefined],
  ['jsonDecode "null"', null],
  ['queryStringEncode query', 'a=1&b%20c=x&b%20c=y%26z&nothing='],
  ['queryStringEncode missing', ''],
  ['jsonEncode object', '{"a":[1,null],"d":"1970-01-01T00:00:00.000Z"}'],
  ['jsonEncode object.a 2', '[\n  1,\n  null\n]'],
  ['jsonEncode missing', ''],
  ['jsonEncode nothing', 'null'],
  ['jsonEncode date', '"1970-01-01T00:00:00.000Z"'],
  ['jsonEncode "<\'>"', `"<'>"`],
  ['json 5', '5'],
  ['jsonDecode json', { a: [1] }],
  ['jsonDecode "5"', 5],
  ['jsonDecode "{a}"', undefined],
  ['jsonDecode object', undefined],
  ['jsonDecode (jsonEncode object.a)', [1, null]],
])('%s is %j', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toEqual(value)
})

test('jsonEncode is raw in double braces, everything else is escaped', () => {
  expect(templates.text('{"a": {{jsonEncode text}} }')(root)).toBe(`{"a": "a b/ü?\\"'" }`)
  expect(templates.text('?{{queryStringEncode (obj a=1)}}')(root)).toBe('?a&#x3D;1')
  expect(templates.text('?{{{queryStringEncode (obj a=1)}}}')(root)).toBe('?a=1')
})

test('refuses indented JSON that is mostly blanks, before it makes them', () => {
  let deep: unknown = new Array(200_000).fill(1)
  for (let i = 0; i < 400; i++) deep = [deep]
  for (const indent of [1, 10, 1e9])
    expect(() => toJson(deep, indent)).toThrow(expect.objectContaining({ code: 'template.limit' }))
  expect(toJson(deep)).toHaveLength(400_000 + 1 + 800)
  expect(toJson(new Array(100_000).fill(1), 2)).toHaveLength(3 + 100_000 * 5 - 1)
})

test('refuses JSON of more than 5,000,000 characters, also of a small value that holds itself many times', () => {
  let wide: unknown = ['x'.repeat(1000)]
  for (let i = 0; i < 40; i++) wide = [wide, wide]
  for (const value of ['x'.repeat(5_000_001), wide])
    expect(() => toJson(value)).toThrow(expect.objectContaining({ code: 'template.limit' }))
})
