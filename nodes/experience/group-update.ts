import { optional, template, values } from '../../engine/fields.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { tagPairs, toMerge } from '../tag-pairs.ts'
import { givenGroupFields, groupFields } from './group-fields.ts'
import { idsOf } from './user-fields.ts'

export const groupUpdate = defineNode({
  type: 'group-update',
  aliases: ['UpdateExperienceGroupNode'],
  group: 'experience',
  title: 'Group: Update',
  summary: 'Changes fields, place, members or devices of a group.',
  outputs: ['next'],
  needs: ['groups'],
  config: {
    ...groupFields,
    id: template({ key: 'groupIdTemplate', label: 'Group id', help: 'The group to change.', required: true }),
    tags: tagPairs('groupTags'),
    membersToAdd: values({ key: 'membersToAdd', label: 'Members to add', help: 'Ids or e-mail addresses of users.' }),
    membersToRemove: values({
      key: 'membersToRemove',
      label: 'Members to remove',
      help: 'Ids or e-mail addresses of users.',
    }),
    membersReplacement: optional(
      values({
        key: 'membersReplacement',
        label: 'All members',
        help: 'Ids or e-mail addresses: these and no others are members afterwards.',
      }),
      { blankIsAbsent: true },
    ),
  },
  examples: [
    {
      title: 'One more member',
      config: {
        groupIdTemplate: '{{data.params.groupId}}',
        membersToAdd: ['{{data.body.email}}'],
        resultPath: 'working.group',
      },
      payload: { data: { params: { groupId: '6521f7b20c1d4e8a9b3c5d72' }, body: { email: 'user1@example.com' } } },
    },
  ],
  async run({ config, use }) {
    const { id, membersToAdd, membersToRemove, membersReplacement } = config
    const update = () => {
      const body = bodyOf(config)
      const given = body ?? givenGroupFields(config)
      // The word null makes a group a root.
      const patch = given.parentId === 'null' ? { ...given, parentId: null } : given
      const members = membersReplacement
        ? { membersReplacement: idsOf(membersReplacement) }
        : { membersToAdd: idsOf(membersToAdd), membersToRemove: idsOf(membersToRemove) }
      const options = body ? members : { ...members, mergeTags: toMerge(config.tags) }
      return use.groups.update(id.trim(), patch, options)
    }
    config.result.write(await orError(update))
  },
})
