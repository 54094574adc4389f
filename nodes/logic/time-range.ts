import { FlowError } from '../../engine/errors.ts'
import { choice, json, path, read, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { readDate } from './read-date.ts'
import { toWall, toZone, zoneProblem } from './zoned-time.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440

export const timeRange = defineNode({
  type: 'time-range',
  aliases: ['TimeRangeNode'],
  group: 'logic',
  title: 'Time Range',
  summary: 'Takes one of two ways by the time of day and the day of the week.',
  outputs: ['outside', 'inside'],
  needs: ['clock'],
  config: {
    start: template({ key: 'startTimeTemplate', label: 'From', help: 'HH:MM, included. Empty: 00:00.' }),
    end: template({ key: 'endTimeTemplate', label: 'To', help: 'HH:MM, excluded. Before the start: past midnight.' }),
    zone: template({ key: 'timeZoneTemplate', label: 'Time zone', help: 'Such as Europe/Paris.', default: 'UTC' }),
    daysType: choice({
      key: 'daysType',
      label: 'Days are',
      help: 'array: written here; path: found on the payload.',
      of: ['array', 'path'],
    }),
    days: json({ key: 'days', label: 'Days', help: 'Seven times true or false, from Sunday.' }),
    daysAtPath: read({ key: 'daysPath', label: 'Days', help: 'True or false from Sunday, or numbers from 0.' }),
    source: path({ key: 'sourcePath', label: 'Time', help: 'Empty: the time of the payload.' }),
    branch: path({ key: 'branchPath', label: 'Result', help: 'True inside, false outside.', writes: true }),
  },
  examples: [
    {
      title: 'Past midnight',
      config: { startTimeTemplate: '22:00', endTimeTemplate: '06:00', timeZoneTemplate: 'Europe/Berlin' },
      payload: { time: '2024-01-02T01:30:00Z' },
      output: 'inside',
      result: { time: '2024-01-02T01:30:00Z' },
    },
  ],
  run({ config, payload, use }) {
    const time = config.source.given ? config.source.read() : (payload.time ?? use.clock.now())
    const inside = isInside({
      wall: toWall(readDate(time), zoneOf(config.zone)),
      start: minutesOf(config.start, 'From'),
      end: minutesOf(config.end, 'To'),
      days: daysOf(config.daysType === 'path' ? config.daysAtPath : config.days),
    })
    config.branch.write(inside)
    return inside ? 'inside' : 'outside'
  },
})

interface Window {
  /** Wall-clock milliseconds. */
  wall: number
  /** Minutes since midnight. */
  start: number
  end: number
  /** Days of the week, 0 = Sunday. */
  days: ReadonlySet<number>
}

// A window that reaches past midnight belongs to the day on which it starts. Equal ends: a whole day.
function isInside({ wall, start, end, days }: Window): boolean {
  const minutes = Math.floor(wall / MINUTE_MS) - Math.floor(wall / MINUTE_MS / DAY_MINUTES) * DAY_MINUTES
  const today = new Date(wall).getUTCDay()
  if (start < end) return minutes >= start && minutes < end && days.has(today)
  if (minutes >= start) return days.has(today)
  return minutes < end && days.has((today + 6) % 7)
}

function zoneOf(name: string): string {
  const problem = zoneProblem(name)
  if (problem === undefined) return toZone(name)
  throw new FlowError('time-range.argument', `${problem} Check the template of "Time zone".`)
}

function minutesOf(text: string, name: string): number {
  const given = text.trim()
  if (given === '') return 0
  const match = /^(\d{1,2}):(\d{2})$/.exec(given)
  const minutes = match ? Number(match[1]) * 60 + Number(match[2]) : Number.NaN
  if (match && Number(match[2]) < 60 && minutes < DAY_MINUTES) return minutes
  if (given === '24:00') return name === 'To' ? DAY_MINUTES : 0
  throw new FlowError(
    'time-range.argument',
    `Expected "${name}" to be a time of day such as 08:30, got "${given.slice(0, 50)}". Check its template.`,
  )
}

function daysOf(days: unknown): ReadonlySet<number> {
  if (days === undefined || days === null) return new Set([0, 1, 2, 3, 4, 5, 6])
  if (Array.isArray(days) && days.length <= 7) {
    if (days.every((day) => typeof day === 'boolean')) {
      return new Set(days.flatMap((on, day) => (on ? [day] : [])))
    }
    if (days.every((day) => Number.isInteger(day) && day >= 0 && day <= 6)) return new Set(days)
  }
  throw new FlowError(
    'time-range.argument',
    'Expected "Days" to be seven times true or false from Sunday, or numbers from 0 (Sunday) to 6',
  )
}
