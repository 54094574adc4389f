import { flag, optional, template, values } from '../../engine/fields.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { toMerge } from '../tag-pairs.ts'
import { givenUserFields, idsOf, userFields } from './user-fields.ts'

export const userUpdate = defineNode({
  type: 'user-update',
  aliases: ['UpdateExperienceUserNode'],
  group: 'experience',
  title: 'User: Update',
  summary: 'Changes fields, tags, groups or the password of a user.',
  outputs: ['next'],
  needs: ['users'],
  config: {
    ...userFields,
    user: template({
      key: 'emailOrIdTemplate',
      label: 'User id or e-mail',
      help: 'The user to change; 24 hexadecimal digits are an id, anything else an e-mail address.',
      required: true,
    }),
    // Absent or blank text leaves the groups as they are; a list replaces them, an empty one too.
    groups: optional(
      values({
        key: 'groupIdTemplates',
        label: 'Groups',
        help: 'All groups of the user from now on; an empty list: none. Left out: as they are.',
      }),
      { blankIsAbsent: true },
    ),
    invalidateTokens: flag({
      key: 'invalidateExistingTokens',
      label: 'End tokens',
      help: 'All tokens of the user that were issued before are void.',
    }),
  },
  examples: [
    {
      title: 'A new password',
      config: {
        emailOrIdTemplate: '{{experience.user.id}}',
        passwordTemplate: '{{data.body.password}}',
        resultPath: 'working.user',
      },
      payload: {
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
        data: { body: { password: 'battery staple' } },
      },
    },
  ],
  async run({ config, use }) {
    const { user, invalidateTokens, groups } = config
    const update = () => {
      const body = bodyOf(config)
      const patch = body ?? { ...givenUserFields(config), ...(groups ? { experienceGroupIds: idsOf(groups) } : {}) }
      const options = body ? { invalidateTokens } : { mergeTags: toMerge(config.tags), invalidateTokens }
      return use.users.update(user.trim(), patch, options)
    }
    config.result.write(await orError(update))
  },
})
