import dayjs, { type Dayjs } from 'dayjs'
import dayOfYear from 'dayjs/plugin/dayOfYear.js'
import quarterOfYear from 'dayjs/plugin/quarterOfYear.js'
import toArray from 'dayjs/plugin/toArray.js'
import toObject from 'dayjs/plugin/toObject.js'
import utc from 'dayjs/plugin/utc.js'
import weekOfYear from 'dayjs/plugin/weekOfYear.js'
import { checkDate } from './read-date.ts'
import { fromWall, toWall } from './zoned-time.ts'

for (const plugin of [utc, dayOfYear, quarterOfYear, toArray, toObject, weekOfYear]) dayjs.extend(plugin)

export const dateUnits = [
  ...(['year', 'quarter', 'month', 'week', 'dayOfYear', 'day', 'dayOfWeek'] as const),
  ...(['hour', 'minute', 'second', 'millisecond'] as const),
] as const
export type DateUnit = (typeof dateUnits)[number]

export type DateOperation =
  | 'add'
  | 'subtract'
  | 'setDatePart'
  | 'startOfTime'
  | 'format'
  | 'diff'
  | 'getDatePart'
  | 'daysInMonth'
  | 'unixTimestampSeconds'
  | 'unixTimestampMilliseconds'
  | 'toArray'
  | 'toObject'

export interface DateQuestion {
  /** Milliseconds since the epoch, as `other` is. */
  at: number
  other(): number
  amount: number
  /** Empty: years, but milliseconds for `diff`. */
  unit: DateUnit | ''
  zone: string
}

/** What a Date/Time node can do, by the published name. Months count from 0, days of the week from Sunday = 0. */
export const dateOperations: Record<DateOperation, (question: DateQuestion) => Date | number | number[] | object> = {
  add: (question) => add(question, question.amount),
  subtract: (question) => add(question, -question.amount),
  setDatePart: (question) =>
    onWall(question, (wall) => setPart(wall, question.unit || 'year', Math.trunc(question.amount))),
  startOfTime: (question) => startOf(question),
  format: ({ at }) => new Date(at),
  diff: (question) => diff(question),
  getDatePart: (question) => getPart(wallOf(question), question.unit || 'year'),
  daysInMonth: (question) => wallOf(question).daysInMonth(),
  unixTimestampSeconds: ({ at }) => Math.floor(at / 1000),
  unixTimestampMilliseconds: ({ at }) => at,
  toArray: (question) => wallOf(question).toArray(),
  toObject: (question) => wallOf(question).toObject(),
}

const unitMs: Partial<Record<DateUnit, number>> = { hour: 3_600_000, minute: 60_000, second: 1_000, millisecond: 1 }

// An hour is an hour of the world; a day and more are of the calendar, where whole ones are added.
function add(question: DateQuestion, amount: number): Date {
  const unit = question.unit || 'year'
  const ms = unitMs[unit]
  if (ms !== undefined) return toDate(question.at + amount * ms)
  return onWall(question, (wall) => addCalendar(wall, Math.round(amount), unit))
}

function addCalendar(wall: Dayjs, amount: number, unit: DateUnit): Dayjs {
  if (unit === 'quarter') return wall.add(amount * 3, 'month')
  return wall.add(amount, dayUnit(unit))
}

function startOf(question: DateQuestion): Date {
  const unit = question.unit || 'year'
  const ms = unitMs[unit]
  if (ms !== undefined) {
    const wall = toWall(question.at, question.zone)
    return toDate(question.at - (wall - Math.floor(wall / ms) * ms))
  }
  return onWall(question, (wall) => (unit === 'quarter' ? wall.startOf('quarter') : wall.startOf(dayUnit(unit))))
}

function diff(question: DateQuestion): number {
  const { at, zone, unit } = question
  const other = question.other()
  if (unit === '') return at - other
  const ms = unitMs[unit]
  if (ms !== undefined) return whole((at - other) / ms)
  const [left, right] = [at, other].map((moment) => dayjs.utc(toWall(moment, zone))) as [Dayjs, Dayjs]
  return whole(unit === 'quarter' ? left.diff(right, 'month') / 3 : left.diff(right, dayUnit(unit), true))
}

// Truncated, and never -0.
function whole(value: number): number {
  return Math.trunc(value) + 0
}

function setPart(wall: Dayjs, unit: DateUnit, value: number): Dayjs {
  if (unit === 'quarter') return wall.quarter(value)
  if (unit === 'week') return wall.week(value)
  if (unit === 'dayOfYear') return wall.dayOfYear(value)
  if (unit === 'dayOfWeek') return wall.day(value)
  return wall.set(unit === 'day' ? 'date' : unit, value)
}

function getPart(wall: Dayjs, unit: DateUnit): number {
  if (unit === 'quarter') return wall.quarter()
  if (unit === 'week') return wall.week()
  if (unit === 'dayOfYear') return wall.dayOfYear()
  if (unit === 'dayOfWeek') return wall.day()
  return wall.get(unit === 'day' ? 'date' : unit)
}

function dayUnit(unit: Exclude<DateUnit, 'quarter'>) {
  return unit === 'dayOfYear' || unit === 'dayOfWeek' ? 'day' : unit
}

function wallOf({ at, zone }: DateQuestion): Dayjs {
  return dayjs.utc(toWall(at, zone))
}

function onWall(question: DateQuestion, change: (wall: Dayjs) => Dayjs): Date {
  const wall = change(wallOf(question)).valueOf()
  return toDate(fromWall(checkDate(wall, tooFar), question.zone))
}

function toDate(ms: number): Date {
  return new Date(checkDate(ms, tooFar))
}

function tooFar(): string {
  return 'The result is beyond the dates that can be computed with'
}
