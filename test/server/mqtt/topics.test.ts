import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSubscriptions } from '../../../server/mqtt/subscriptions.ts'
import { covers, isFilter, isTopic, overlaps } from '../../../server/mqtt/topics.ts'

test.each([
  ['a', true, true],
  ['a//b', true, true],
  ['/', true, true],
  ['a/+', false, true],
  ['#', false, true],
  ['a/#', false, true],
  ['a/#/b', false, false],
  ['a#', false, false],
  ['a+/b', false, false],
  ['', false, false],
  ['a\0', false, false],
  ['x'.repeat(1_025), false, false],
  ['/'.repeat(64), false, false],
])('%j is a topic: %s, a filter: %s', (text, topic, filter) => {
  expect([isTopic(text), isFilter(text)]).toEqual([topic, filter])
})

const level = fc.constantFrom('a', 'b', '')
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))

/** What the standard says, by a regular expression. */
function fits(pattern: string, name: string): boolean {
  const source = pattern
    .split('/')
    .map((one) => (one === '+' ? '[^/]*' : one === '#' ? '.*' : one))
    .join('/')
  return new RegExp(`^${source.replace(/\/\.\*$/, '(/.*)?')}$`).test(name)
}

test('filters fit as the standard says, alone and among others', () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 8 }), topic, (filters, name) => {
      const subscriptions = openSubscriptions<string>()
      for (const one of filters) subscriptions.add(one, one)
      const expected = new Set(filters.filter((one) => fits(one, name)))
      expect(new Set(filters.filter((one) => covers(one, name)))).toEqual(expected)
      expect(subscriptions.of(name)).toEqual(expected)
      for (const one of filters) subscriptions.remove(one, one)
      expect(subscriptions.of(name)).toEqual(new Set())
    }),
    { numRuns: 1_000 },
  )
})

test('a pattern covers a filter only when it fits all its topics, and overlaps it when it fits one of them', () => {
  fc.assert(
    fc.property(filter, filter, fc.array(topic, { minLength: 20, maxLength: 40 }), (pattern, asked, names) => {
      const heard = names.filter((name) => fits(asked, name))
      if (covers(pattern, asked)) expect(heard.filter((name) => !fits(pattern, name))).toEqual([])
      if (!overlaps(pattern, asked)) expect(heard.filter((name) => fits(pattern, name))).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})

test('no wildcard hears a device', () => {
  const subscriptions = openSubscriptions<string>()
  for (const one of ['#', '+/#', '+/+/command']) subscriptions.add(one, one)
  expect(subscriptions.of('losant/6521f7b20c1d4e8a9b3c5d71/command')).toEqual(new Set())
})
