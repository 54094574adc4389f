import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of a webhook. */
export const webhook = defineTrigger({
  type: 'webhook',
  aliases: [],
  title: 'Webhook',
  summary: 'Starts a run when another system calls a webhook of this application.',
  classes: ['cloud'],
  config: {},
})
