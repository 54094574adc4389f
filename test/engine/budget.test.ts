import { expect, test } from 'vitest'
import { defaultLimits, openBudget, withinLimits } from '../../engine/budget.ts'

const limited = (limits: Partial<typeof defaultLimits>) => openBudget({ ...defaultLimits, ...limits })
const limitReached = expect.objectContaining({ code: 'template.limit' })

test('allows exactly as many steps as its limit', () => {
  const budget = limited({ steps: 3 })
  budget.step(3)
  expect(() => budget.step(1)).toThrow(limitReached)
})

test('counts steps that are spent at once and in fractions', () => {
  expect(() => limited({ steps: 1000 }).step(1001)).toThrow(limitReached)
  const budget = limited({ steps: 1 })
  budget.step(0.75)
  expect(() => budget.step(1.5)).toThrow(limitReached)
})

test('limits one text, and all text together', () => {
  expect(() => limited({ outputChars: 5 }).text(6)).toThrow(limitReached)
  const budget = limited({ outputChars: 5, textChars: 8 })
  budget.text(5)
  expect(() => budget.text(4)).toThrow(limitReached)
})

test('limits the depth, and gives it back', () => {
  const budget = limited({ depth: 1 })
  budget.enter()
  budget.leave()
  budget.enter()
  expect(() => budget.enter()).toThrow(limitReached)
})

test('starts its clock at the first look', () => {
  const budget = limited({ milliseconds: 0 })
  budget.look()
  const start = performance.now()
  while (performance.now() === start);
  expect(() => budget.look()).toThrow(limitReached)
})

test('has a clock that stands still between renders, and goes on with the next', () => {
  const spin = (milliseconds: number) => {
    const end = performance.now() + milliseconds
    while (performance.now() < end);
  }
  const budget = limited({ milliseconds: 60 })
  budget.resume()
  spin(20)
  budget.look()
  budget.rest()
  spin(100)
  budget.resume()
  budget.look()
  spin(70)
  expect(() => budget.look()).toThrow(limitReached)
  budget.rest()
  expect(() => budget.resume()).toThrow(limitReached)
})

test('names too deep a call and too long a text as a limit, and passes other errors on', () => {
  const forever = (): number => forever() + 1
  expect(() => withinLimits(forever)).toThrow(limitReached)
  expect(() => withinLimits(() => 'x'.repeat(2 ** 30))).toThrow(limitReached)
  const other = new RangeError('other')
  expect(() =>
    withinLimits(() => {
      throw other
    }),
  ).toThrow(other)
})
