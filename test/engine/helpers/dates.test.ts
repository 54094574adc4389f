import { expect, test, vi } from 'vitest'
import { parseTime } from '../../../engine/helpers/dates.ts'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const time = Date.UTC(2024, 1, 3, 14, 5, 6, 7)
const root = { date: new Date(time), ms: time, iso: '2024-02-03T15:05:06.007+01:00', nothing: null, ms2: String(time) }

test.each([
  ['date', '02/03/2024 2:05:06 PM'],
  ['ms', '02/03/2024 2:05:06 PM'],
  ['iso', '02/03/2024 2:05:06 PM'],
  ['(add ms2 0)', '02/03/2024 2:05:06 PM'],
  ['ms2', 'Invalid date'],
  ['"no date"', 'Invalid date'],
  ['(obj)', 'Invalid date'],
  ['""', 'Invalid date'],
  ['nothing', ''],
  ['missing', ''],
  ['(defaultTo missing 0)', '01/01/1970 12:00:00 AM'],
  ['true', 'Invalid date'],
  ['(array)', 'Invalid date'],
  ['-1', '12/31/1969 11:59:59 PM'],
  ['', ''],
])('formatDate %s is %j', (value, text) => {
  expect(templates.value(`{{formatDate ${value}}}`)(root)).toBe(text)
})

test.each([
  ['x', String(time)],
  ['X', String(Math.floor(time / 1000))],
  ['YYYY-MM-DDTHH:mm:ss.SSSZ', '2024-02-03T14:05:06.007+00:00'],
  ['YY M Mo MMM MMMM D Do DDD DDDo DDDD', '24 2 2nd Feb February 3 3rd 34 34th 034'],
  ['d do dd ddd dddd e E', '6 6th Sa Sat Saturday 6 6'],
  ['w ww W WW Wo gggg GGGG gg Q Qo', '5 05 5 05 5th 2024 2024 24 1 1st'],
  ['H HH h hh k kk m mm s ss a A', '14 14 2 02 14 14 5 05 6 06 pm PM'],
  ['S SS SSS SSSS', '0 00 007 0070'],
  ['Z ZZ z', '+00:00 +0000 UTC'],
  ['LT', '2:05 PM'],
  ['LTS', '2:05:06 PM'],
  ['L', '02/03/2024'],
  ['LL', 'February 3, 2024'],
  ['LLL', 'February 3, 2024 2:05 PM'],
  ['LLLL', 'Saturday, February 3, 2024 2:05 PM'],
  ['l ll', '2/3/2024 Feb 3, 2024'],
  ['[at] HH [Do x]', 'at 14 Do x'],
  ['', '02/03/2024 2:05:06 PM'],
])('formats %j as %j', (format, text) => {
  expect(templates.value('{{formatDate date format}}')({ ...root, format })).toBe(text)
})

test.each([
  ['tz="America/Chicago"', 'YYYY-MM-DD HH:mm Z z', '2024-02-03 08:05 -06:00 CST'],
  ['tz="Asia/Kolkata"', 'YYYY-MM-DD HH:mm ZZ', '2024-02-03 19:35 +0530'],
  ['tz="Pacific/Auckland"', 'YYYY-MM-DD HH:mm', '2024-02-04 03:05'],
  ['tz="+02:00"', 'HH:mm Z', '16:05 +02:00'],
  ['tz=missing', 'HH:mm', '14:05'],
  ['tz=""', 'HH:mm', '14:05'],
  ['tz=nothing', 'HH:mm', '14:05'],
  ['tz="america/chicago"', 'HH:mm', '08:05'],
  ['tz="Asia/Tokyo" locale="ja"', 'dddd HH:mm', '土曜日 23:05'],
  ['locale=5', 'MMMM', 'February'],
  ['locale=missing', 'MMMM', 'February'],
  ['tz="America/Chicago"', 'x', String(time)],
  ['locale="de"', 'dddd, D. MMMM', 'Samstag, 3. Februar'],
  ['locale="fr-CA"', 'MMMM', 'février'],
  ['locale="xx"', 'MMMM', 'February'],
  ['locale="constructor"', 'MMMM', 'February'],
])('%s: %s is %s', (named, format, text) => {
  expect(templates.value(`{{formatDate date "${format}" ${named}}}`)(root)).toBe(text)
})

test.each([
  ['2024-07-01T12:00:00Z', '-05:00'],
  ['2024-03-10T07:59:00Z', '-06:00'],
  ['2024-03-10T08:00:00Z', '-05:00'],
  ['1900-01-01T00:00:00.500Z', '-06:00'],
])('follows daylight saving at %s', (at, offset) => {
  expect(templates.value('{{formatDate at "Z" tz="America/Chicago"}}')({ at })).toBe(offset)
})

test('refuses a zone that does not exist, and a format without end', () => {
  for (const call of ['formatDate ms "L" tz="Mars/Phobos"', 'formatDate ms long'])
    expect(() => templates.value(`{{${call}}}`)({ ms: 0, long: 'L'.repeat(501) })).toThrow(
      expect.objectContaining({ code: 'template.helper' }),
    )
})

test.each([
  ['2024-02-03', '2024-02-03T00:00:00.000Z'],
  ['2024-02', '2024-02-01T00:00:00.000Z'],
  ['2024', '2024-01-01T00:00:00.000Z'],
  ['20240203', '2024-02-03T00:00:00.000Z'],
  ['20240203T141516Z', '2024-02-03T14:15:16.000Z'],
  ['2024-02-03 14:15', '2024-02-03T14:15:00.000Z'],
  ['2024-02-03T14:15:16.123456', '2024-02-03T14:15:16.123Z'],
  ['2024-02-03T14:15:16-0530', '2024-02-03T19:45:16.000Z'],
  ['2024-02-03T24:00', '2024-02-04T00:00:00.000Z'],
  ['Sat, 03 Feb 2024 14:15:16 GMT', '2024-02-03T14:15:16.000Z'],
  ['Sat, 03 Feb 2024 14:15:16 +0100', '2024-02-03T13:15:16.000Z'],
  ['2/3/2024', '2024-02-03T00:00:00.000Z'],
  ['Feb 3, 2024 2:15 PM', '2024-02-03T14:15:00.000Z'],
])('reads %s', (text, iso) => {
  expect(new Date(parseTime(text)).toISOString()).toBe(iso)
})

test.each([
  '',
  '5',
  '12345',
  '1700000000000',
  '2024-02-30',
  '2024-13-01',
  '2024-02-03T25:00',
  'abc',
  'x'.repeat(200),
  true,
])('reads no time in %j', (value) => {
  expect(parseTime(value)).toBeNaN()
})

test('currentDateTime is text of now', () => {
  vi.spyOn(Date, 'now').mockReturnValue(time)
  expect(templates.value("{{currentDateTime 'x'}}")(root)).toBe(String(time))
  expect(templates.value('{{currentDateTime}}')(root)).toBe('02/03/2024 2:05:06 PM')
  expect(templates.value('{{currentDateTime "HH" tz="Asia/Tokyo"}}')(root)).toBe('23')
})

test('templates may be given a clock of their own', () => {
  let now = time
  const clocked = openTemplates({ now: () => now })
  expect(clocked.value("{{currentDateTime 'x'}}")(root)).toBe(String(time))
  now += 3_600_000
  expect(clocked.value("{{currentDateTime 'x'}}")(root)).toBe(String(time + 3_600_000))
  expect(clocked.text('{{formatDateRelative ms}}')(root)).toBe('an hour ago')
  expect(clocked.text('{{template "{{currentDateTime \'HH:mm\'}}"}}')(root)).toBe('15:05')
  expect(clocked.value('{{evalExpression "{{currentDateTime \'x\'}} - {{ms}}"}}')(root)).toBe(3_600_000)
})

test.each([
  ['formatDateRelative ms (add ms 300000)', '5 minutes ago'],
  ['formatDateRelative ms relativeTo=(subtract ms 7200000)', 'in 2 hours'],
  ['formatDateRelative ms (add ms 300000) locale="de"', 'vor 5 Minuten'],
  ['formatDateRelative missing', ''],
  ['formatDateRelative "x"', 'Invalid date'],
  ['formatDateRelative nothing', ''],
  ['formatDateRelative ms "x"', 'Invalid date'],
  ['formatDateRelative ms ms', 'a few seconds ago'],
  ['formatDateRelative ms (add ms 300000) locale="xx"', '5 minutes ago'],
  ['formatDateRelative iso relativeTo=date', 'a few seconds ago'],
])('%s is %j', (call, text) => {
  expect(templates.value(`{{${call}}}`)(root)).toBe(text)
})
