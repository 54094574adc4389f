import { path } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { Refusal } from '../services/listing.ts'
import { eventId, eventQuery, idToChange, queryToChange } from './event-fields.ts'

export const eventDelete = defineNode({
  type: 'event-delete',
  aliases: ['DeleteEventNode', 'EventDeleteNode'],
  group: 'data',
  title: 'Event: Delete',
  summary: 'Removes one event, or all that a query finds.',
  outputs: ['next'],
  needs: ['events'],
  config: {
    id: eventId('eventIdTemplate'),
    query: eventQuery,
    result: path({ key: 'resultPath', label: 'Result', help: '{ success: true, count }, or { error }.', writes: true }),
  },
  examples: [
    {
      title: 'All that is settled',
      config: { queryTemplate: '{"state":{"$eq":"resolved"}}', resultPath: 'working.removed' },
      payload: {},
    },
  ],
  async run({ config, use, signal }) {
    const id = config.id === undefined ? undefined : idToChange(config.id)
    const remove = async () => {
      if (id !== undefined) {
        const count = await use.events.remove({ by: 'id', id })
        if (count === 0) throw new Refusal('NotFound', `Expected the id of an event, got "${id.slice(0, 80)}"`)
        return { success: true, count }
      }
      const criteria = { by: 'query' as const, query: queryToChange(config.query()) }
      let count = 0
      // One call removes no more than a part of a long log.
      for (let removed = -1; removed !== 0; count += removed) {
        signal.throwIfAborted()
        removed = await use.events.remove(criteria)
      }
      return { success: true, count }
    }
    config.result.write(await orError(remove))
  },
})
