import { flag, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { lifetimeOf, tokenFields } from './token-fields.ts'

export const userToken = defineNode({
  type: 'user-token',
  aliases: ['ExperienceUserTokenNode'],
  group: 'experience',
  title: 'User: Generate Token',
  summary: 'Issues a token for a user without asking for a password.',
  outputs: ['next'],
  needs: ['users'],
  config: {
    ...tokenFields,
    user: template({
      key: 'emailOrIdTemplate',
      label: 'User id or e-mail',
      help: 'Whom the token is for; 24 hexadecimal digits are an id, anything else an e-mail address.',
      required: true,
    }),
    treatAsLogin: flag({
      key: 'treatAsLogin',
      label: 'Counts as sign-in',
      help: 'Notes the time as the last login of the user.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Token',
      help: 'Null when there is no such user.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A token for five minutes',
      config: { emailOrIdTemplate: '{{working.user.id}}', ttlTemplate: '300000', resultPath: 'working.token' },
      payload: { working: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } } },
      output: 'next',
    },
  ],
  async run({ config, use }) {
    const { user, ttl, invalidateExisting, treatAsLogin, extraData } = config
    const request = { idOrEmail: user.trim(), invalidateExisting, treatAsLogin, extraData, ...lifetimeOf(ttl) }
    config.result.write((await use.users.issueToken(request)) ?? null)
  },
})
