import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { compileLinear, patternSize } from '../../engine/linear-pattern.ts'

test.each([
  ['^[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,63}$', 'ada@example.com'],
  ['^(?:\\w{30} ){20}', `${'a'.repeat(30)} `.repeat(20)],
  ['[\\s\\S]{1000}', 'x'.repeat(1_000)],
  ['a{,9}', 'a{,9}'],
])('takes %s', (pattern, text) => {
  expect(compileLinear(pattern).test(text)).toBe(true)
})

describe('refuses before it is made what repeats too much', () => {
  test.each([
    `(?:${'ab'.repeat(400)}){1000}`,
    '(?:(?:(?:a{10}){10}){10}){10}',
    '(?:a{900}[(]){900}',
    '(?:a{900}[[:alpha:](]){900}',
    '(?:a{900}\\Q(\\E){900}',
    '(?:a{900}\\(){900}',
    '(?:[)]a{900}){900}',
    '[](?:a{900}){900}]',
    '[^](?:a{900}){900}]',
    '(?:a?){900}'.repeat(20),
  ])('%.40s', (pattern) => {
    expect(() => compileLinear(pattern)).toThrow(/repeat/)
  })
})

test('never takes a pattern for much smaller than it is', () => {
  const tokens = [
    'a',
    '(',
    '(?:',
    ')',
    '[',
    ']',
    '[^',
    '[[:alpha:]',
    '\\',
    '\\(',
    '\\Q',
    '\\E',
    '{3}',
    '{2,5}',
    '{0,4}',
    '{3,}',
  ]
  const pattern = fc.array(fc.constantFrom(...tokens, '*', '+?', '|', '.', '\\d', '\\x41'), { maxLength: 14 })
  let compared = 0
  fc.assert(
    fc.property(pattern, (parts) => {
      const translated = RE2JS.translateRegExp(parts.join(''))
      const size = patternSize(translated)
      if (size > 5_000) return
      let steps = 0
      try {
        steps = RE2JS.compile(translated).programSize()
      } catch {
        // Not a pattern: nothing is made of it.
        return
      }
      compared++
      expect(steps).toBeLessThanOrEqual(3 * size + 10)
    }),
    { numRuns: 5_000 },
  )
  expect(compared).toBeGreaterThan(500)
})
