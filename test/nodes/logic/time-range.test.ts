import { expect, test } from 'vitest'
import { timeRange } from '../../../nodes/logic/time-range.ts'
import { runNode } from '../../helpers/run-node.ts'

const run = (config: object, payload: Record<string, unknown>) =>
  runNode(timeRange, {
    config: { branchPath: 'branch', ...config },
    payload,
    use: { clock: { now: () => Date.parse('2024-01-03T12:00:00Z') } },
  })

const range = (startTimeTemplate: string, endTimeTemplate: string, more = {}) => ({
  startTimeTemplate,
  endTimeTemplate,
  ...more,
})
const only = (...on: number[]) => [0, 1, 2, 3, 4, 5, 6].map((day) => on.includes(day))

// 3 January 2024 is a Wednesday: day 3.
test.each<[object, string, boolean]>([
  [range('08:00', '17:00'), '2024-01-03T08:00:00Z', true],
  [range('08:00', '17:00'), '2024-01-03T07:59:59.999Z', false],
  [range('08:00', '17:00'), '2024-01-03T16:59:59.999Z', true],
  [range('08:00', '17:00'), '2024-01-03T17:00:00Z', false],
  [range('8:05', '{{end}}'), '2024-01-03T08:05:00Z', true],
  [range('', ''), '2024-01-03T23:59:59Z', true],
  [{}, '2024-01-03T00:00:00Z', true],
  [range('', '06:00'), '2024-01-03T00:00:00Z', true],
  [range('18:00', ''), '2024-01-03T23:00:00Z', true],
  [range('18:00', ''), '2024-01-03T00:00:00Z', false],
  [range('18:00', '24:00'), '2024-01-03T23:59:00Z', true],
  [range('09:00', '09:00'), '2024-01-03T08:00:00Z', true],
  [range('22:00', '06:00'), '2024-01-03T23:00:00Z', true],
  [range('22:00', '06:00'), '2024-01-03T05:59:00Z', true],
  [range('22:00', '06:00'), '2024-01-03T06:00:00Z', false],
  [range('22:00', '06:00'), '2024-01-03T21:59:00Z', false],
  [range('08:00', '17:00', { timeZoneTemplate: 'America/New_York' }), '2024-01-03T13:00:00Z', true],
  [range('08:00', '17:00', { timeZoneTemplate: '{{zone}}' }), '2024-01-03T08:30:00Z', false],
  [range('08:00', '17:00', { days: only(3) }), '2024-01-03T09:00:00Z', true],
  [range('08:00', '17:00', { days: only(2, 4) }), '2024-01-03T09:00:00Z', false],
  [{ days: only(2), timeZoneTemplate: 'America/New_York' }, '2024-01-03T02:00:00Z', true],
  // Past midnight the day counts on which the range began.
  [range('22:00', '06:00', { days: only(2) }), '2024-01-03T05:00:00Z', true],
  [range('22:00', '06:00', { days: only(3) }), '2024-01-03T05:00:00Z', false],
  [range('22:00', '06:00', { days: only(3) }), '2024-01-03T23:00:00Z', true],
  [range('22:00', '06:00', { days: only(6) }), '2024-01-07T05:00:00Z', true],
  [{ days: only() }, '2024-01-03T12:00:00Z', false],
  [{ days: [3] }, '2024-01-03T12:00:00Z', true],
  [{ daysType: 'path', daysPath: 'flags', days: only() }, '2024-01-03T12:00:00Z', true],
  [{ daysType: 'path', daysPath: 'numbers' }, '2024-01-03T12:00:00Z', false],
  [{ daysType: 'path', daysPath: 'none' }, '2024-01-03T12:00:00Z', true],
])('%j at %s: %s', async (config, time, inside) => {
  const payload = { time: new Date(time), end: '17:00', zone: 'America/New_York', flags: only(3), numbers: [0, 1] }
  const result = await run(config, payload)
  expect(result).toMatchObject({ output: inside ? 'inside' : 'outside', problems: [], error: undefined })
  expect(result.payload.branch).toBe(inside)
})

test('takes the time from its path, else of the payload, else now', async () => {
  const noon = range('12:00', '12:01')
  expect(await run({ ...noon, sourcePath: 'a.t' }, { a: { t: Date.UTC(2024, 0, 1, 12) }, time: 0 })).toMatchObject({
    output: 'inside',
  })
  expect(await run(noon, { time: '2024-01-03T13:00:00Z' })).toMatchObject({ output: 'outside' })
  expect(await run(noon, {})).toMatchObject({ output: 'inside' })
})

test.each<[object, string]>([
  [range('8', ''), 'time-range.argument'],
  [range('25:00', ''), 'time-range.argument'],
  [range('08:60', ''), 'time-range.argument'],
  [range('', 'noon'), 'time-range.argument'],
  [{ days: [true, 7] }, 'time-range.argument'],
  [{ days: [7] }, 'time-range.argument'],
  [{ days: '{"a": 1}' }, 'time-range.argument'],
  [{ timeZoneTemplate: 'Mars/Base' }, 'time-range.argument'],
  [{ sourcePath: 'none' }, 'date.unreadable'],
])('%j fails with %s', async (config, code) => {
  expect((await run(config, { time: 0 })).error).toMatchObject({ code })
})
