import { template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const groupVerify = defineNode({
  type: 'group-verify',
  aliases: ['VerifyExperienceGroupNode'],
  group: 'experience',
  title: 'Group: Verify',
  summary: 'Checks that a user is a member of a group or of one above it.',
  outputs: ['not-member', 'member'],
  needs: ['tenancy'],
  config: {
    user: template({
      key: 'emailOrIdTemplate',
      label: 'User id or e-mail',
      help: '24 hexadecimal digits are an id, anything else an e-mail address.',
      default: '{{experience.user.id}}',
    }),
    group: template({
      key: 'groupIdTemplate',
      label: 'Group id',
      help: 'A member of it, or of a group above it, takes the output "member".',
    }),
  },
  examples: [
    {
      title: 'May the user look at this group?',
      config: { groupIdTemplate: '{{data.query.group}}' },
      payload: {
        data: { query: { group: '6521f7b20c1d4e8a9b3c5d72' } },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
      },
    },
  ],
  async run({ config, use }) {
    const member = await use.tenancy.verifyGroup({ user: config.user.trim(), group: config.group.trim() })
    return member ? 'member' : 'not-member'
  },
})
