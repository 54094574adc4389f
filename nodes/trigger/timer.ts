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

function wrongSchedule(cron: string, tz: string): string | undefined {
  if (/[LW#?]|@reboot|@annually/i.test(cron.replace(/[A-Z]{3,}/gi, ''))) {
    return `Expected a cron schedule without L, W, # and ?, got "${cron}"`
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: tz })
    new Cron(cron, { timezone: tz, paused: true }).stop()
    return undefined
  } catch (error) {
    return `Expected a cron schedule such as "0 8 * * 1-5" and a time zone such as "Europe/Paris": ${(error as Error).message}`
  }
}
