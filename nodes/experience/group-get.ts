import { choice, json, lazy, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { foundOf, pageOf, pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'
import type { GroupCriteria } from '../services/people.ts'
import { tagPairs, toCriteria } from '../tag-pairs.ts'

const methods = ['id', 'name', 'findByAllTags', 'findByAnyTags', 'query'] as const

export const groupGet = defineNode({
  type: 'group-get',
  aliases: ['GetExperienceGroupNode'],
  group: 'experience',
  title: 'Group: Get',
  summary: 'Puts one group, or many, on the payload.',
  outputs: ['next'],
  needs: ['groups'],
  config: {
    ...pagingFields,
    method: choice({ key: 'findMethod', label: 'Find by', help: 'By tags or query there may be many.', of: methods }),
    subject: template({ key: 'idTemplate', label: 'Id or name', help: 'With id or name: the one group.' }),
    tags: tagPairs('tags', { find: true }),
    // Another name of tags.
    groupTags: tagPairs('groupTags', { find: true }),
    query: lazy(
      json({
        key: 'queryTemplate',
        label: 'Query',
        help: 'With query, such as {"name": {"$startsWith": "Site"}}. Blank: all groups.',
      }),
    ),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'A group that does not exist is null; a query that is not valid gives { error }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'By id',
      config: { idTemplate: '{{data.query.group}}', resultPath: 'working.group' },
      payload: { data: { query: { group: '6521f7b20c1d4e8a9b3c5d72' } } },
    },
  ],
  async run({ config, use }) {
    const { method, subject } = config
    const single = method === 'id' || method === 'name'
    const paging = { ...config, findMultiple: config.findMultiple && !single }
    const criteria: GroupCriteria =
      method === 'id'
        ? { by: 'id', id: subject.trim() }
        : method === 'name'
          ? { by: 'name', name: subject }
          : method === 'query'
            ? { by: 'query', query: config.query() }
            : {
                by: method === 'findByAllTags' ? 'allTags' : 'anyTags',
                tags: toCriteria([...config.tags, ...config.groupTags]),
              }
    const found = await orError(use.groups.find(criteria, pageOf(paging)))
    config.result.write('error' in found ? found : foundOf(found, paging))
  },
})
