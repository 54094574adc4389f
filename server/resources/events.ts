import type { EventCriteria, Events, EventView } from '../../nodes/services/events.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { parseQuery } from '../query.ts'
import type { EventDocument, EventUpdate } from '../store/documents/devices.ts'
import { isId } from '../store/id.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { matching } from '../tenancy/batch.ts'
import type { TenancyRule } from '../tenancy/rule.ts'
import { readBody, refused } from './check.ts'
import { changesOf, createFields, newestUpdates, updateFields } from './event-fields.ts'
import { toEventViews } from './event-views.ts'
import type { Actor, Happened } from './happenings.ts'
import { listPage } from './listing.ts'
import { again, mergeTagMap, refusing } from './writing.ts'

const sortFields = {
  creationDate: 'creationDate',
  id: 'id',
  subject: 'subject',
  level: 'level',
  state: 'state',
  deviceId: 'deviceId',
  lastUpdated: 'lastUpdated',
}

/** The most that one call removes, and the most that one write of it does. */
const mostRemoved = 10_000
const removedAtOnce = 500

/** The most devices of a user's or group's world that events are looked for by. */
const mostDevices = 50_000

export interface EventDeps {
  app: AppStore
  now(): number
  tenancy: TenancyRule
  actor: Actor
  happened?: Happened
}

/** The events of one application, as `actor` makes and changes them. What an update says in `data` stands in that update only. */
export function openEvents({ app, now, tenancy, actor, happened }: EventDeps): Events {
  const collection = app.collection('events')
  const { type: sourceType, id: sourceId, name: sourceName } = actor
  const source = { sourceType, sourceId, ...(sourceName === undefined ? {} : { sourceName }) }

  async function existing(eventId: string): Promise<EventDocument> {
    const event = await collection.get(idOf(eventId))
    if (event === undefined) throw new Refusal('NotFound', `Expected the id of an event, got "${eventId.slice(0, 80)}"`)
    return event
  }

  async function checkDevice(deviceId: string | undefined): Promise<void> {
    if (deviceId === undefined || (await app.collection('devices').get(deviceId)) !== undefined) return
    throw refused('deviceId', 'the id of a device', deviceId)
  }

  /** The event as flows see it, once those that listen have been told. */
  async function told(event: EventDocument): Promise<EventView> {
    const view = (await toEventViews(app, [event]))[0]!
    await happened?.({ kind: 'event', event: view }, actor)
    return view
  }

  async function filterOf(criteria: EventCriteria): Promise<Filter> {
    if (criteria.by === 'query') return await eventFilter(app, tenancy, criteria.query)
    const id = idOf(criteria.id)
    return isId(id) ? { field: 'id', op: 'eq', value: id } : { any: [] }
  }

  return {
    async find(criteria, request) {
      return await listPage(collection, await filterOf(criteria), {
        request: { ...request, sortDirection: request.sortDirection ?? 'desc' },
        sortFields,
        view: (events) => toEventViews(app, events),
      })
    },

    async create(body) {
      const given = readBody(body, createFields, 'an event')
      if (given.level === undefined) throw refused('level', 'one of info, warning, error, critical', undefined)
      if (given.subject === undefined) throw refused('subject', 'text of 1 to 255 characters', undefined)
      await checkDevice(given.deviceId)
      const { level, subject, creationDate = now() } = given
      const fields = { state: 'new' as const, eventTags: {}, ...given, level, subject, creationDate }
      return await told(await collection.insert({ ...fields, lastUpdated: creationDate, ...source, updates: [] }))
    },

    async update(eventId, patch) {
      const { comment, data, eventTags, ...given } = readBody(patch, updateFields, 'an update of an event')
      const event = await again(async () => {
        const before = await existing(eventId)
        if (given.deviceId !== before.deviceId) await checkDevice(given.deviceId)
        const merged = mergeTagMap(before.eventTags, eventTags ?? [], 'eventTags')
        if (Object.keys(merged).length > 100) throw refused('eventTags', 'at most 100 tags in all', eventTags)
        const change = { ...given, eventTags: merged }
        const update: EventUpdate = {
          creationDate: now(),
          ...(comment ? { comment } : {}),
          ...(data === undefined ? {} : { data }),
          ...(given.state === undefined ? {} : { state: given.state }),
          ...changesOf(before, { ...before, ...change }),
          ...source,
        }
        const updates = newestUpdates([...before.updates, update])
        return await refusing(
          collection.update(before.id, { ...change, updates }, { revision: before.revision }),
          'The event exists already',
        )
      })
      return await told(event)
    },

    async remove(criteria) {
      const filter = await filterOf(criteria)
      let removed = 0
      while (removed < mostRemoved) {
        const found = await collection.find({ filter, limit: removedAtOnce })
        await app.write(found.map(({ id }) => ({ remove: 'events', id })))
        removed += found.length
        if (found.length < removedAtOnce) break
      }
      return removed
    },
  }
}

/** The events that a query finds. Throws Refusal. */
export async function eventFilter(app: AppStore, tenancy: TenancyRule, query: unknown): Promise<Filter> {
  return await parseQuery('event', query, { ...tenancy.queryWorld, devicesIn: (filter) => deviceIds(app, filter) })
}

/** The devices that match. Throws Refusal for more than 50,000. */
async function deviceIds(app: AppStore, filter: Filter): Promise<string[]> {
  const ids: string[] = []
  for await (const device of matching(app.collection('devices'), filter)) {
    ids.push(device.id)
    if (ids.length > mostDevices) {
      const message = `Expected at most ${mostDevices} devices of a user or group to find events by, got more. Ask by deviceId.`
      throw new Refusal('Validation', message)
    }
  }
  return ids
}

function idOf(value: unknown): string {
  return typeof value === 'string' ? value.trim().toLowerCase() : ''
}
