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

test('refuses JSON of more than 5,000,000 characters, also of a small value that holds itself many times', () => {
  let wide: unknown = ['x'.repeat(1000)]
  for (let i = 0; i < 40; i++) wide = [wide, wide]
  for (const value of ['x'.repeat(5_000_001), wide])
    expect(() => toJson(value)).toThrow(expect.objectContaining({ code: 'template.limit' }))
})
