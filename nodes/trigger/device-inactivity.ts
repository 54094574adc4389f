import { numberTemplate } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

const MOST_SECONDS = 31_622_400

/** Its key selects devices as that of `device-state` does. The clock starts with a report; it fires once until the next one. */
export const deviceInactivity = defineTrigger({
  type: 'device-inactivity',
  aliases: ['deviceIdInactivity', 'deviceTagInactivity'],
  title: 'Device: Inactivity',
  summary: 'Starts a run when a device has not reported state for a time.',
  classes: ['cloud'],
  config: {
    seconds: numberTemplate({
      key: 'seconds',
      label: 'Seconds',
      help: '1 to 31,622,400 without a report; two hours when empty.',
      default: 7_200,
    }),
  },
  check({ seconds }) {
    if (seconds >= 1 && seconds <= MOST_SECONDS) return undefined
    return `Expected "seconds" to be 1 to ${MOST_SECONDS}, got ${seconds}`
  },
})
