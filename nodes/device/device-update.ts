import { template } from '../../engine/fields.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { toMerge } from '../tag-pairs.ts'
import { deviceFields, givenAttributes, givenDeviceFields } from './device-fields.ts'

export const deviceUpdate = defineNode({
  type: 'device-update',
  aliases: ['UpdateDeviceNode'],
  group: 'device',
  title: 'Device: Update',
  summary: 'Changes fields, tags and attributes of a device.',
  outputs: ['next'],
  needs: ['devices'],
  config: {
    ...deviceFields,
    id: template({ key: 'idTemplate', label: 'Device id', help: 'The device to change.', required: true }),
  },
  examples: [
    {
      title: 'Give a device to a group',
      config: {
        idTemplate: '{{data.body.deviceId}}',
        deviceTags: [{ keyTemplate: 'group', valueTemplate: '{{working.group.id}}' }],
        resultPath: 'working.device',
      },
      payload: {
        data: { body: { deviceId: '6521f7b20c1d4e8a9b3c5d71' } },
        working: { group: { id: '6521f7b20c1d4e8a9b3c5d72' } },
      },
    },
  ],
  async run({ config, use }) {
    const { id, tagsAsObject, attributesAsObject } = config
    const shape = { tagsAsObject, attributesAsObject }
    const update = () => {
      const body = bodyOf(config)
      if (body) return use.devices.update(id.trim(), body, shape)
      const merge = { mergeTags: toMerge(config.tags), mergeAttributes: givenAttributes(config) }
      return use.devices.update(id.trim(), givenDeviceFields(config), { ...shape, ...merge })
    }
    config.result.write(await orError(update))
  },
})
