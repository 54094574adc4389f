import { text } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of an endpoint, or 24 zeros for any endpoint. */
export const endpoint = defineTrigger({
  type: 'endpoint',
  aliases: [],
  title: 'Endpoint',
  summary: 'Starts a run when a request reaches an experience endpoint.',
  classes: ['experience', 'cloud'],
  config: {
    experienceVersion: text({
      key: 'experienceVersion',
      label: 'Experience version',
      help: 'In flows of the application: whose requests are meant; blank: of "develop".',
    }),
  },
})
