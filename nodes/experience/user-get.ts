import { choice, json, lazy, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { foundOf, pageOf, pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'
import { tagPairs, toCriteria } from '../tag-pairs.ts'

export const userGet = defineNode({
  type: 'user-get',
  aliases: ['GetExperienceUserNode'],
  group: 'experience',
  title: 'User: Get',
  summary: 'Puts one user, or many, on the payload.',
  outputs: ['next'],
  needs: ['users'],
  config: {
    ...pagingFields,
    method: choice({
      key: 'findMethod',
      label: 'Find by',
      help: 'By tags or query there may be many.',
      of: ['emailOrId', 'userTags', 'query'],
    }),
    user: template({
      key: 'emailOrIdTemplate',
      label: 'User id or e-mail',
      help: '24 hexadecimal digits are an id, anything else an e-mail address.',
    }),
    userTags: tagPairs('userTags', { find: true }),
    // Another name of userTags.
    tags: tagPairs('tags', { find: true }),
    query: lazy(
      json({
        key: 'queryTemplate',
        label: 'Query',
        help: 'With query, such as {"email": {"$endsWith": "@example.com"}}. Blank: all users.',
      }),
    ),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'A user that does not exist is null; a query that is not valid gives { error }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'By e-mail',
      config: { emailOrIdTemplate: '{{data.body.email}}', resultPath: 'working.user' },
      payload: { data: { body: { email: 'user1@example.com' } } },
    },
  ],
  async run({ config, use }) {
    if (config.method === 'emailOrId') {
      config.result.write((await use.users.get(config.user.trim())) ?? null)
      return
    }
    const tags = toCriteria([...config.userTags, ...config.tags])
    const criteria =
      config.method === 'userTags' ? { by: 'tags' as const, tags } : { by: 'query' as const, query: config.query() }
    const found = await orError(use.users.find(criteria, pageOf(config)))
    config.result.write('error' in found ? found : foundOf(found, config))
  },
})
