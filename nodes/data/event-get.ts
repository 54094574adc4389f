import { path } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { foundOf, pageOf, pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'
import { eventId, eventQuery } from './event-fields.ts'

export const eventGet = defineNode({
  type: 'event-get',
  aliases: ['GetEventNode', 'EventGetNode'],
  group: 'data',
  title: 'Event: Get',
  summary: 'Puts one event, or many, on the payload.',
  outputs: ['next'],
  needs: ['events'],
  config: {
    ...pagingFields,
    id: eventId('eventIdTemplate'),
    query: eventQuery,
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'An event that does not exist is null; a query that is not valid gives { error }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The newest event that nobody has looked at',
      config: { queryTemplate: '{"state":{"$eq":"new"}}', resultPath: 'working.event' },
      payload: {},
    },
  ],
  async run({ config, use }) {
    const { id } = config
    const paging = { ...config, findMultiple: config.findMultiple && id === undefined }
    const find = () => {
      const criteria = id === undefined ? { by: 'query' as const, query: config.query() } : { by: 'id' as const, id }
      return use.events.find(criteria, pageOf(paging))
    }
    const found = await orError(find)
    config.result.write('error' in found ? found : foundOf(found, paging))
  },
})
