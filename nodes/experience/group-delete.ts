import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const groupDelete = defineNode({
  type: 'group-delete',
  aliases: [],
  group: 'experience',
  title: 'Group: Delete',
  summary: 'Removes a group; groups below it move up, its members and devices stay.',
  outputs: ['next'],
  needs: ['groups'],
  config: {
    group: template({
      key: 'groupIdTemplate',
      label: 'Group id',
      help: 'The group to remove; its members and devices stay, and groups below move up.',
      required: true,
    }),
    result: path({ key: 'resultPath', label: 'Result', help: 'True when there was such a group.', writes: true }),
  },
  examples: [
    {
      title: 'Take back a group that was just made',
      config: { groupIdTemplate: '{{working.group.id}}', resultPath: 'working.deleted' },
      payload: { working: { group: { id: '6521f7b20c1d4e8a9b3c5d72' } } },
    },
  ],
  async run({ config, use }) {
    config.result.write(await use.groups.remove(config.group.trim()))
  },
})
