import { expect, test } from 'vitest'
import type { PlanTrigger } from '../../../engine/compile.ts'
import { isTooFar, nextDue } from '../../../server/flows/due.ts'

const trigger = (config: Record<string, unknown>) =>
  ({ config: { cron: '', tz: 'UTC', ...config } }) as unknown as PlanTrigger

/** The next firings, as ISO text up to minutes. */
function firings(config: Record<string, unknown>, from: string, count: number): string[] {
  let at = Date.parse(from)
  return Array.from({ length: count }, () => {
    at = nextDue(trigger(config), { from: at, after: at })
    return new Date(at).toISOString().slice(0, 16)
  })
}

const york = { tz: 'America/New_York' }

test.each([
  // Clocks go from 02:00 to 03:00 local on 8 March 2026, and from 02:00 back to 01:00 on 1 November.
  [
    'a time skipped in spring fires at the end of the gap',
    { ...york, cron: '30 2 * * *' },
    '2026-03-07T00:00Z',
    ['2026-03-07T07:30', '2026-03-08T07:00', '2026-03-09T06:30'],
  ],
  [
    'the hour itself likewise',
    { ...york, cron: '0 2 * * *' },
    '2026-03-07T12:00Z',
    ['2026-03-08T07:00', '2026-03-09T06:00'],
  ],
  [
    'a time that comes twice fires the first time',
    { ...york, cron: '30 1 * * *' },
    '2026-10-31T00:00Z',
    ['2026-10-31T05:30', '2026-11-01T05:30', '2026-11-02T06:30'],
  ],
  [
    'every half hour goes on through the doubled hour',
    { ...york, cron: '*/30 * * * *' },
    '2026-11-01T05:00Z',
    ['2026-11-01T05:30', '2026-11-01T06:00', '2026-11-01T06:30', '2026-11-01T07:00'],
  ],
  [
    'and through the gap',
    { ...york, cron: '*/30 * * * *' },
    '2026-03-08T06:00Z',
    ['2026-03-08T06:30', '2026-03-08T07:00', '2026-03-08T07:30'],
  ],
  [
    'noon keeps its wall clock through the year',
    { ...york, cron: '0 12 * * 0' },
    '2026-03-01T00:00Z',
    ['2026-03-01T17:00', '2026-03-08T16:00'],
  ],
  ['an interval knows no clock', { seconds: 86_400 }, '2026-03-07T12:00Z', ['2026-03-08T12:00', '2026-03-09T12:00']],
] as const)('%s', (_title, config, from, expected) => {
  expect(firings(config, from, expected.length)).toEqual(expected)
})

test('an interval keeps its beat, whenever it is asked', () => {
  const ten = trigger({ seconds: 10 })
  expect(nextDue(ten, { from: 1_000, after: 1_000 })).toBe(11_000)
  expect(nextDue(ten, { from: 1_000, after: 10_999 })).toBe(11_000)
  expect(nextDue(ten, { from: 1_000, after: 11_000 })).toBe(21_000)
  expect(nextDue(ten, { from: 1_000, after: 95_500 })).toBe(101_000)
})

test('a firing lies too far ahead when another would come before it', () => {
  const now = Date.UTC(2026, 0, 1, 7, 30)
  const daily = trigger({ cron: '0 8 * * *' })
  // The clock was set back by an hour after today's firing: it is not repeated.
  expect(isTooFar(daily, Date.UTC(2026, 0, 2, 8), now)).toBe(false)
  expect(isTooFar(daily, Date.UTC(2026, 0, 3, 8), now)).toBe(true)
  expect(isTooFar(trigger({ seconds: 10 }), now + 10_000, now)).toBe(false)
  expect(isTooFar(trigger({ seconds: 10 }), now + 3_600_000, now)).toBe(true)
})
