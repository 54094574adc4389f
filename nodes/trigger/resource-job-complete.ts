import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of the resource job. */
export const resourceJobComplete = defineTrigger({
  type: 'resource-job-complete',
  aliases: ['resourceJobComplete'],
  title: 'Resource Job: Complete',
  summary: 'Starts a run when an execution of a resource job is over.',
  classes: ['cloud'],
  config: {},
})
