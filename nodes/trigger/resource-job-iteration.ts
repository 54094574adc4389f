import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of the resource job. */
export const resourceJobIteration = defineTrigger({
  type: 'resource-job-iteration',
  aliases: ['resourceJobIteration'],
  title: 'Resource Job: Iteration',
  summary: 'Starts a run for each resource of an execution of a resource job.',
  classes: ['cloud'],
  config: {},
})
