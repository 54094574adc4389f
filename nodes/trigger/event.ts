import { flag, text } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is a level, or `any`. Level, state and subject are those that the event has after the update. */
export const event = defineTrigger({
  type: 'event',
  aliases: [],
  title: 'Event',
  summary: 'Starts a run when an event is made or updated.',
  classes: ['cloud'],
  config: {
    subject: text({
      key: 'subject',
      label: 'Subject',
      help: '* stands for any text, ? for one character; empty: all.',
    }),
    new: flag({ key: 'new', label: 'New', help: 'Whether events in the state "new" count.', default: true }),
    acknowledged: flag({
      key: 'acknowledged',
      label: 'Acknowledged',
      help: 'Whether events in the state "acknowledged" count.',
    }),
    resolved: flag({ key: 'resolved', label: 'Resolved', help: 'Whether events in the state "resolved" count.' }),
  },
})
