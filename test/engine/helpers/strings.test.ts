import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  list: ['a', null, 2],
  empty: [],
  object: { a: 1, b: 2 },
  nothing: null,
  nan: Number.NaN,
  zero: 0,
  no: false,
  blank: '',
  date: new Date(0),
  query: { perPage: '10' },
}

test.each([
  ['upper "aé"', 'AÉ'],
  ['upper missing', ''],
  ['upper nothing', ''],
  ['lower "AB"', 'ab'],
  ['lower 5', '5'],
  ['trim "  a b "', 'a b'],
  ['titleCase "viewer"', 'Viewer'],
  ['titleCase "two words"', 'Two Words'],
  ['titleCase missing', ''],
  ['substring "abcdef" 1 3', 'bc'],
  ['substring "abcdef" 2', 'cdef'],
  ['substring "abcdef" -2', 'ef'],
  ['substring "abcdef"', 'abcdef'],
  ['substring missing 1', ''],
  ['join list', 'a,,2'],
  ['join list " - "', 'a -  - 2'],
  ['join empty', ''],
  ['join missing', ''],
  ['join "text"', 'text'],
  ['concat "a" 1 missing "b"', 'a1b'],
  ['length list', 3],
  ['length "abcd"', 4],
  ['length object', 2],
  ['length 5', undefined],
  ['length missing', undefined],
  ['length nan', undefined],
  ['last list', 2],
  ['last "name."', '.'],
  ['last empty', undefined],
  ['last missing', undefined],
  ['defaultTo query.perPage 25', '10'],
  ['defaultTo missing 25', 25],
  ['defaultTo nothing 25', 25],
  ['defaultTo blank 25', 25],
  ['defaultTo nan 25', 25],
  ['defaultTo zero 25', 0],
  ['defaultTo no 25', false],
  ['typeof "x"', 'string'],
  ['typeof 1', 'number'],
  ['typeof no', 'boolean'],
  ['typeof object', 'object'],
  ['typeof list', 'array'],
  ['typeof date', 'date'],
  ['typeof nothing', 'null'],
  ['typeof missing', 'undefined'],
])('%s is %j', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toBe(value)
})

test('escapes what a helper gives in double braces, and not in triple braces', () => {
  expect(templates.text('-{{lower "<A>"}}-{{{lower "<A>"}}}')(root)).toBe('-&lt;a&gt;-<a>')
})
