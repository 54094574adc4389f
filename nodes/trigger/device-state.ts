import { choice, flag, numberTemplate, texts } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

/**
 * Its key is the id of a device, or `tagKey/tagValue`: `tagKey/` is any value of that key, `/tagValue` that value under any
 * key. The filters on attributes and age are not for batches that start one run.
 */
export const deviceState = defineTrigger({
  type: 'device-state',
  aliases: ['deviceId', 'deviceTag'],
  title: 'Device: State',
  summary: 'Starts a run when a device reports state.',
  classes: ['cloud'],
  config: {
    triggerOn: choice({ key: 'triggerOn', label: 'Fires on', of: ['both', 'individual', 'batch'] }),
    batchBehavior: choice({ key: 'batchBehavior', label: 'For a batch', of: ['each', 'once'] }),
    attributeWhitelist: texts({ key: 'attributeWhitelist', label: 'Only with one of', most: 100 }),
    attributeBlacklist: texts({ key: 'attributeBlacklist', label: 'Not with only these', most: 100 }),
    maxAge: numberTemplate({ key: 'maxAge', label: 'Not older than, in seconds' }),
    allowInvalid: flag({ key: 'allowInvalid', label: 'Also reports that cannot be stored' }),
  },
})
