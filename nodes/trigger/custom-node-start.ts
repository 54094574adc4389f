import { defineTrigger } from '../../engine/trigger.ts'

/** Where the walk through a custom node begins. Its key is always `customNodeStart`. */
export const customNodeStart = defineTrigger({
  type: 'custom-node-start',
  aliases: ['customNodeStart'],
  title: 'Custom Node Start',
  summary: 'Starts a custom node for the flow that calls it.',
  classes: ['customNode'],
  startsCall: true,
  config: {},
})
