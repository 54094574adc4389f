import { Cron } from 'croner'
import { numberTemplate, text } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

const YEAR_SECONDS = 31_536_000

/** Fires every `seconds` (1 to 31,536,000), or by `cron` (5 fields, or 6 with seconds first) in the zone `tz` (UTC). */
export const timer = defineTrigger({
  type: 'timer',
  aliases: [],
  title: 'Timer',
  summary: 'Starts a run at an interval or by a schedule.',
  classes: ['cloud'],
  ownKey: true,
  config: {
    seconds: numberTemplate({ key: 'seconds', label: 'Seconds', help: '1 to 31,536,000.' }),
    cron: text({ key: 'cron', label: 'Cron', help: 'Five fields, or six with seconds first; goes before "Seconds".' }),
    tz: text({ key: 'tz', label: 'Time zone', help: 'Such as Europe/Paris, for cron.', default: 'UTC' }),
  },
  check({ seconds, cron, tz }) {
    if (cron === '' && seconds === undefined) return 'Expected "seconds" or "cron", got neither'
    if (cron !== '') return wrongSchedule(cron, tz)
    if (seconds! >= 1 && seconds! <= YEAR_SECONDS) return undefined
    return `Expected "seconds" to be 1 to ${YEAR_SECONDS}, got ${seconds}`
  },
})

/** The words that stand for a whole schedule. */
const words = /^@(yearly|monthly|weekly|daily|hourly)$/i

function wrongSchedule(cron: string, tz: string): string | undefined {
  const fields = cron.trim().split(/\s+/)
  // Names of months and days aside, letters and signs are extensions that not every scheduler knows.
  const plain = (fields.length === 5 || fields.length === 6) && !/[LW#?@]/i.test(cron.replace(/[A-Z]{3,}/gi, ''))
  if (!plain && !words.test(cron.trim())) {
    return `Expected a cron schedule of five or six fields without L, W, # and ?, or @yearly, @monthly, @weekly, @daily or @hourly, got "${cron}"`
  }
  try {
    const timeZone = tz || 'UTC'
    new Intl.DateTimeFormat('en', { timeZone })
    new Cron(cron, { timezone: timeZone, paused: true }).stop()
    return undefined
  } catch (error) {
    return `Expected a cron schedule such as "0 8 * * 1-5" and a time zone such as "Europe/Paris": ${(error as Error).message}`
  }
}
