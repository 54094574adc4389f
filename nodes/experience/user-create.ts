import { values } from '../../engine/fields.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { toTagObject } from '../tag-pairs.ts'
import { givenUserFields, idsOf, userFields } from './user-fields.ts'

export const userCreate = defineNode({
  type: 'user-create',
  aliases: ['CreateExperienceUserNode'],
  group: 'experience',
  title: 'User: Create',
  summary: 'Makes a user, as a member of groups or of none.',
  outputs: ['next'],
  needs: ['users'],
  config: {
    ...userFields,
    groups: values({
      key: 'groupIdTemplates',
      label: 'Groups',
      help: 'Ids of groups that the user is a member of; a list on the payload is spread. None: in no group.',
    }),
  },
  examples: [
    {
      title: 'A member of a group',
      config: {
        emailTemplate: '{{data.body.email}}',
        passwordTemplate: '{{data.body.password}}',
        groupIdTemplates: ['{{data.body.groupId}}'],
        resultPath: 'working.user',
      },
      payload: {
        data: { body: { email: 'user2@example.com', password: 'correct horse', groupId: '6521f7b20c1d4e8a9b3c5d72' } },
      },
    },
  ],
  async run({ config, use }) {
    const create = () =>
      use.users.create(
        bodyOf(config) ?? {
          ...givenUserFields(config),
          userTags: toTagObject(config.tags),
          experienceGroupIds: idsOf(config.groups),
        },
      )
    config.result.write(await orError(create))
  },
})
