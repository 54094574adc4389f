import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is what follows the `+` in the address that a mail was sent to; `default` where nothing does. */
export const inboundEmail = defineTrigger({
  type: 'inbound-email',
  aliases: ['inboundEmail'],
  title: 'Inbound Email',
  summary: 'Starts a run when a mail comes in at an address of the application.',
  classes: ['cloud'],
  config: {},
})
