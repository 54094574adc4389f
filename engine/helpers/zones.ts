import { FlowError } from '../errors.ts'

const MOST_CACHED = 500

const clocks = new Map<string, Intl.DateTimeFormat>()
const names = new Map<string, Intl.DateTimeFormat>()

/** Minutes that a zone such as `America/Chicago` is ahead of UTC at a time in milliseconds. Throws `template.helper`. */
export function offsetOf(time: number, tz: string): number {
  if (/^(UTC|GMT|Z|Etc\/UTC)$/i.test(tz)) return 0
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(tz)
  if (fixed) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3]))
  // Such as 11/14/2023, 17:13:20: its parts one by one would take twice as long.
  const [month, day, year, hour, minute, second] = clockOf(tz).format(time).match(/\d+/g)!.map(Number)
  const local = Date.UTC(year!, month! - 1, day, hour, minute, second)
  return Math.round((local - Math.floor(time / 1000) * 1000) / 60_000)
}

/** The short name of a zone at a time: `CST`, `GMT+1`. */
export function zoneName(time: number, tz: string): string {
  if (/^(UTC|Z|Etc\/UTC)$/i.test(tz)) return 'UTC'
  if (/^[+-]/.test(tz)) return ''
  const format = cached(names, tz, (timeZone) => new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'short' }))
  return format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

function clockOf(tz: string): Intl.DateTimeFormat {
  return cached(
    clocks,
    tz,
    (timeZone) =>
      new Intl.DateTimeFormat('en-US', {
        timeZone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      }),
  )
}

function cached(
  formats: Map<string, Intl.DateTimeFormat>,
  tz: string,
  open: (tz: string) => Intl.DateTimeFormat,
): Intl.DateTimeFormat {
  const known = formats.get(tz)
  if (known) return known
  if (formats.size >= MOST_CACHED) formats.delete(formats.keys().next().value!)
  const made = openZone(tz, open)
  formats.set(tz, made)
  return made
}

function openZone(tz: string, open: (tz: string) => Intl.DateTimeFormat): Intl.DateTimeFormat {
  try {
    return open(tz)
  } catch (cause) {
    const name = tz.slice(0, 50)
    throw new FlowError('template.helper', `Expected a time zone such as "America/Chicago", got "${name}".`, { cause })
  }
}
