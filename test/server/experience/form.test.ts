import fc from 'fast-check'
import { parse } from 'qs'
import { expect, test } from 'vitest'
import { parseForm } from '../../../server/experience/form.ts'

test.each([
  ['a+b=c+%2B+d', { 'a b': 'c + d' }],
  ['a%5Bb%5d=1&a%5bc%5D=%5B2%5D', { a: { b: '1', c: '[2]' } }],
  ['ü+=😀+%5', { 'ü ': '😀 %5' }],
])('%s is %j', (text, expected) => {
  expect(parseForm(text)).toEqual(expected)
})

test('reads what the library reads', () => {
  const options = { depth: 5, parameterLimit: 1_000, arrayLimit: 1_000, throwOnLimitExceeded: true }
  const part = fc.constantFrom(
    '+',
    '%',
    '5',
    'B',
    'd',
    '[',
    ']',
    '=',
    '&',
    'a',
    '%5B',
    '%5d',
    '%255B',
    'ü',
    '😀',
    '%2B',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      expect(parseForm(parts.join(''))).toEqual(parse(parts.join(''), options))
    }),
    { numRuns: 2_000 },
  )
})

test('reads millions of blanks faster than the library would', () => {
  const text = '+'.repeat(4_900_000)
  const timeOf = (work: () => unknown) => {
    const started = performance.now()
    work()
    return performance.now() - started
  }
  expect(timeOf(() => parseForm(text))).toBeLessThan(timeOf(() => parse(text)))
})
