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
    triggerOn: choice({
      key: 'triggerOn',
      label: 'Fires on',
      help: 'Reports of one point in time, batches of several, or both.',
      of: ['both', 'individual', 'batch'],
    }),
    batchBehavior: choice({
      key: 'batchBehavior',
      label: 'For a batch',
      help: 'each: a run for every report of it; once: one run for all, without the filters below.',
      of: ['each', 'once'],
    }),
    attributeWhitelist: texts({
      key: 'attributeWhitelist',
      label: 'Only with one of',
      help: 'Starts a run when the report has at least one of these attributes. Empty: any.',
      most: 100,
    }),
    attributeBlacklist: texts({
      key: 'attributeBlacklist',
      label: 'Not with only these',
      help: 'Starts none when the report has no other attributes than these.',
      most: 100,
    }),
    maxAge: numberTemplate({
      key: 'maxAge',
      label: 'Not older than, in seconds',
      help: 'Leaves out reports whose own time is further back. Empty: no limit.',
    }),
    allowInvalid: flag({
      key: 'allowInvalid',
      label: 'Also reports that cannot be stored',
      help: 'Such a report comes as "original", without data.',
    }),
  },
})
