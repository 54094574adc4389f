import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
const CREATE = 'CreateEventNode'
const GET = 'GetEventNode'
const UPDATE = 'UpdateEventNode'
const DELETE = 'DeleteEventNode'
// FerretDB searches by reading everything: thousands of events would take it minutes.
const slow = process.env.HEADGATE_TEST_STORE === 'mongo'
const unknownId = '0'.repeat(24)
const refusal = (type: string, part = '') => ({ error: { type, message: expect.stringContaining(part) } })

beforeEach(async () => {
  run = await openRunning()
})

const create = (config: Payload, payload: Payload = {}) =>
  run.result(CREATE, { levelTemplate: 'info', subjectTemplate: 'Hello', ...config }, payload) as Promise<Payload>
const stored = async () => (await run.events.find({ by: 'query', query: undefined }, {})).items
const make = async (body: Payload = {}) => (await run.events.create({ level: 'info', subject: 'Hello', ...body })).id

describe('Event: Create', () => {
  test('makes an event of single fields, as the flow that it is', async () => {
    const device = await run.devices.create({ name: 'Pump' }, {})
    const config = {
      ...{
        levelTemplate: ' {{data.level}} ',
        subjectTemplate: '{{data.subject}}',
        messageTemplate: 'At {{data.level}}',
      },
      ...{ deviceIdTemplate: ' {{data.device}} ', stateTemplate: 'acknowledged', dataSourcePath: 'data.more' },
      eventTags: [
        { keyTemplate: 'site', valueTemplate: '{{data.site}}' },
        { keyTemplate: 'blank', valueTemplate: '{{nothing}}' },
        { keyTemplate: '', valueTemplate: 'x' },
      ],
    }
    const data = { level: 'error', subject: 'Hot', device: device.id, site: 'a', more: { at: new Date(0), n: 1 } }
    const event = await create(config, { data })
    expect(event).toMatchObject({
      ...{
        level: 'error',
        subject: 'Hot',
        message: 'At error',
        state: 'acknowledged',
        deviceId: device.id,
        deviceName: 'Pump',
      },
      ...{ data: { at: '1970-01-01T00:00:00.000Z', n: 1 }, eventTags: { site: 'a' } },
      ...{
        sourceType: 'flow',
        sourceId: 'f1',
        sourceName: 'Flow',
        creationDate: new Date(run.clock.now).toISOString(),
      },
    })
    expect(await stored()).toEqual([event])
  })

  test.each<[string, Payload, unknown]>([
    ['the whole payload', { dataSourcePath: '.' }, { working: { n: 1 } }],
    ['nothing at a path that is not there', { dataSourcePath: 'data.more' }, undefined],
    ['nothing', {}, undefined],
    [
      'JSON',
      { dataSourceType: 'jsonTemplate', dataSourceJson: '{"n": {{working.n}} }', dataSourcePath: 'working' },
      { n: 1 },
    ],
    ['JSON by its other name', { dataSourceType: 'json', dataSourceJson: '[{{working.n}}]' }, [1]],
  ])('keeps %s as data', async (_, config, expected) => {
    expect((await create(config, { working: { n: 1 } })).data).toEqual(expected)
  })

  test.each<[string, Payload, string]>([
    ['now', { timeSourceType: 'now' }, ''],
    ['now by default', {}, ''],
    ['the time of the payload', { timeSourceType: 'payloadTime' }, '2020-01-01T00:00:00.000Z'],
    ['a path to text', { timeSourceType: 'payloadPath', timeSourcePath: 'iso' }, '2021-01-01T00:00:00.000Z'],
    ['a path to milliseconds', { timeSourceType: 'payloadPath', timeSourcePath: 'ms' }, '2022-01-01T00:00:00.000Z'],
    ['now for a path to nothing', { timeSourceType: 'payloadPath', timeSourcePath: 'no' }, ''],
  ])('has as its time %s', async (_, config, expected) => {
    const payload = { time: new Date('2020-01-01'), iso: '2021-01-01T00:00:00Z', ms: String(Date.UTC(2022, 0, 1)) }
    expect((await create(config, payload)).creationDate).toBe(expected || new Date(run.clock.now).toISOString())
  })

  test('takes a whole body by path and by JSON, and only that', async () => {
    const body = { level: 'warning', subject: 'Body', eventTags: { a: 'b' }, data: { n: 1 }, message: 'm' }
    const others = {
      messageTemplate: 'other',
      dataSourcePath: 'body',
      eventTags: [{ keyTemplate: 'x', valueTemplate: 'y' }],
    }
    const byPath = await create({ dataMethod: 'payloadPath', eventPayloadPath: 'body', ...others }, { body })
    expect(byPath).toMatchObject(body)
    expect(byPath.eventTags).toEqual({ a: 'b' })
    expect(
      await create({ dataMethod: 'jsonTemplate', eventJsonTemplate: '{{{jsonEncode body}}}' }, { body }),
    ).toMatchObject(body)
  })

  test.each<[string, Payload, string]>([
    ['a level that rendered blank', { levelTemplate: '{{nothing}}' }, 'level'],
    ['an unknown level', { levelTemplate: 'high' }, 'level'],
    ['no subject', { subjectTemplate: '' }, 'subject'],
    ['a long subject', { subjectTemplate: 'x'.repeat(256) }, 'subject'],
    ['an unknown device', { deviceIdTemplate: unknownId }, 'deviceId'],
    ['a body that is a list', { dataMethod: 'payloadPath', eventPayloadPath: 'list' }, 'object'],
    ['a body that is not there', { dataMethod: 'payloadPath', eventPayloadPath: 'no' }, 'nothing'],
    ['an unknown field', { dataMethod: 'jsonTemplate', eventJsonTemplate: '{"severity":1}' }, 'severity'],
  ])('puts at the result path why it refuses %s', async (_, config, part) => {
    expect(await create(config, { list: [] })).toEqual(refusal('Validation', part))
    expect(await stored()).toEqual([])
  })

  test('needs no result path', async () => {
    const { payload } = await run.visit(CREATE, { levelTemplate: 'info', subjectTemplate: 'x' })
    expect(payload).toEqual({})
    expect(await stored()).toHaveLength(1)
  })

  test('goes by the names of newer exports and by our own', async () => {
    for (const type of ['EventCreateNode', 'event-create']) {
      expect(await run.result(type, { levelTemplate: 'info', subjectTemplate: 'x' })).toMatchObject({ subject: 'x' })
    }
  })
})

describe('Event: Get', () => {
  const get = (config: Payload, payload: Payload = {}) => run.result(GET, config, payload)

  beforeEach(async () => {
    for (const subject of ['a', 'b', 'c']) {
      run.clock.now += 1_000
      await make({ subject, level: subject === 'b' ? 'error' : 'info' })
    }
  })

  test('gives one by its id, or null', async () => {
    const { id, ...event } = (await stored())[0]!
    expect(await get({ eventIdTemplate: ' {{id}} ', findMultiple: true }, { id })).toEqual({ id, ...event })
    expect(await get({ eventIdTemplate: unknownId })).toBeNull()
    expect(await get({ eventIdTemplate: '{{nothing}}', queryTemplate: '' })).toBeNull()
  })

  test.each<[string, Payload, string | string[] | null]>([
    ['the newest', {}, 'c'],
    ['the newest where the id is left blank', { eventIdTemplate: '' }, 'c'],
    ['the newest that matches', { queryTemplate: '{"level":{"$eq":"{{level}}"}}' }, 'b'],
    ['null for no match', { queryTemplate: '{"$nor":[]}' }, null],
    ['the first by another order', { sortField: 'subject', sortDirection: 'asc' }, 'a'],
    ['all', { findMultiple: true, queryTemplate: '{"$or":[]}' }, ['c', 'b', 'a']],
    ['a page', { findMultiple: true, resultsPerPage: '2', resultsPage: '1' }, ['a']],
    ['an empty list', { findMultiple: true, queryTemplate: '{"$nor":[]}' }, []],
  ])('gives %s', async (_, config, expected) => {
    const found = await get(config, { level: 'error' })
    const subjectOf = (one: unknown) => (one as Payload | null)?.subject ?? null
    expect(Array.isArray(found) ? found.map(subjectOf) : subjectOf(found)).toEqual(expected)
  })

  test('gives counts where they are asked for', async () => {
    expect(await get({ findMultiple: true, findMetadata: true, resultsPerPage: '0' })).toEqual({
      ...{ items: [], count: 0, totalCount: 3, page: 0, perPage: 0, sortField: 'creationDate', sortDirection: 'desc' },
    })
  })

  test('tells what is wrong with a query', async () => {
    expect(await get({ queryTemplate: '{"color":"red"}' })).toEqual(refusal('Validation', 'color'))
    expect((await run.visit(GET, { queryTemplate: '{ {{nothing}}', resultPath: 'out' })).code).toBe('template.not-json')
  })
})

describe('Event: Update', () => {
  const update = (config: Payload, payload: Payload = {}) => run.result(UPDATE, config, payload) as Promise<Payload>

  test('changes the fields with some text, merges tags and notes who did it', async () => {
    const id = await make({ eventTags: { a: '1', b: '2', c: '3' } })
    const event = await update(
      {
        ...{
          targetEventIdTemplate: '{{id}}',
          stateTemplate: 'resolved',
          levelTemplate: '',
          subjectTemplate: '{{nothing}}',
        },
        ...{ commentTemplate: 'Done by {{who}}', dataSourcePath: 'who' },
        eventTags: [
          { keyTemplate: 'a', valueTemplate: '9' },
          { keyTemplate: 'b' },
          { keyTemplate: 'c', valueTemplate: '' },
        ],
      },
      { id, who: 'Ann' },
    )
    expect(event).toMatchObject({ id, state: 'resolved', level: 'info', subject: 'Hello', eventTags: { a: '9' } })
    expect(event.eventTags).toEqual({ a: '9' })
    expect(event.updates).toMatchObject([
      {
        comment: 'Done by Ann',
        data: 'Ann',
        stateChange: { old: 'new', new: 'resolved' },
        sourceType: 'flow',
        sourceId: 'f1',
      },
    ])
  })

  test('takes the event off its device with the word null', async () => {
    const device = await run.devices.create({ name: 'Pump' }, {})
    const id = await make({ deviceId: device.id })
    const config = { targetEventIdTemplate: id, deviceIdTemplate: 'null' }
    const after = await update(config)
    expect(after).toMatchObject({ id })
    expect(after).not.toHaveProperty('deviceId')
  })

  test('takes a whole body by path and by JSON', async () => {
    const id = await make()
    const body = { state: 'acknowledged', comment: 'c', data: { n: 1 }, eventTags: { a: 'b' } }
    const byPath = { dataMethod: 'payloadPath', eventPayloadPath: 'body', stateTemplate: 'resolved' }
    expect(await update({ targetEventIdTemplate: id, ...byPath }, { body })).toMatchObject({
      ...{ state: 'acknowledged', eventTags: { a: 'b' }, updates: [{ comment: 'c', data: { n: 1 } }] },
    })
    const byJson = { dataMethod: 'jsonTemplate', eventJsonTemplate: '{"state":"resolved"}' }
    expect(await update({ eventIdTemplate: id, ...byJson })).toMatchObject({ state: 'resolved', updates: [{}, {}] })
  })

  test('changes the first that a query finds, or all of them', async () => {
    for (const subject of ['a', 'b', 'c']) await make({ subject })
    const query = { queryTemplate: '{"state":"new"}', stateTemplate: 'resolved' }
    expect(await update({ ...query, sortField: 'subject', sortDirection: 'asc' })).toMatchObject({ subject: 'a' })
    expect(await update({ ...query, updateMultiple: true })).toEqual({ success: true })
    expect((await stored()).map(({ state, updates }) => [state, (updates as unknown[]).length])).toEqual([
      ...[
        ['resolved', 1],
        ['resolved', 1],
        ['resolved', 1],
      ],
    ])
    expect(await update(query)).toEqual(refusal('NotFound'))
    expect(await update({ ...query, updateMultiple: true })).toEqual({ success: true })
  })

  test.skipIf(slow)('updates all matches of more than a page, though they stop to match', async () => {
    const fields = { level: 'info' as const, state: 'new' as const, subject: 's', eventTags: {}, updates: [] }
    const document = { ...fields, sourceType: 'flow', sourceId: 'f' }
    await run.app.write(Array.from({ length: 1_001 }, () => ({ insert: 'events', document })))
    const config = { queryTemplate: '{"state":"new"}', stateTemplate: 'resolved', updateMultiple: true }
    expect(await update(config)).toEqual({ success: true })
    expect(await run.app.collection('events').count({ field: 'state', op: 'eq', value: 'resolved' })).toBe(1_001)
  })

  test('fails when the id renders to nothing, and changes nothing without id and query', async () => {
    await make()
    const { code } = await run.visit(UPDATE, { targetEventIdTemplate: '{{nothing}}', queryTemplate: '{"$or":[]}' })
    expect(code).toBe('config.empty')
    for (const updateMultiple of [true, false]) {
      const config = { targetEventIdTemplate: '', queryTemplate: '', stateTemplate: 'resolved', updateMultiple }
      expect(await update(config)).toEqual(refusal('Validation', 'neither'))
    }
    expect(await stored()).toMatchObject([{ state: 'new', updates: [] }])
  })

  test('tells what it refuses', async () => {
    const id = await make()
    expect(await update({ targetEventIdTemplate: unknownId })).toEqual(refusal('NotFound'))
    expect(await update({ targetEventIdTemplate: id, stateTemplate: 'open' })).toEqual(refusal('Validation', 'state'))
    expect(await update({ queryTemplate: '{"x":1}' })).toEqual(refusal('Validation', 'x'))
  })
})

describe('Event: Delete', () => {
  const remove = (config: Payload, payload: Payload = {}) => run.result(DELETE, config, payload)

  test('removes one, or all that a query finds', async () => {
    const id = await make()
    for (const level of ['error', 'error', 'info']) await make({ level })
    expect(await remove({ eventIdTemplate: '{{id}}' }, { id })).toEqual({ success: true, count: 1 })
    expect(await remove({ eventIdTemplate: id })).toEqual(refusal('NotFound', id))
    expect(await remove({ queryTemplate: '{"level":"error"}' })).toEqual({ success: true, count: 2 })
    expect(await remove({ queryTemplate: '{"level":"error"}' })).toEqual({ success: true, count: 0 })
    expect(await remove({ queryTemplate: '{"$or":[]}' })).toEqual({ success: true, count: 1 })
    expect(await stored()).toEqual([])
  })

  test.skipIf(slow)('removes a log that is longer than one call removes', async () => {
    const fields = { level: 'info' as const, state: 'new' as const, subject: 's', eventTags: {}, updates: [] }
    const document = { ...fields, sourceType: 'flow', sourceId: 'f' }
    for (let n = 0; n < 11; n++) {
      await run.app.write(Array.from({ length: n === 10 ? 1 : 1_000 }, () => ({ insert: 'events', document })))
    }
    expect(await remove({ queryTemplate: '{"$or":[]}' })).toEqual({ success: true, count: 10_001 })
  })

  test('never takes a blank for everything', async () => {
    await make()
    expect((await run.visit(DELETE, { eventIdTemplate: '{{nothing}}' })).code).toBe('config.empty')
    for (const queryTemplate of ['', ' ', undefined]) {
      expect(await remove({ queryTemplate })).toEqual(refusal('Validation', 'neither'))
    }
    expect(await stored()).toHaveLength(1)
  })

  test('touches nothing of another application', async () => {
    const foreign = await run.other.events.create({ level: 'info', subject: 'Foreign' })
    expect(await remove({ eventIdTemplate: foreign.id })).toEqual(refusal('NotFound'))
    expect(await remove({ queryTemplate: '{"$or":[]}' })).toEqual({ success: true, count: 0 })
    expect(await run.result(GET, { eventIdTemplate: foreign.id })).toBeNull()
    expect(await run.result(UPDATE, { targetEventIdTemplate: foreign.id })).toEqual(refusal('NotFound'))
    expect((await run.other.events.find({ by: 'id', id: foreign.id }, {})).items).toEqual([foreign])
  })
})

describe('User: Get by Device', () => {
  const TYPE = 'user-get-by-device'
  let device: string
  let foreign: string

  beforeEach(async () => {
    const top = await run.groups.create({ name: 'top' })
    const site = await run.groups.create({ name: 'site', parentId: top.id, deviceTags: [{ key: 'site', value: 'x' }] })
    const other = await run.groups.create({ name: 'other', deviceTags: [{ key: 'site', value: 'y' }] })
    device = (await run.devices.create({ name: 'Pump', tags: [{ key: 'site', value: 'x' }] }, {})).id
    foreign = (await run.other.devices.create({ name: 'Pump', tags: [{ key: 'site', value: 'x' }] }, {})).id
    const groups = { boss: [top.id], staff: [site.id, top.id], stranger: [other.id], nobody: [] }
    for (const [name, experienceGroupIds] of Object.entries(groups)) {
      await run.users.create({ email: `${name}@x.y`, password: 'correct horse', experienceGroupIds })
    }
  })

  const emails = (found: unknown) => (found as { email: string }[]).map(({ email }) => email)

  test('gives the members of its groups and of those above, each once, with their groups', async () => {
    const found = await run.result(TYPE, {}, { device: { id: device } })
    expect(emails(found)).toEqual(['boss@x.y', 'staff@x.y'])
    expect(found).toMatchObject([
      { experienceGroups: [{ name: 'top' }] },
      { experienceGroups: [{ name: 'site' }, { name: 'top' }] },
    ])
    expect(JSON.stringify(found)).not.toMatch(/argon|passwordHash/)
  })

  test('gives pages, counts, or only the first', async () => {
    const config = { deviceIdTemplate: `  ${device.toUpperCase()} ` }
    expect(emails(await run.result(TYPE, { ...config, resultsPerPage: '1', resultsPage: '1' }))).toEqual(['staff@x.y'])
    expect(await run.result(TYPE, { ...config, findMetadata: true, resultsPerPage: '0' })).toMatchObject({
      totalCount: 2,
    })
    expect(await run.result(TYPE, { ...config, findMultiple: false, sortDirection: 'desc' })).toMatchObject({
      email: 'staff@x.y',
    })
    expect(await run.result(TYPE, { ...config, sortField: 'color' })).toEqual(refusal('Validation', 'sortField'))
  })

  test.each(['', '{{nothing}}', unknownId, '%', '*'])('gives nobody for %j', async (deviceIdTemplate) => {
    expect(await run.result(TYPE, { deviceIdTemplate }, {})).toEqual([])
  })

  test('gives nobody for a device of another application', async () => {
    expect(await run.result(TYPE, { deviceIdTemplate: foreign })).toEqual([])
  })
})
