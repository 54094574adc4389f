import { flag, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { foundOf, pageOf, pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'

export const userGetByDevice = defineNode({
  type: 'user-get-by-device',
  aliases: [],
  group: 'experience',
  title: 'User: Get by Device',
  summary: 'Puts all users who see a device, with their groups, on the payload.',
  outputs: ['next'],
  needs: ['users'],
  config: {
    ...pagingFields,
    device: template({
      key: 'deviceIdTemplate',
      label: 'Device id',
      help: 'Users are found who are members of a group that has the device, or of one above it.',
      default: '{{device.id}}',
    }),
    findMultiple: flag({
      key: 'findMultiple',
      label: 'Find many',
      help: 'On: a list. Off: one user, or null.',
      default: true,
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The users, or { error } when they cannot be sorted so.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Everyone to be told of a device',
      config: { resultPath: 'working.users' },
      payload: { device: { id: '6521f7b20c1d4e8a9b3c5d71' } },
    },
  ],
  async run({ config, use }) {
    const found = await orError(use.users.whoSee(config.device.trim(), pageOf(config)))
    config.result.write('error' in found ? found : foundOf(found, config))
  },
})
