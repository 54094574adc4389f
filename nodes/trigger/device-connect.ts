import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of a device, or `tagKey/tagValue`: `tagKey/` is any value of that key, `/tagValue` that value under any key. */
export const deviceConnect = defineTrigger({
  type: 'device-connect',
  aliases: ['deviceIdConnect', 'deviceTagConnect'],
  title: 'Device: Connect',
  summary: 'Starts a run when a device connects.',
  classes: ['cloud'],
  config: {},
})
