import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { tagPairs, toTagObject } from '../tag-pairs.ts'
import { givenGroupFields, groupFields } from './group-fields.ts'

export const groupCreate = defineNode({
  type: 'group-create',
  aliases: ['CreateExperienceGroupNode'],
  group: 'experience',
  title: 'Group: Create',
  summary: 'Makes a group, below another or at the top.',
  outputs: ['next'],
  needs: ['groups'],
  config: {
    ...groupFields,
    tags: tagPairs('groupTagTemplates'),
  },
  examples: [
    {
      title: 'A customer without devices',
      config: {
        nameTemplate: '{{data.body.name}}',
        deviceQueryJsonTemplate: '{"$nor":[]}',
        resultPath: 'working.group',
      },
      payload: { data: { body: { name: 'Tekton Health' } } },
    },
  ],
  async run({ config, use }) {
    const create = () =>
      use.groups.create(bodyOf(config) ?? { ...givenGroupFields(config), groupTags: toTagObject(config.tags) })
    config.result.write(await orError(create))
  },
})
