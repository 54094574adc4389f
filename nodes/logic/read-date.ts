import dayjs from 'dayjs'
import customParseFormat from 'dayjs/plugin/customParseFormat.js'
import utc from 'dayjs/plugin/utc.js'
import { FlowError } from '../../engine/errors.ts'
import { parseTime } from '../../engine/helpers/dates.ts'

dayjs.extend(utc)
dayjs.extend(customParseFormat)

const MOST_CHARS = 200
// Two days within the most that a Date holds: zones shift a moment by up to a day.
const MOST_MS = 8.64e15 - 2 * 86_400_000

/**
 * The moment that a value names, in milliseconds: a Date, a number of milliseconds, or a text, by Moment tokens where
 * `format` is given. Text that names no zone is UTC. Throws `date.unreadable`.
 */
export function readDate(value: unknown, format = ''): number {
  const ms = format === '' || value instanceof Date ? parseTime(value) : parseFormatted(value, format)
  return checkDate(ms, () => {
    const got = typeof value === 'string' ? `"${value.slice(0, 50)}"` : value instanceof Date ? 'another' : typeof value
    return `Expected a date${format === '' ? '' : ` in the format "${format.slice(0, 50)}"`}, got ${got}`
  })
}

/** The moment itself. Throws `date.unreadable` for none, or one beyond what a Date holds. */
export function checkDate(ms: number, message: () => string): number {
  if (Math.abs(ms) <= MOST_MS) return ms
  throw new FlowError('date.unreadable', `${message()}. Check the path and the format.`)
}

function parseFormatted(value: unknown, format: string): number {
  if (typeof value !== 'string' && typeof value !== 'number') return Number.NaN
  const text = String(value).trim()
  if (text === '' || text.length > MOST_CHARS || format.length > MOST_CHARS) return Number.NaN
  return dayjs.utc(text, format).valueOf()
}
