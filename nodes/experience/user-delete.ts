import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const userDelete = defineNode({
  type: 'user-delete',
  aliases: ['DeleteExperienceUserNode'],
  group: 'experience',
  title: 'User: Delete',
  summary: 'Removes a user and ends all tokens of that user.',
  outputs: ['next'],
  needs: ['users'],
  config: {
    user: template({
      key: 'emailOrIdTemplate',
      label: 'User id or e-mail',
      help: '24 hexadecimal digits are an id, anything else an e-mail address.',
    }),
    result: path({ key: 'resultPath', label: 'Result', help: 'True when there was such a user.', writes: true }),
  },
  examples: [
    {
      title: 'By id',
      config: { emailOrIdTemplate: '{{data.params.userId}}', resultPath: 'working.deleted' },
      payload: { data: { params: { userId: '6521f7b20c1d4e8a9b3c5d70' } } },
    },
  ],
  async run({ config, use }) {
    config.result.write(await use.users.remove(config.user.trim()))
  },
})
