import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const date = new Date(1000)
const root = { date, same: date, list: ['a', 1], object: { k: 'v' }, text: 'admineditor', role: 'admin', n: 5, s: '5' }

test.each([
  ['eq 1 1', true],
  ['eq n s', false],
  ['eq date same', true],
  ['eq missing undefined', true],
  ['eq missing null', false],
  ['ne n s', true],
  ['ne n 5', false],
  ['gt 2 1', true],
  ['gt 1 1', false],
  ['gte 1 1', true],
  ['lt 1 2', true],
  ['lte 2 2', true],
  ['lte 3 2', false],
  ['lt missing 2', false],
  ['gte missing 2', false],
  ['lt "10" "9"', true],
  ['lt "10" 9', false],
  ['lt date 1001', true],
  ['gt (currentDateTime "x") 1000', true],
  ['match "a number" "(number|boolean)"', true],
  ['match "date" "^(number|boolean)$"', false],
  ['match missing "^$"', true],
  ['match n "^\\d+$"', true],
  ['match "a/b-c" "\\/b\\-"', true],
  ['match "x" "["', false],
  ['match "x" missing', true],
  ['includes list "a"', true],
  ['includes list "1"', false],
  ['includes list 1', true],
  ['includes text role', true],
  ['includes text missing', false],
  ['includes object "v"', true],
  ['includes object "k"', false],
  ['includes missing "x"', false],
  ['includes n 5', false],
  ['includes text ""', true],
  ['includes text', false],
  ['includes list missing', false],
  ['includes "a5b" n', true],
  ['includes', false],
  ['eq', true],
  ['eq 1', false],
  ['eq list list', true],
  ['eq (array) (array)', false],
  ['ne list list', false],
  ['eq 0 ""', false],
  ['eq true 1', false],
  ['gt 1', false],
  ['gt "b" "a"', true],
  ['gt "a" 1', false],
  ['lte "a" 1', false],
  ['gte s n', true],
  ['lte null 0', true],
  ['lt date "1001"', true],
  ['match null "^$"', true],
  ['match "Ab" "a"', false],
  ['match text "^admin"', true],
  ['match', true],
])('%s is %s, as a value and as a block', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toBe(value)
  expect(templates.text(`{{#${call}}}yes{{else}}no{{/${call.split(' ')[0]}}}`)(root)).toBe(value ? 'yes' : 'no')
  expect(templates.text(`{{#if (${call})}}yes{{else}}no{{/if}}`)(root)).toBe(value ? 'yes' : 'no')
})

test('keeps this inside the block, and renders nothing without an else', () => {
  expect(templates.text('{{#eq n 5}}{{role}}{{/eq}}{{#eq n 6}}x{{/eq}}{{^eq n 6}}y{{/eq}}')(root)).toBe('adminy')
})

test.each(['(?=a)b', '(a)\\\\1', '(?!x)'])('match refuses %s, which would need backtracking', (pattern) => {
  expect(() => templates.value(`{{match "ab" pattern}}`)({ pattern: pattern.replaceAll('\\\\', '\\') })).toThrow(
    expect.objectContaining({ code: 'template.helper' }),
  )
})

test('match refuses a pattern of more than 1000 characters', () => {
  expect(() => templates.value('{{match "a" p}}')({ p: 'a'.repeat(1001) })).toThrow(
    expect.objectContaining({ code: 'template.helper' }),
  )
})

test('match says what is wrong with a pattern that counts too far', () => {
  const pattern = '((((a{0,1000}){0,1000}){0,1000}){0,1000})'
  expect(() => templates.value('{{match "ab" pattern}}')({ pattern })).toThrow('of fewer repetitions')
  expect(() => templates.value('{{match "ab" pattern}}')({ pattern: '(.{0,1000}b){50}' })).toThrow(
    'of fewer repetitions',
  )
})
