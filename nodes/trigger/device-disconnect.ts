import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of a device, or `tagKey/tagValue`: `tagKey/` is any value of that key, `/tagValue` that value under any key. */
export const deviceDisconnect = defineTrigger({
  type: 'device-disconnect',
  aliases: ['deviceIdDisconnect', 'deviceTagDisconnect'],
  title: 'Device: Disconnect',
  summary: 'Starts a run when the connection of a device ends.',
  classes: ['cloud'],
  config: {},
})
