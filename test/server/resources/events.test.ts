import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { Actor, Happening } from '../../../server/resources/happenings.ts'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld
let told: { happening: Happening; by: Actor }[]

beforeEach(async () => {
  told = []
  world = await openTestWorld({ happened: async (happening, by) => void told.push({ happening, by }) })
})

// FerretDB searches by reading everything: thousands of events would take it minutes.
const slow = process.env.HEADGATE_TEST_STORE === 'mongo'
const unknownId = '0'.repeat(24)
const as = (id: string) => world.actingAs({ type: 'user', id, name: `Name of ${id}`, depth: 3 }).events
const create = (body: Payload = {}) => world.events.create({ level: 'info', subject: 'Hello', ...body })
const all = { by: 'query' as const, query: undefined }
const subjects = async (query: unknown) =>
  (await world.events.find({ by: 'query', query }, { sortField: 'subject', sortDirection: 'asc' })).items.map(
    ({ subject }) => subject,
  )
const at = (ms: number) => new Date(world.clock.now + ms).toISOString()

describe('a new event', () => {
  test('has its fields, its source and the name of its device', async () => {
    const device = await world.devices.create({ name: 'Pump' }, {})
    told.length = 0
    const body = {
      level: 'error',
      subject: 'Hot',
      message: 'Very',
      deviceId: device.id.toUpperCase(),
      data: { n: [1] },
    }
    const event = await as('u1').create({ ...body, eventTags: { site: 'a', blank: '' } })
    expect(event).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      eventId: event.id,
      applicationId: 'a'.repeat(24),
      ...{ level: 'error', state: 'new', subject: 'Hot', message: 'Very', data: { n: [1] }, eventTags: { site: 'a' } },
      ...{ deviceId: device.id, deviceName: 'Pump', sourceType: 'user', sourceId: 'u1', sourceName: 'Name of u1' },
      ...{ creationDate: at(0), lastUpdated: at(0), updates: [] },
    })
    expect((await world.events.find({ by: 'id', id: event.id.toUpperCase() }, {})).items).toEqual([event])
    expect(told).toEqual([{ happening: { kind: 'event', event }, by: expect.objectContaining({ id: 'u1', depth: 3 }) }])
  })

  test('needs no more than a level and a subject', async () => {
    const event = await create()
    expect(event).toMatchObject({ state: 'new', eventTags: {}, sourceType: 'public', sourceId: unknownId })
    for (const key of ['message', 'data', 'deviceId', 'deviceName', 'sourceName']) expect(event).not.toHaveProperty(key)
  })

  test('may be of another time, and begin resolved', async () => {
    expect(await create({ creationDate: '2020-01-01T00:00:00.000Z', state: 'resolved' })).toMatchObject({
      ...{ creationDate: '2020-01-01T00:00:00.000Z', state: 'resolved' },
    })
  })

  const cyclic: Payload = {}
  cyclic.self = cyclic
  test.each<[string, Payload, string]>([
    ['no level', { level: undefined }, 'level'],
    ['an unknown level', { level: 'fatal' }, 'level'],
    ['no subject', { subject: '' }, 'subject'],
    ['a long subject', { subject: 'x'.repeat(256) }, 'subject'],
    ['an unknown state', { state: 'open' }, 'state'],
    ['a long message', { message: 'x'.repeat(32_768) }, 'message'],
    ['an unknown device', { deviceId: unknownId }, 'id of a device'],
    ['no id of a device', { deviceId: 'pump' }, 'deviceId'],
    ['too much data', { data: 'x'.repeat(262_143) }, 'data'],
    ['data inside itself', { data: cyclic }, 'data'],
    ['data that is no JSON', { data: () => 1 }, 'data'],
    ['a tag that is no text', { eventTags: { a: 1 } }, 'eventTags.a'],
    ['a key with blanks', { eventTags: { 'a b': 'x' } }, 'eventTags key'],
    ['too many tags', { eventTags: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, 'x'])) }, '100'],
    ['a list of tags', { eventTags: [{ key: 'a', value: 'b' }] }, 'eventTags'],
    ['a source of its own choice', { sourceId: 'x' }, 'Unknown field "sourceId"'],
    ['updates', { updates: [] }, 'Unknown field "updates"'],
    ['a key of every object', JSON.parse('{"__proto__": {}}'), 'Unknown field'],
  ])('is refused with %s', async (_, body, part) => {
    await expect(create(body)).rejects.toThrow(part)
    expect((await world.events.find(all, {})).totalCount).toBe(0)
    expect(told).toEqual([])
  })

  test('is refused for a device of another application', async () => {
    const { id } = await world.other.devices.create({ name: 'Foreign' }, {})
    await expect(create({ deviceId: id })).rejects.toThrow('id of a device')
  })
})

describe('an update', () => {
  test('notes what it changes, what is said with it, and by whom', async () => {
    const [one, two] = [
      await world.devices.create({ name: 'One' }, {}),
      await world.devices.create({ name: 'Two' }, {}),
    ]
    const made = await create({ deviceId: one.id, data: { kept: true }, eventTags: { a: '1', b: '2', c: '3' } })
    told.length = 0
    world.clock.now += 1_000
    const patch = {
      level: 'critical',
      state: 'acknowledged',
      subject: 'Hello!',
      deviceId: two.id,
      data: [1],
      comment: 'Mine',
    }
    const after = await as('u2').update(` ${made.id} `, { ...patch, eventTags: { a: '9', b: null, c: '3', d: '4' } })
    expect(after).toEqual({
      ...made,
      ...{ level: 'critical', state: 'acknowledged', subject: 'Hello!', deviceId: two.id, deviceName: 'Two' },
      ...{ eventTags: { a: '9', c: '3', d: '4' }, lastUpdated: expect.any(String) },
      updates: [
        {
          creationDate: at(0),
          ...{ comment: 'Mine', data: [1], state: 'acknowledged' },
          stateChange: { old: 'new', new: 'acknowledged' },
          levelChange: { old: 'info', new: 'critical' },
          subjectChange: { old: 'Hello', new: 'Hello!' },
          deviceIdChange: { old: one.id, new: two.id },
          tagsChange: { a: { old: '1', new: '9' }, b: { old: '2' }, d: { new: '4' } },
          ...{ sourceType: 'user', sourceId: 'u2', sourceName: 'Name of u2' },
        },
      ],
    })
    expect(told.map(({ happening }) => happening)).toEqual([{ kind: 'event', event: after }])
  })

  test('that changes nothing is an entry all the same', async () => {
    const { id } = await create({ state: 'new' })
    const { updates } = await as('u1').update(id, { state: 'new', comment: '' })
    expect(updates).toEqual([
      { creationDate: at(0), state: 'new', sourceType: 'user', sourceId: 'u1', sourceName: 'Name of u1' },
    ])
  })

  test('takes the event off its device with null', async () => {
    const device = await world.devices.create({ name: 'One' }, {})
    const { id } = await create({ deviceId: device.id })
    const after = await world.events.update(id, { deviceId: null })
    expect(after).not.toHaveProperty('deviceId')
    expect(after.updates).toMatchObject([{ deviceIdChange: { old: device.id } }])
  })

  test('works on an event whose device is gone', async () => {
    const device = await world.devices.create({ name: 'One' }, {})
    const { id } = await create({ deviceId: device.id })
    await world.devices.remove(device.id)
    const after = await world.events.update(id, { deviceId: device.id, comment: 'x' })
    expect(after).toMatchObject({ deviceId: device.id })
    expect(after).not.toHaveProperty('deviceName')
  })

  test('does not note tags where that is switched off', async () => {
    const { id } = await create({ disableTagChangeTracking: true })
    const { eventTags, updates } = await world.events.update(id, { eventTags: { a: '1' } })
    expect(eventTags).toEqual({ a: '1' })
    expect(updates).not.toMatchObject([{ tagsChange: {} }])
  })

  test('takes names that every object has as tags like any other', async () => {
    const { id } = await create()
    const { eventTags, updates } = await world.events.update(id, { eventTags: { constructor: 'x' } })
    expect(eventTags).toEqual({ constructor: 'x' })
    expect((updates as Payload[])[0]!.tagsChange).toEqual({ constructor: { new: 'x' } })
  })

  test.each<[string, Payload, string]>([
    ['an unknown level', { level: 'fatal' }, 'level'],
    ['an empty subject', { subject: '' }, 'subject'],
    ['too much data', { data: 'x'.repeat(65_535) }, 'data'],
    ['a long comment', { comment: 'x'.repeat(32_768) }, 'comment'],
    ['an unknown device', { deviceId: unknownId }, 'id of a device'],
    ['a message', { message: 'x' }, 'Unknown field "message"'],
    ['a tag that is no text', { eventTags: { a: {} } }, 'eventTags.a'],
    [
      'too many tags in all',
      { eventTags: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 'x'])) },
      '100',
    ],
  ])('is refused with %s', async (_, patch, part) => {
    const made = await create({ eventTags: { first: 'x' } })
    await expect(world.events.update(made.id, patch)).rejects.toThrow(part)
    expect((await world.events.find({ by: 'id', id: made.id }, {})).items).toEqual([made])
  })

  test.each([unknownId, '', 'x'])('of %j finds nothing to update', async (id) => {
    await expect(world.events.update(id, {})).rejects.toMatchObject({ type: 'NotFound' })
  })

  test('loses none of those that cross', async () => {
    const { id } = await create()
    await Promise.all(['a', 'b', 'c', 'd'].map((comment) => world.events.update(id, { comment })))
    const [event] = (await world.events.find({ by: 'id', id }, {})).items
    expect((event!.updates as Payload[]).map(({ comment }) => comment).sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('drops the oldest entries over 1,000, and over 256 KB', async () => {
    const { id } = await create()
    const entry = (n: number, comment = '') => ({ creationDate: n, comment, sourceType: 'user', sourceId: 'u' })
    const kept = Array.from({ length: 1_000 }, (_, n) => entry(n))
    await world.app.collection('events').update(id, { updates: kept })
    const { updates } = await world.events.update(id, { comment: 'last' })
    expect(updates).toHaveLength(1_000)
    expect((updates as Payload[])[0]).toMatchObject({ creationDate: new Date(1).toISOString() })
    expect((updates as Payload[]).at(-1)).toMatchObject({ comment: 'last' })
    const large = Array.from({ length: 10 }, (_, n) => entry(n, 'x'.repeat(32_000)))
    await world.app.collection('events').update(id, { updates: large })
    const after = (await world.events.update(id, { comment: 'last' })).updates as Payload[]
    expect(after.map(({ creationDate }) => creationDate)).toEqual([
      ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => new Date(n).toISOString()),
      at(0),
    ])
  })
})

describe('finding', () => {
  beforeEach(async () => {
    const device = await world.devices.create({ name: 'Pump', tags: [{ key: 'site', value: 'x' }] }, {})
    await as('u1').create({ level: 'error', subject: 'a1', deviceId: device.id, eventTags: { site: 'x', kind: 'k' } })
    world.clock.now += 1_000
    const { id } = await as('u2').create({ level: 'warning', subject: 'A2', state: 'resolved' })
    await world.events.update(id, { eventTags: { site: 'y' } })
    world.clock.now += 1_000
    await create({ subject: 'b3' })
  })

  test.each<[unknown, string[]]>([
    [undefined, ['a1', 'A2', 'b3']],
    ['', ['a1', 'A2', 'b3']],
    ['{"$or":[]}', ['a1', 'A2', 'b3']],
    [{ $nor: [] }, []],
    [{ level: 'error' }, ['a1']],
    [{ level: { $in: ['error', 'warning'] } }, ['a1', 'A2']],
    [{ state: { $ne: 'new' } }, ['A2']],
    [{ subject: { $startsWith: 'a' } }, ['a1']],
    [{ subject: { $startsWith: 'a', $ci: true } }, ['a1', 'A2']],
    [{ subject: { $contains: '3' } }, ['b3']],
    [{ subject: { $endsWith: '2' } }, ['A2']],
    [{ deviceId: null }, ['A2', 'b3']],
    [{ deviceId: { $ne: null } }, ['a1']],
    [{ sourceId: { $eq: 'u2' } }, ['A2']],
    [{ sourceType: { $nin: ['user'] } }, ['b3']],
    [{ eventTags: { $eq: { $tagKey: 'site', $tagValue: '' } } }, ['a1', 'A2']],
    [{ eventTags: { site: 'x', kind: 'k' } }, ['a1']],
    [{ eventTags: { $ne: { site: 'x' } } }, ['A2', 'b3']],
    [{ eventTags: null }, ['b3']],
    [{ $and: [{ state: 'new' }, { $or: [{ level: 'info' }, { level: 'error' }] }] }, ['a1', 'b3']],
  ])('by %j', async (query, expected) => {
    expect(await subjects(query)).toEqual(expected)
  })

  test('by time and id', async () => {
    expect(await subjects({ creationDate: { $gte: String(world.clock.now - 1_000) } })).toEqual(['A2', 'b3'])
    expect(await subjects({ creationDate: { $lt: at(-1_000) } })).toEqual(['a1'])
    expect(await subjects({ lastUpdated: { $gt: 0 } })).toHaveLength(3)
    const { id } = (await world.events.find({ by: 'query', query: { subject: 'b3' } }, {})).items[0]!
    expect(await subjects({ id })).toEqual(['b3'])
    expect(await subjects({ id: { $startsWith: id.slice(0, 23) } })).toContain('b3')
  })

  test('by who sees the device, as verify says', async () => {
    const top = await world.groups.create({ name: 'top' })
    await world.groups.create({ name: 'site', parentId: top.id, deviceTags: [{ key: 'site', value: 'x' }] })
    const other = await world.groups.create({ name: 'other' })
    const user = async (email: string, group: string) =>
      (await world.users.create({ email, password: 'correct horse', experienceGroupIds: [group] })).id
    const [boss, stranger] = [await user('boss@x.y', top.id), await user('stranger@x.y', other.id)]
    expect(await subjects({ experienceUserId: boss })).toEqual(['a1'])
    expect(await subjects({ experienceUserId: { $ne: boss } })).toEqual(['A2', 'b3'])
    expect(await subjects({ experienceUserId: stranger })).toEqual([])
    expect(await subjects({ experienceUserId: { $in: [boss, stranger] } })).toEqual(['a1'])
    expect(await subjects({ experienceUserId: '' })).toEqual([])
    expect(await subjects({ experienceUserId: unknownId })).toEqual([])
    expect(await subjects({ experienceGroupId: { $eq: top.id } })).toEqual(['a1'])
    expect(await subjects({ experienceGroupId: other.id })).toEqual([])
    expect(await subjects({ experienceGroupId: null })).toEqual([])
    await world.devices
      .create({ name: 'Nobody sees it' }, {})
      .then(({ id: deviceId }) => create({ subject: 'c4', deviceId }))
    expect(await subjects({ experienceGroupId: null })).toEqual(['c4'])
  })

  test.each<[unknown, string]>([
    [{ name: 'x' }, 'unknown field "name"'],
    [{ subject: { $regex: '.*' } }, '$regex'],
    [{ experienceUserId: { $gt: 'x' } }, '$gt'],
    ['{', 'JSON'],
    [[], 'object'],
  ])('refuses %j', async (query, part) => {
    await expect(subjects(query)).rejects.toThrow(part)
  })

  test('comes newest first, in pages, counted', async () => {
    const first = await world.events.find(all, { perPage: 2 })
    expect(first).toMatchObject({ count: 2, totalCount: 3, sortField: 'creationDate', sortDirection: 'desc' })
    expect(first.items.map(({ subject }) => subject)).toEqual(['b3', 'A2'])
    const { items } = await world.events.find(all, { perPage: 2, page: 1 })
    expect(items.map(({ subject }) => subject)).toEqual(['a1'])
    expect(await world.events.find(all, { perPage: 0 })).toMatchObject({ items: [], totalCount: 3 })
    await expect(world.events.find(all, { sortField: 'updates' })).rejects.toThrow('sortField')
  })

  test('and removing see nothing of another application', async () => {
    const [foreign] = (await world.events.find(all, {})).items
    const { events } = world.other
    expect((await events.find(all, {})).totalCount).toBe(0)
    expect((await events.find({ by: 'id', id: foreign!.id }, {})).items).toEqual([])
    await expect(events.update(foreign!.id, { comment: 'x' })).rejects.toMatchObject({ type: 'NotFound' })
    expect(await events.remove({ by: 'id', id: foreign!.id })).toBe(0)
    expect(await events.remove(all)).toBe(0)
    expect((await world.events.find(all, {})).totalCount).toBe(3)
  })
})

describe('removing', () => {
  test('takes one, or all that match, and says how many', async () => {
    const ids = []
    for (const subject of ['a', 'b', 'c']) ids.push((await create({ subject })).id)
    told.length = 0
    expect(await world.events.remove({ by: 'id', id: ids[0]! })).toBe(1)
    expect(await world.events.remove({ by: 'id', id: ids[0]! })).toBe(0)
    expect(await world.events.remove({ by: 'id', id: '' })).toBe(0)
    expect(await world.events.remove({ by: 'query', query: { subject: 'b' } })).toBe(1)
    expect(await subjects(undefined)).toEqual(['c'])
    expect(told).toEqual([])
  })

  test.skipIf(slow)('takes 10,000 at a call', async () => {
    const document = { level: 'info' as const, state: 'new' as const, subject: 's', eventTags: {}, updates: [] }
    const source = { sourceType: 'flow', sourceId: 'f' }
    for (let n = 0; n < 11; n++) {
      await world.app.write(
        Array.from({ length: n === 10 ? 3 : 1_000 }, () => ({
          insert: 'events',
          document: { ...document, ...source },
        })),
      )
    }
    expect(await world.events.remove(all)).toBe(10_000)
    expect(await world.events.remove(all)).toBe(3)
    expect(await world.events.remove(all)).toBe(0)
  })
})
