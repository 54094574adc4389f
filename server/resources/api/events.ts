import { Refusal } from '../../../nodes/services/listing.ts'
import { oneOf } from '../check.ts'
import { anId, body, type Calls, call, found, fromJson, needed, success } from './call.ts'
import { answerOf, listParams, pageOf, patternQuery } from './lists.ts'

export const events: Calls = {
  get: call(
    { ...listParams, state: oneOf(['new', 'acknowledged', 'resolved']), query: fromJson },
    async (world, params) => {
      const { state, query } = params
      const narrowed = [...(state === undefined ? [] : [{ state: { $eq: state } }]), patternQuery(params, ['subject'])]
      const criteria = { by: 'query' as const, query: query ?? { $and: narrowed } }
      return answerOf(await world.events.find(criteria, pageOf(params)), world, params)
    },
  ),
  post: call({ event: body }, async ({ events }, { event: given }) => await events.create(needed(given, 'event'))),
  delete: call({ query: fromJson }, async ({ events }, { query }) => {
    return { removed: await events.remove({ by: 'query', query: needed(query, 'query') }) }
  }),
  mostRecentBySeverity: call({ query: fromJson }, async ({ events }, { query }) => {
    const unseen = { state: { $eq: 'new' } }
    const all = query === undefined ? unseen : { $and: [unseen, query] }
    const { totalCount } = await events.find({ by: 'query', query: all }, { perPage: 0 })
    for (const level of ['critical', 'error', 'warning', 'info']) {
      const worst = { by: 'query' as const, query: { $and: [all, { level: { $eq: level } }] } }
      const [event] = (await events.find(worst, { perPage: 1, withoutCount: true })).items
      if (event !== undefined) return { event, newCount: totalCount }
    }
    return { newCount: 0 }
  }),
}

export const event: Calls = {
  get: call({ eventId: anId }, async ({ events }, { eventId }) => {
    const { items } = await events.find({ by: 'id', id: needed(eventId, 'eventId') }, { perPage: 1 })
    return found(items[0], 'Event')
  }),
  patch: call({ eventId: anId, event: body }, async ({ events }, { eventId, event: patch }) => {
    return await events.update(needed(eventId, 'eventId'), needed(patch, 'event'))
  }),
  delete: call({ eventId: anId }, async ({ events }, { eventId }) => {
    if ((await events.remove({ by: 'id', id: needed(eventId, 'eventId') })) > 0) return success
    throw new Refusal('NotFound', 'Event was not found')
  }),
}
