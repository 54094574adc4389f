import { flag, template } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'
import type { Events, EventView } from '../services/events.ts'
import { Refusal } from '../services/listing.ts'
import { toMerge } from '../tag-pairs.ts'
import { eventFields, eventId, eventQuery, givenEventFields, idToChange, queryToChange } from './event-fields.ts'

export const eventUpdate = defineNode({
  type: 'event-update',
  aliases: ['UpdateEventNode', 'EventUpdateNode'],
  group: 'data',
  title: 'Event: Update',
  summary: 'Changes one event, or all that a query finds, and notes what changed.',
  outputs: ['next'],
  needs: ['events'],
  config: {
    ...eventFields,
    id: eventId('targetEventIdTemplate'),
    // Another name of targetEventIdTemplate.
    otherId: eventId('eventIdTemplate'),
    query: eventQuery,
    many: flag({
      key: 'updateMultiple',
      label: 'Update all that match',
      help: 'Off: only the first that the query finds. At most 10,000.',
    }),
    sortField: pagingFields.sortField,
    sortDirection: pagingFields.sortDirection,
    comment: template({ key: 'commentTemplate', label: 'Comment', help: 'Noted with the update; empty: none.' }),
  },
  examples: [
    {
      title: 'Someone takes care',
      config: {
        targetEventIdTemplate: '{{data.body.eventId}}',
        stateTemplate: 'acknowledged',
        commentTemplate: 'On my way',
        resultPath: 'working.event',
      },
      payload: { data: { body: { eventId: '6521f7b20c1d4e8a9b3c5d74' } } },
    },
  ],
  async run({ config, use, signal }) {
    const given = config.id ?? config.otherId
    const id = given === undefined ? undefined : idToChange(given)
    const update = async () => {
      const patch = bodyOf(config) ?? patchOf(config)
      if (id !== undefined) return await use.events.update(id, patch)
      const criteria = { by: 'query' as const, query: queryToChange(config.query()) }
      if (config.many) return await updateAll(use.events, { criteria, patch, signal })
      const { sortField, sortDirection } = config
      const order = { sortField: sortField || undefined, sortDirection: sortDirection || undefined }
      const [first] = (await use.events.find(criteria, { perPage: 1, ...order, withoutCount: true })).items
      if (first === undefined) throw new Refusal('NotFound', 'Expected the query to find an event, it found none')
      return await use.events.update(first.id, patch)
    }
    config.result.write(await orError(update))
  },
})

function patchOf(config: Parameters<typeof givenEventFields>[0] & { comment: string } & { tags: Tags }): Payload {
  const { deviceId, ...fields } = givenEventFields(config)
  const tags = toMerge(config.tags).map(({ key, value }) => [key, value ?? null])
  return {
    ...fields,
    // The word null takes the event off its device.
    ...(deviceId === undefined ? {} : { deviceId: deviceId === 'null' ? null : deviceId }),
    ...(config.comment === '' ? {} : { comment: config.comment }),
    ...(tags.length === 0 ? {} : { eventTags: Object.fromEntries(tags) }),
  }
}

type Tags = Parameters<typeof toMerge>[0]

const MOST_UPDATED = 10_000

/** Updates what matches at the start: an update may well change what matches. */
async function updateAll(
  events: Events,
  { criteria, patch, signal }: { criteria: { by: 'query'; query: unknown }; patch: Payload; signal: AbortSignal },
): Promise<{ success: true }> {
  const found: EventView[] = []
  for (let page = 0; ; page++) {
    const { items, totalCount } = await events.find(criteria, {
      ...{ page, perPage: 1_000 },
      ...{ sortField: 'id', sortDirection: 'asc' },
    })
    if (totalCount > MOST_UPDATED) {
      const message = `Expected the query to find at most ${MOST_UPDATED} events to update, it found ${totalCount}`
      throw new Refusal('Validation', message)
    }
    found.push(...items)
    if (items.length < 1_000) break
  }
  for (const { id } of found) {
    signal.throwIfAborted()
    await events.update(id, patch).catch((error: unknown) => {
      // Removed meanwhile: there is nothing left to update.
      if (!(error instanceof Refusal) || error.type !== 'NotFound') throw error
    })
  }
  return { success: true }
}
