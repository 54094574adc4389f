import { defineTrigger } from '../../engine/trigger.ts'

/** Not for devices that an import makes. */
export const deviceCreateTrigger = defineTrigger({
  type: 'device-create',
  aliases: ['deviceCreate'],
  title: 'Device: Create',
  summary: 'Starts a run when a device is made.',
  classes: ['cloud'],
  config: {},
})
