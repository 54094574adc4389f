import { defineTrigger } from '../../engine/trigger.ts'

/** Its payload, JSON text of an object, stands in `meta.payload`. */
export const virtualButton = defineTrigger({
  type: 'virtual-button',
  aliases: ['virtualButton'],
  title: 'Virtual Button',
  summary: 'Starts a run by hand or from another flow.',
  classes: ['cloud', 'experience', 'customNode', 'edge', 'embedded'],
  config: {},
})
