import { expect, test } from 'vitest'
import { dateTime } from '../../../nodes/logic/date-time.ts'
import { runNode } from '../../helpers/run-node.ts'

const now = Date.UTC(2024, 0, 31, 12)

const computed = (config: object, payload = {}) =>
  runNode(dateTime, {
    config: { resultPath: 'r', ...config },
    payload,
    use: { clock: { now: () => now } },
  })

test.each<[object, unknown, string]>([
  [{ operation: 'add', numberValue: '1', unit: 'month' }, '2024-01-31T12:00:00Z', '2024-02-29T12:00:00.000Z'],
  [{ operation: 'add', numberValue: '1', unit: 'quarter' }, '2024-01-31T12:00:00Z', '2024-04-30T12:00:00.000Z'],
  [{ numberValue: '1' }, '2024-02-29T00:00:00Z', '2025-02-28T00:00:00.000Z'],
  [{ operation: 'add', numberValue: '-2', unit: 'day' }, '2024-03-01T00:00:00Z', '2024-02-28T00:00:00.000Z'],
  [{ operation: 'add', numberValue: '1.5', unit: 'hour' }, '2024-01-01T00:00:00Z', '2024-01-01T01:30:00.000Z'],
  [{ operation: 'subtract', numberValue: '{{n}}', unit: 'week' }, '2024-01-15T00:00:00Z', '2024-01-01T00:00:00.000Z'],
  [{ operation: 'subtract', numberValue: '', unit: 'day' }, '2024-01-15T00:00:00Z', '2024-01-15T00:00:00.000Z'],
  [{ operation: 'add', numberValue: 5, unit: 'millisecond' }, 0, '1970-01-01T00:00:00.005Z'],
  [{ operation: 'add', numberValue: '-{{add n 1}}', unit: 'day' }, '2024-01-15T00:00:00Z', '2024-01-12T00:00:00.000Z'],
  [{ operation: 'add', numberValue: '2', unit: 'dayOfYear' }, '2024-12-31T00:00:00Z', '2025-01-02T00:00:00.000Z'],
  [{ operation: 'add', numberValue: '2', unit: 'dayOfWeek' }, '2024-12-31T00:00:00Z', '2025-01-02T00:00:00.000Z'],
  [{ operation: 'add', numberValue: '90', unit: 'second' }, '2024-01-01T00:00:00Z', '2024-01-01T00:01:30.000Z'],
  [{ operation: 'add', numberValue: '90', unit: 'minute' }, '2024-01-01T00:00:00Z', '2024-01-01T01:30:00.000Z'],
  [{ operation: 'subtract', numberValue: '1', unit: 'month' }, '2024-03-31T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  [{ operation: 'subtract', numberValue: '{{none}}' }, '2024-03-31T00:00:00Z', '2024-03-31T00:00:00.000Z'],
  [{ operation: 'subtract', numberValue: '1' }, '2024-03-31T00:00:00Z', '2023-03-31T00:00:00.000Z'],
  [{ operation: 'startOfTime' }, '2024-05-08T10:20:30Z', '2024-01-01T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'month' }, '2024-05-08T10:20:30Z', '2024-05-01T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'dayOfWeek' }, '2024-05-08T10:20:30Z', '2024-05-08T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'second' }, '2024-05-08T10:20:30.4Z', '2024-05-08T10:20:30.000Z'],
  [{ operation: 'startOfTime', unit: 'millisecond' }, '2024-05-08T10:20:30.4Z', '2024-05-08T10:20:30.400Z'],
  [{ operation: 'startOfTime', unit: 'day' }, '1969-12-31T10:00:00Z', '1969-12-31T00:00:00.000Z'],
  [
    { operation: 'startOfTime', unit: 'month', timezone: 'Pacific/Auckland' },
    '2024-05-31T13:00:00Z',
    '2024-05-31T12:00:00.000Z',
  ],
  [{ operation: 'setDatePart', numberValue: '2023' }, '2024-02-29T10:00:00Z', '2023-02-28T10:00:00.000Z'],
  [{ operation: 'setDatePart', unit: 'quarter', numberValue: '4' }, '2024-02-03T10:00:00Z', '2024-11-03T10:00:00.000Z'],
  [{ operation: 'setDatePart', unit: 'week', numberValue: '1' }, '2024-05-08T10:00:00Z', '2024-01-03T10:00:00.000Z'],
  [{ operation: 'setDatePart', unit: 'minute', numberValue: '5' }, '2024-05-08T10:20:30Z', '2024-05-08T10:05:30.000Z'],
  [{ operation: 'setDatePart', unit: 'second', numberValue: '5' }, '2024-05-08T10:20:30Z', '2024-05-08T10:20:05.000Z'],
  [
    { operation: 'setDatePart', unit: 'millisecond', numberValue: '5' },
    '2024-05-08T10:20:30Z',
    '2024-05-08T10:20:30.005Z',
  ],
  [
    { operation: 'setDatePart', unit: 'hour', numberValue: '7', timezone: 'Asia/Tokyo' },
    '2024-05-08T10:20:00Z',
    '2024-05-07T22:20:00.000Z',
  ],
  [{ operation: 'startOfTime', unit: 'day' }, '2024-05-05T10:20:30.4Z', '2024-05-05T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'week' }, '2024-05-08T10:20:30Z', '2024-05-05T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'quarter' }, '2024-05-08T10:20:30Z', '2024-04-01T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'year' }, '2024-05-08T10:20:30Z', '2024-01-01T00:00:00.000Z'],
  [{ operation: 'startOfTime', unit: 'minute' }, '2024-05-08T10:20:30Z', '2024-05-08T10:20:00.000Z'],
  [{ operation: 'setDatePart', unit: 'month', numberValue: '1' }, '2024-05-31T10:00:00Z', '2024-02-29T10:00:00.000Z'],
  [{ operation: 'setDatePart', unit: 'day', numberValue: '3' }, '2024-05-31T10:00:00Z', '2024-05-03T10:00:00.000Z'],
  [
    { operation: 'setDatePart', unit: 'dayOfYear', numberValue: '1' },
    '2024-05-31T10:00:00Z',
    '2024-01-01T10:00:00.000Z',
  ],
  [
    { operation: 'setDatePart', unit: 'dayOfWeek', numberValue: '0' },
    '2024-05-08T10:00:00Z',
    '2024-05-05T10:00:00.000Z',
  ],
  [{ operation: 'setDatePart', unit: 'hour', numberValue: '7' }, '2024-05-08T10:20:00Z', '2024-05-08T07:20:00.000Z'],
  // The clocks of New York go forward at 2:00 on 10 March and back at 2:00 on 3 November.
  [
    { operation: 'add', numberValue: 1, unit: 'day', timezone: 'America/New_York' },
    '2024-03-09T17:00:00Z',
    '2024-03-10T16:00:00.000Z',
  ],
  [
    { operation: 'add', numberValue: 24, unit: 'hour', timezone: 'America/New_York' },
    '2024-03-09T17:00:00Z',
    '2024-03-10T17:00:00.000Z',
  ],
  [
    { operation: 'add', numberValue: 1, unit: 'day', timezone: 'America/New_York' },
    '2024-03-09T07:30:00Z',
    '2024-03-10T07:30:00.000Z',
  ],
  [
    { operation: 'startOfTime', unit: 'day', timezone: 'America/New_York' },
    '2024-03-11T03:00:00Z',
    '2024-03-10T05:00:00.000Z',
  ],
  [
    { operation: 'startOfTime', unit: 'hour', timezone: 'Asia/Kolkata' },
    '2024-03-11T03:10:00Z',
    '2024-03-11T02:30:00.000Z',
  ],
  [
    { operation: 'startOfTime', unit: 'hour', timezone: 'America/New_York' },
    '2024-11-03T06:30:00Z',
    '2024-11-03T06:00:00.000Z',
  ],
])('%j on %j is the date %s', async (config, source, expected) => {
  const run = await computed({ ...config, sourcePath: 'at' }, { at: source, n: 2 })
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.r).toEqual(new Date(expected))
})

test.each<[object, unknown]>([
  [{ operation: 'format', resultFormatString: 'YYYY-MM-DD [at] HH:mm' }, '2024-05-08 at 10:20'],
  [{ operation: 'format', resultFormatString: 'x' }, '1715163630400'],
  [{ operation: 'format', resultFormatString: 'X' }, '1715163630'],
  [
    { operation: 'format', resultFormatString: 'dddd, Do MMMM Q DDD', timezone: 'Asia/Tokyo' },
    'Wednesday, 8th May 2 129',
  ],
  [{ operation: 'format', timezone: 'Asia/Tokyo' }, '2024-05-08T19:20:30+09:00'],
  [{ operation: 'add', numberValue: 1, unit: 'day', resultFormatString: 'x' }, '1715250030400'],
  [{ operation: 'getDatePart', unit: 'year' }, 2024],
  [{ operation: 'getDatePart' }, 2024],
  [{ operation: 'getDatePart', unit: 'minute' }, 20],
  [{ operation: 'getDatePart', unit: 'second' }, 30],
  [{ operation: 'getDatePart', unit: 'millisecond' }, 400],
  [{ operation: 'getDatePart', unit: 'day', timezone: 'Pacific/Kiritimati' }, 9],
  [{ operation: 'format', resultFormatString: '{{none}}' }, '2024-05-08T10:20:30+00:00'],
  [{ operation: 'format', resultFormatString: 'z Z', timezone: 'America/New_York' }, 'EDT -04:00'],
  [
    { operation: 'startOfTime', unit: 'day', resultFormatString: 'LLL', timezone: 'Asia/Tokyo' },
    'May 8, 2024 12:00 AM',
  ],
  [{ operation: 'toArray', timezone: 'Asia/Tokyo' }, [2024, 4, 8, 19, 20, 30, 400]],
  [{ operation: 'getDatePart', unit: 'month' }, 4],
  [{ operation: 'getDatePart', unit: 'day' }, 8],
  [{ operation: 'getDatePart', unit: 'dayOfWeek' }, 3],
  [{ operation: 'getDatePart', unit: 'dayOfYear' }, 129],
  [{ operation: 'getDatePart', unit: 'quarter' }, 2],
  [{ operation: 'getDatePart', unit: 'week' }, 19],
  [{ operation: 'getDatePart', unit: 'hour', timezone: 'Asia/Tokyo' }, 19],
  [{ operation: 'daysInMonth' }, 31],
  [{ operation: 'unixTimestampSeconds' }, 1_715_163_630],
  [{ operation: 'unixTimestampMilliseconds' }, 1_715_163_630_400],
  [{ operation: 'toArray' }, [2024, 4, 8, 10, 20, 30, 400]],
  [
    { operation: 'toObject' },
    { years: 2024, months: 4, date: 8, hours: 10, minutes: 20, seconds: 30, milliseconds: 400 },
  ],
])('%j gives %j', async (config, expected) => {
  const run = await computed({ ...config, sourcePath: 'at' }, { at: new Date('2024-05-08T10:20:30.400Z') })
  expect(run).toMatchObject({ problems: [], error: undefined })
  expect(run.payload.r).toEqual(expected)
})

test.each<[object, number]>([
  [{}, 86_400_000 + 3_600_000],
  [{ unit: '' }, 90_000_000],
  [{ unit: 'day' }, 1],
  [{ unit: 'hour' }, 25],
  [{ unit: 'month' }, 0],
  [{ unit: 'minute' }, 1_500],
  [{ unit: 'second' }, 90_000],
  [{ unit: 'millisecond' }, 90_000_000],
  [{ unit: 'week' }, 0],
  [{ unit: 'year', diffDataPath: 'long' }, 4],
  [{ unit: 'quarter', diffDataPath: 'long' }, 16],
  [{ unit: 'month', diffDataPath: 'long' }, 48],
  [{ unit: 'week', diffDataPath: 'long' }, 208],
  [{ unit: 'dayOfYear', diffDataPath: 'long' }, 1461],
])('diff with %j is %i', async (config, expected) => {
  const settings = { operation: 'diff', sourcePath: 'at', diffDataPath: 'before', ...config }
  const payload = { at: '2024-01-02T01:00:00Z', before: new Date('2024-01-01T00:00:00Z'), long: '2020-01-02T00:00:00Z' }
  expect((await computed({ ...settings, ...config }, payload)).payload.r).toBe(expected)
})

test('a calendar unit counts days of the zone, not hours of the world', async () => {
  const settings = { operation: 'diff', sourcePath: 'at', diffDataPath: 'before', timezone: 'America/New_York' }
  const payload = { at: '2024-03-11T04:00:00Z', before: '2024-03-10T05:00:00Z' }
  expect((await computed({ ...settings, unit: 'day' }, payload)).payload.r).toBe(1)
  expect((await computed({ ...settings, unit: 'hour' }, payload)).payload.r).toBe(23)
})

test('the second date is now where none is named', async () => {
  expect((await computed({ operation: 'diff', sourcePath: 'at' }, { at: now + 5 })).payload.r).toBe(5)
})

test('asks for a place, and refuses a second date that is none', async () => {
  const { problems } = await runNode(dateTime, { config: {}, use: { clock: { now: () => now } } })
  expect(problems).toMatchObject([{ code: 'config.missing', pointer: '/config/resultPath' }])
  const run = await computed({ operation: 'diff', diffDataPath: 'none' })
  expect(run.error).toMatchObject({ code: 'date.unreadable' })
  expect((await computed({ operation: 'explode' })).error).toMatchObject({ code: 'config.choice' })
})

test('diff truncates towards zero and has no negative zero', async () => {
  const settings = { operation: 'diff', sourcePath: 'at', diffDataPath: 'after', unit: 'hour' }
  expect((await computed(settings, { at: 0, after: 5_400_000 })).payload.r).toBe(-1)
  expect((await computed(settings, { at: 0, after: 60_000 })).payload.r).toBe(0)
})

test('reads the second date by its own format', async () => {
  const settings = { operation: 'diff', diffDataPath: 'iat', diffDataFormatString: 'X' }
  expect((await computed(settings, { iat: now / 1000 - 60 })).payload.r).toBe(60_000)
})

test.each([
  [{}, 'format', now],
  [{ sourcePath: 'at', sourceFormatString: 'DD.MM.YYYY HH:mm' }, '02.01.2024 03:04', Date.UTC(2024, 0, 2, 3, 4)],
  [{ sourcePath: 'at', sourceFormatString: 'x' }, '5000', 5000],
  [{ sourcePath: 'at', sourceFormatString: 'X' }, 5, 5000],
  [
    { sourcePath: 'at', sourceFormatString: 'YYYY-MM-DDTHH:mm:ssZ' },
    '2024-01-02T03:04:05+02:00',
    Date.UTC(2024, 0, 2, 1, 4, 5),
  ],
  [{ sourcePath: 'at', sourceFormatString: 'X' }, new Date(7), 7],
  [{ sourcePath: 'at' }, '2024-01-02T03:04:05+02:00', Date.UTC(2024, 0, 2, 1, 4, 5)],
  [{ sourcePath: 'at' }, 42, 42],
])('reads with %j the date %j', async (config, source, expected) => {
  const run = await computed({ operation: 'unixTimestampMilliseconds', ...config }, { at: source })
  expect(run.payload.r).toBe(expected)
})

test('source and result may be one place', async () => {
  const config = { operation: 'startOfTime', unit: 'year', sourcePath: 'at', resultPath: 'at' }
  expect((await computed(config, { at: now })).payload).toEqual({ at: new Date(Date.UTC(2024)) })
})

test.each<[object, unknown, string]>([
  [{}, 'yesterday', 'date.unreadable'],
  [{}, undefined, 'date.unreadable'],
  [{}, null, 'date.unreadable'],
  [{}, {}, 'date.unreadable'],
  [{}, Number.NaN, 'date.unreadable'],
  [{ sourceFormatString: 'YYYY' }, 'year', 'date.unreadable'],
  [{ numberValue: '1e300', unit: 'year' }, 0, 'date.unreadable'],
  [{ numberValue: '1e300', unit: 'hour' }, 0, 'date.unreadable'],
  [{ numberValue: '275000' }, 0, 'date.unreadable'],
  [{ numberValue: 'x' }, 0, 'config.type'],
  [{ unit: 'aeon' }, 0, 'config.choice'],
  [{ timezone: 'Mars/Base' }, 0, 'date.argument'],
])('%j on %j fails with %s', async (config, source, code) => {
  const run = await computed({ operation: 'add', sourcePath: 'at', ...config }, { at: source })
  expect(run.error).toMatchObject({ code })
})
