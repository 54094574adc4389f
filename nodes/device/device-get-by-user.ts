import { flag, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { foundOf, pageOf, pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'

export const deviceGetByUser = defineNode({
  type: 'device-get-by-user',
  aliases: [],
  group: 'device',
  title: 'Device: Get by User',
  summary: 'Puts all devices that a user sees through groups on the payload.',
  outputs: ['next'],
  needs: ['devices'],
  config: {
    ...pagingFields,
    user: template({
      key: 'idTemplate',
      label: 'User id or e-mail',
      help: 'Whose devices are wanted; the user who asks when empty.',
      default: '{{experience.user.id}}',
    }),
    state: flag({
      key: 'includeState',
      label: 'With state',
      help: 'Adds compositeState: the last value and time of each attribute.',
    }),
    tagsAsObject: flag({
      key: 'tagsAsObject',
      label: 'Tags as object',
      help: 'Tags as an object of lists by key, instead of a list of pairs.',
    }),
    findMultiple: flag({
      key: 'findMultiple',
      label: 'Find many',
      help: 'On: a list. Off: one device, or null.',
      default: true,
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The devices, or { error } when they cannot be sorted so.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The devices of who asks',
      config: { resultPath: 'working.devices' },
      payload: { experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } } },
    },
  ],
  async run({ config, use }) {
    const shape = {
      tagsAsObject: config.tagsAsObject,
      includeConnectionInfo: true,
      state: config.state ? (true as const) : undefined,
    }
    const found = await orError(use.devices.find({ by: 'user', idOrEmail: config.user.trim() }, pageOf(config), shape))
    config.result.write('error' in found ? found : foundOf(found, config))
  },
})
