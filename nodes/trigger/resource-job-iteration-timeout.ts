import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of the resource job. */
export const resourceJobIterationTimeout = defineTrigger({
  type: 'resource-job-iteration-timeout',
  aliases: ['resourceJobIterationTimeout'],
  title: 'Resource Job: Iteration Timeout',
  summary: 'Starts a run when an iteration of a resource job was not acknowledged in time.',
  classes: ['cloud'],
  config: {},
})
