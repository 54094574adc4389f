import dayjs, { type Dayjs } from 'dayjs'
import 'dayjs/locale/cs.js'
import 'dayjs/locale/da.js'
import 'dayjs/locale/de.js'
import 'dayjs/locale/en-gb.js'
import 'dayjs/locale/es.js'
import 'dayjs/locale/fi.js'
import 'dayjs/locale/fr.js'
import 'dayjs/locale/it.js'
import 'dayjs/locale/ja.js'
import 'dayjs/locale/ko.js'
import 'dayjs/locale/nb.js'
import 'dayjs/locale/nl.js'
import 'dayjs/locale/pl.js'
import 'dayjs/locale/pt-br.js'
import 'dayjs/locale/pt.js'
import 'dayjs/locale/ru.js'
import 'dayjs/locale/sv.js'
import 'dayjs/locale/tr.js'
import 'dayjs/locale/zh-cn.js'
import advancedFormat from 'dayjs/plugin/advancedFormat.js'
import dayOfYear from 'dayjs/plugin/dayOfYear.js'
import isoWeek from 'dayjs/plugin/isoWeek.js'
import localizedFormat from 'dayjs/plugin/localizedFormat.js'
import relativeTime from 'dayjs/plugin/relativeTime.js'
import utc from 'dayjs/plugin/utc.js'
import weekday from 'dayjs/plugin/weekday.js'
import weekOfYear from 'dayjs/plugin/weekOfYear.js'
import weekYear from 'dayjs/plugin/weekYear.js'
import { FlowError } from '../errors.ts'
import type { Call, Helpers } from './helper.ts'
import { printValue } from './values.ts'
import { offsetOf, zoneName } from './zones.ts'

for (const plugin of [
  advancedFormat,
  dayOfYear,
  isoWeek,
  localizedFormat,
  relativeTime,
  utc,
  weekday,
  weekOfYear,
  weekYear,
])
  dayjs.extend(plugin)

const MOST_FORMAT_CHARS = 500
const INVALID = 'Invalid date'

/**
 * The time that a Date, a number of milliseconds or a text names, in milliseconds; NaN if none. Text without a zone is
 * UTC; digits alone are a year or a date, never milliseconds.
 */
export function parseTime(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'number') return new Date(value).getTime()
  return typeof value === 'string' && value.length < 100 ? parseTimeText(value.trim()) : Number.NaN
}

/**
 * A time by Moment tokens: `format` default `L LTS`, `tz` default UTC, `locale` default en (also for one that is not
 * known). `Invalid date` for no time. Throws `template.helper` for an unknown zone.
 */
export function formatDate(value: unknown, options: { format?: string; tz?: string; locale?: string } = {}): string {
  const time = parseTime(value)
  if (Number.isNaN(time)) return INVALID
  const { format = 'L LTS', tz = 'UTC' } = options
  if (format.length > MOST_FORMAT_CHARS)
    throw new FlowError(
      'template.helper',
      `Expected a date format of at most ${MOST_FORMAT_CHARS} characters, got ${format.length}.`,
    )
  const offset = offsetOf(time, tz)
  // Formatted as UTC of the shifted time: the zone of the server must not show.
  const shifted = dayjs.utc(time + offset * 60_000).locale(localeOf(options.locale))
  const expanded = format.replace(TOKENS, (token) => {
    const print = Object.hasOwn(printers, token) ? printers[token] : undefined
    return print ? `[${print({ time, offset, tz, shifted })}]` : token
  })
  return shifted.format(expanded)
}

/** Dates and times, where `now` says what time it is. `tz` and `locale` are named arguments. */
export function dateHelpersAt(now: () => number): Helpers {
  return {
    formatDate: {
      run: ([value, format], call) =>
        value === undefined || value === null ? '' : formatDate(value, { ...namedOf(call), ...formatOf(format) }),
    },
    currentDateTime: { run: ([format], call) => formatDate(now(), { ...namedOf(call), ...formatOf(format) }) },
    formatDateRelative: {
      run: ([value, given], { hash }) => {
        if (value === undefined || value === null) return ''
        const base = given ?? hash.relativeTo
        const [time, from] = [parseTime(value), base === undefined ? now() : parseTime(base)]
        if (Number.isNaN(time) || Number.isNaN(from)) return INVALID
        return dayjs.utc(time).locale(localeOf(hash.locale)).from(dayjs.utc(from))
      },
    },
  }
}

interface Shown {
  time: number
  offset: number
  tz: string
  shifted: Dayjs
}

const TOKENS =
  /\[[^\]]*\]|Mo|DDDo|DDDD|DDD|Do|D{1,2}|M{1,4}|Y{1,6}|d{2,4}|do|Wo|wo|W{1,2}|w{1,2}|Qo|Q|gggg|gg|GGGG|GG|E|e|N{1,5}|S{1,9}|zz?|ZZ?|x|X|L{1,4}TS?|L{1,4}|l{1,4}|k{1,2}|h{1,2}|H{1,2}|m{1,2}|s{1,2}|a|A/g

// Moment's tokens that the library does not know, or would show in the zone of the server.
const printers: Readonly<Record<string, (shown: Shown) => string>> = {
  x: ({ time }) => String(time),
  X: ({ time }) => String(Math.floor(time / 1000)),
  Z: ({ offset }) => printOffset(offset, ':'),
  ZZ: ({ offset }) => printOffset(offset, ''),
  z: ({ time, tz }) => zoneName(time, tz),
  zz: ({ time, tz }) => zoneName(time, tz),
  Mo: ({ shifted }) => ordinal(shifted.month() + 1),
  Qo: ({ shifted }) => ordinal(Math.floor(shifted.month() / 3) + 1),
  DDD: ({ shifted }) => String(shifted.dayOfYear()),
  DDDD: ({ shifted }) => String(shifted.dayOfYear()).padStart(3, '0'),
  DDDo: ({ shifted }) => ordinal(shifted.dayOfYear()),
  do: ({ shifted }) => ordinal(shifted.day()),
  e: ({ shifted }) => String(shifted.weekday()),
  E: ({ shifted }) => String(shifted.isoWeekday()),
  Wo: ({ shifted }) => ordinal(shifted.isoWeek()),
  gg: ({ shifted }) => String(shifted.weekYear()).slice(-2),
  GG: ({ shifted }) => String(shifted.isoWeekYear()).slice(-2),
  Y: ({ shifted }) => String(shifted.year()),
  YYYYYY: ({ shifted }) => `${shifted.year() < 0 ? '-' : '+'}${String(Math.abs(shifted.year())).padStart(6, '0')}`,
  ...Object.fromEntries(
    [1, 2, 4, 5, 6, 7, 8, 9].map((digits) => [
      'S'.repeat(digits),
      ({ shifted }: Shown) => String(shifted.millisecond()).padStart(3, '0').padEnd(9, '0').slice(0, digits),
    ]),
  ),
}

function namedOf({ hash }: Call): { tz?: string; locale?: string } {
  const { tz, locale } = hash
  return { ...(tz ? { tz: printValue(tz) } : {}), ...(locale ? { locale: printValue(locale) } : {}) }
}

function formatOf(format: unknown): { format?: string } {
  return format === undefined || format === null || format === '' ? {} : { format: printValue(format) }
}

function localeOf(locale: unknown): string {
  const name = typeof locale === 'string' ? locale.toLowerCase() : 'en'
  const known = [name, name.split('-')[0]!].find((one) => Object.hasOwn(dayjs.Ls, one))
  return known ?? 'en'
}

const ISO =
  /^(\d{4}|[+-]\d{6})-?(\d\d)?-?(\d\d)?(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/i

function parseTimeText(text: string): number {
  const parts = ISO.exec(text)
  if (parts) return isoTime(parts)
  if (!/[A-Za-z/]|\d-\d/.test(text)) return Number.NaN
  // Mail and HTTP dates, 1/31/2024: as the language reads them, but never in the zone of the server.
  const zoned = /(?:Z|GMT|UTC|[+-]\d\d:?\d\d)\s*(?:\(.*\))?$/i.test(text)
  return Date.parse(zoned ? text : `${text} UTC`)
}

function isoTime([
  ,
  year,
  month = '01',
  day = '01',
  hour = '00',
  minute = '00',
  second = '00',
  part = '0',
  zone = 'Z',
]: RegExpExecArray): number {
  const time = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Math.floor(Number(`0.${part}`) * 1000),
  )
  const date = new Date(time)
  if (date.getUTCMonth() !== Number(month) - 1 && Number(hour) < 24) return Number.NaN
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 59 || Number(day) < 1) return Number.NaN
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? []
  return time - (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

function printOffset(offset: number, separator: string): string {
  const minutes = Math.abs(Math.round(offset))
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  return `${offset < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}${separator}${String(rest).padStart(2, '0')}`
}

function ordinal(number: number): string {
  const last = number % 100 > 10 && number % 100 < 14 ? 0 : number % 10
  return `${number}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`
}
