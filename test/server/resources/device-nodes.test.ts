import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
const GET = 'GetDeviceNode'
const CREATE = 'CreateDeviceNode'
const UPDATE = 'UpdateDeviceNode'
const STATE = 'DeviceChangeStateNode'
const unknownId = '0'.repeat(24)
type Device = Payload & { id: string; name: string }

const names = (found: unknown) => (found as Device[]).map(({ name }) => name)
const refusal = (type: string, part = '') => ({ error: { type, message: expect.stringContaining(part) } })

describe('Device: Get', () => {
  const ids: Record<string, string> = {}

  beforeAll(async () => {
    run = await openRunning()
    const make = async (body: Payload) => {
      const { id, name } = await run.devices.create(body, {})
      ids[name] = id
      run.clock.now += 1000
    }
    await make({ name: 'top', deviceClass: 'system' })
    await make({
      name: 'pump',
      parentId: ids.top,
      tags: [
        { key: 'site', value: 'a' },
        { key: 'site', value: 'b' },
        { key: 'kind', value: 'x' },
      ],
      attributes: [
        { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
        { name: 'on', dataType: 'boolean' },
        { name: 'never', dataType: 'string' },
      ],
    })
    await make({ name: 'Fan', tags: [{ key: 'site', value: 'a' }] })
    await make({ name: 'lamp', tags: [{ key: 'kind', value: 'x' }] })
    await make({ name: 'alone' })
    const customer = await run.groups.create({ name: 'customer' })
    const site = await run.groups.create({ name: 'site', parentId: customer.id, deviceTags: [{ key: 'site' }] })
    const empty = await run.groups.create({ name: 'empty' })
    Object.assign(ids, { customer: customer.id, site: site.id, empty: empty.id })
    const user = (email: string, group: string) =>
      run.users.create({ email, password: '12345678', experienceGroupIds: [group] })
    ids.boss = (await user('boss@x.y', customer.id)).id
    ids.guest = (await user('guest@x.y', empty.id)).id
    await run.devices.report([
      { deviceId: ids.pump!, data: { level: '1.5' }, time: 2000 },
      { deviceId: ids.pump!, data: { level: 1, on: 'true' }, time: 1000 },
    ])
    await run.devices.setConnection(ids.pump!, true, { time: 5000 })
    await run.devices.setConnection(ids.Fan!, false, { time: 6000 })
    await run.other.devices.create({ name: 'foreign', tags: [{ key: 'site', value: 'a' }] }, {})
  })

  const get = (config: Payload, payload: Payload = {}) => run.result(GET, config, { ids, ...payload })
  const many = (config: Payload, payload?: Payload) => get({ findMultiple: true, ...config }, payload)

  test.each<[string, Payload, string[]]>([
    ['query', { queryTemplate: '{"name":{"$startsWith":"{{part}}"}}' }, ['lamp']],
    ['query', { queryTemplate: '{{{jsonEncode query}}}' }, ['Fan', 'pump']],
    ['query', { queryTemplate: '{"experienceUserId":"{{ids.boss}}"}' }, ['Fan', 'pump']],
    ['query', { queryTemplate: '{"experienceUserId":""}' }, []],
    ['query', { queryTemplate: '' }, ['alone', 'Fan', 'lamp', 'pump', 'top']],
    ['query', { queryTemplate: '{}' }, ['alone', 'Fan', 'lamp', 'pump', 'top']],
    ['query', { queryTemplate: '{"$or":[]}' }, ['alone', 'Fan', 'lamp', 'pump', 'top']],
    ['query', { queryTemplate: '{"$nor":[]}' }, []],
    ['query', { queryTemplate: '{"name":{"$contains":"FA","$ci":true}}' }, ['Fan']],
    ['query', { queryTemplate: '{"connectionStatus":"connected"}' }, ['pump']],
    ['query', { queryTemplate: '{"connectionStatus":{"$eq":"invalid"}}' }, ['top']],
    ['query', { queryTemplate: '{"tags":{"$eq":{"$tagKey":"kind","$tagValue":""}}}' }, ['lamp', 'pump']],
    ['query', { queryTemplate: '{"creationDate":{"$gt":"0"},"deviceClass":"system"}' }, ['top']],
    ['findByAllTags', { tags: [{ keyTemplate: 'site', valueTemplate: '' }] }, ['Fan', 'pump']],
    ['findByAllTags', { tags: [{ keyTemplate: '', valueTemplate: 'x' }] }, ['lamp', 'pump']],
    [
      'findByAllTags',
      {
        tags: [
          { keyTemplate: 'site', valueTemplate: 'b' },
          { keyTemplate: 'site', valueTemplate: 'a' },
          { keyTemplate: '', valueTemplate: '' },
        ],
      },
      ['pump'],
    ],
    ['tags', { tags: [{ keyTemplate: 'kind', valueTemplate: 'x' }] }, ['lamp', 'pump']],
    ['findByAllTags', { tags: [] }, []],
    [
      'findByAnyTags',
      { tags: [{ keyTemplate: 'site', valueTemplate: 'b' }, { keyTemplate: 'kind' }] },
      ['lamp', 'pump'],
    ],
    ['experienceGroupId', { idTemplate: '{{ids.customer}}' }, ['Fan', 'pump']],
    ['experienceGroupId', { idTemplate: '{{ids.empty}}' }, []],
    ['experienceGroupId', { idTemplate: '{{nothing}}' }, []],
    ['experienceUserIdOrEmail', { idTemplate: ' BOSS@x.y ' }, ['Fan', 'pump']],
    ['experienceUserIdOrEmail', { idTemplate: '{{ids.boss}}' }, ['Fan', 'pump']],
    ['experienceUserIdOrEmail', { idTemplate: '{{ids.guest}}' }, []],
    ['experienceUserIdOrEmail', { idTemplate: '{{nothing}}' }, []],
    ['findByParentId', { parentIdTemplate: '{{ids.top}}' }, ['pump']],
    ['findByParentId', { parentIdTemplate: '' }, ['alone', 'Fan', 'lamp', 'top']],
    ['findByParentId', { parentIdTemplate: unknownId }, []],
  ])('finds by %s: %j', async (findMethod, config, expected) => {
    const payload = { part: 'la', query: { tags: { site: 'a' } } }
    expect(names(await many({ findMethod, ...config }, payload))).toEqual(expected)
    const one = (await get({ findMethod, ...config }, payload)) as Device | null
    expect(one?.name).toBe(expected[0])
    if (expected.length === 0) expect(one).toBeNull()
  })

  test.each<[string, Payload, string | null]>([
    ['an id', { idTemplate: '{{ids.pump}}' }, 'pump'],
    ['the id, named', { findMethod: 'id', idTemplate: ' {{ids.pump}} ', findMultiple: true }, 'pump'],
    ['an unknown id', { idTemplate: unknownId }, null],
    ['a malformed id', { idTemplate: 'pump' }, null],
    ['a name', { findMethod: 'name', idTemplate: 'Fan', findMultiple: true, findMetadata: true }, 'Fan'],
    ['a name in another case', { findMethod: 'name', idTemplate: 'fan' }, null],
    ['a blank name', { findMethod: 'name', idTemplate: '{{nothing}}' }, null],
    ['a device of another application', { findMethod: 'name', idTemplate: 'foreign' }, null],
  ])('finds one by %s', async (_, config, expected) => {
    const found = (await get(config)) as Device | null
    expect(found === null ? null : found.name).toBe(expected)
  })

  test('a blank id fails the run', async () => {
    expect((await run.visit(GET, { idTemplate: '{{nothing}}', resultPath: 'out' })).code).toBe('config.empty')
  })

  test('shows a device with its connection, without state, when nothing is said', async () => {
    expect(await get({ idTemplate: '{{ids.pump}}' })).toEqual({
      id: ids.pump,
      deviceId: ids.pump,
      applicationId: 'a'.repeat(24),
      name: 'pump',
      description: '',
      deviceClass: 'standalone',
      parentId: ids.top,
      tags: [
        { key: 'site', value: 'a' },
        { key: 'site', value: 'b' },
        { key: 'kind', value: 'x' },
      ],
      attributes: [
        { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
        { name: 'on', dataType: 'boolean', attributeTags: {} },
        { name: 'never', dataType: 'string', attributeTags: {} },
      ],
      creationDate: expect.any(String),
      lastUpdated: expect.any(String),
      connectionInfo: { connected: 1, time: new Date(5000).toISOString() },
    })
    expect(await get({ findMethod: 'name', idTemplate: 'Fan' })).toMatchObject({ connectionInfo: { connected: 0 } })
    expect(await get({ findMethod: 'name', idTemplate: 'lamp' })).toMatchObject({ connectionInfo: { connected: null } })
    expect(await get({ idTemplate: '{{ids.pump}}', includeConnectionStatus: false })).not.toHaveProperty(
      'connectionInfo',
    )
  })

  test('shows tags, attributes and state as asked', async () => {
    const config = { idTemplate: '{{ids.pump}}', tagsAsObject: true, attributesAsObject: true, includeState: true }
    const pump = (await get(config)) as Device
    expect(pump.tags).toEqual({ site: ['a', 'b'], kind: ['x'] })
    expect(pump.attributes).toMatchObject({
      level: { dataType: 'number', attributeTags: { unit: 'l' } },
      on: { dataType: 'boolean', attributeTags: {} },
    })
    expect(pump.compositeState).toEqual({
      level: { value: 1.5, time: new Date(2000) },
      on: { value: true, time: new Date(1000) },
    })
    expect(await get({ findMethod: 'name', idTemplate: 'lamp', includeState: true })).toMatchObject({
      compositeState: {},
    })
  })

  test.each([
    [['on'], ['on']],
    [['{{working.names}}'], ['level']],
    [['on, level'], ['level', 'on']],
    [['never'], []],
    [null, ['level', 'on']],
  ])('limits state to the attributes %j', async (attributes, expected) => {
    const config = { idTemplate: '{{ids.pump}}', includeState: true, attributes }
    const pump = (await get(config, { working: { names: ['level', 'never'] } })) as Device
    expect(Object.keys(pump.compositeState as object).sort()).toEqual(expected)
  })

  test('gives an envelope with counts', async () => {
    const all = { findMethod: 'query', queryTemplate: '{"$or":[]}', findMetadata: true }
    expect(await many({ ...all, resultsPerPage: '2', resultsPage: '1' })).toEqual({
      items: [expect.objectContaining({ name: 'lamp' }), expect.objectContaining({ name: 'pump' })],
      count: 2,
      totalCount: 5,
      page: 1,
      perPage: 2,
      sortField: 'name',
      sortDirection: 'asc',
    })
    expect(await many({ ...all, resultsPerPage: '0' })).toMatchObject({
      items: [],
      count: 0,
      totalCount: 5,
      perPage: 0,
    })
    expect(await many({ ...all, resultsPerPage: '', resultsPage: '' })).toMatchObject({
      count: 5,
      page: 0,
      perPage: 100,
    })
    expect(await many({ ...all, resultsPerPage: '5000' })).toMatchObject({ perPage: 1000 })
    expect(await many({ ...all, resultsPage: '7' })).toMatchObject({ items: [], count: 0, totalCount: 5, page: 7 })
    const none = { ...all, queryTemplate: '{"$nor":[]}' }
    expect(await many(none)).toMatchObject({ items: [], count: 0, totalCount: 0 })
    expect(await get(all)).toMatchObject({ name: 'alone' })
  })

  test('sorts by the field and direction that templates give', async () => {
    const all = { findMethod: 'query', queryTemplate: '', sortField: '{{by}}', sortDirection: '{{way}}' }
    expect(names(await many(all, { by: 'creationDate', way: 'desc' }))[0]).toBe('alone')
    expect(names(await many(all, { by: 'name', way: 'desc' }))).toEqual(['top', 'pump', 'lamp', 'Fan', 'alone'])
    expect(names(await many(all))[0]).toBe('alone')
    expect(await many(all, { by: 'secret' })).toEqual(refusal('Validation', 'sortField'))
  })

  test.each([
    ['', '', ['alone', 'Fan', 'lamp', 'pump', 'top']],
    ['name', 'asc', ['alone', 'Fan', 'lamp', 'pump', 'top']],
    ['creationDate', '', ['top', 'pump', 'Fan', 'lamp', 'alone']],
    ['lastUpdated', 'asc', ['top', 'lamp', 'alone', 'pump', 'Fan']],
  ])('sorts by "%s" "%s"', async (sortField, sortDirection, expected) => {
    const all = { findMethod: 'query', queryTemplate: '{}', sortField, sortDirection }
    expect(names(await many(all))).toEqual(expected)
    expect(((await get(all)) as Device).name).toBe(expected[0])
  })

  test('sorts by id', async () => {
    const all = { findMethod: 'query', queryTemplate: '{}', sortField: 'id' }
    const found = ((await many(all)) as Device[]).map(({ id }) => id)
    expect(found).toEqual([...found].sort())
    expect(((await many({ ...all, sortDirection: 'desc' })) as Device[]).map(({ id }) => id)).toEqual(found.reverse())
  })

  test('puts a refused query at the path; one that is no JSON fails the run', async () => {
    expect(await many({ findMethod: 'query', queryTemplate: '{"colour":"red"}' })).toEqual(
      refusal('Validation', 'colour'),
    )
    expect(await get({ findMethod: 'query', queryTemplate: '{"name":{"$like":"x"}}' })).toEqual(
      refusal('Validation', '$like'),
    )
    const broken = { findMethod: 'query', queryTemplate: '{"name":', resultPath: 'out' }
    expect((await run.visit(GET, broken)).code).toBe('template.not-json')
  })

  test('Get by User gives all devices of the user who asks', async () => {
    const payload = { experience: { user: { id: ids.boss } } }
    const found = (await run.result('device-get-by-user', { includeState: true }, payload)) as Device[]
    expect(names(found)).toEqual(['Fan', 'pump'])
    expect(found[1]).toMatchObject({ connectionInfo: { connected: 1 }, compositeState: { level: { value: 1.5 } } })
    expect(await run.result('device-get-by-user', {}, {})).toEqual([])
    expect(await run.result('device-get-by-user', { sortField: 'secret' }, payload)).toEqual(refusal('Validation'))
    expect(await run.result('device-get-by-user', { findMetadata: true, resultsPerPage: '0' }, payload)).toMatchObject({
      items: [],
      totalCount: 2,
    })
  })

  test('History gives what attributes were, oldest first', async () => {
    const config = { deviceIdTemplate: '{{ids.pump}}', endTemplate: '7200', durationTemplate: '' }
    expect(await run.result('device-history', config, { ids })).toMatchObject({ attributes: { level: [] } })
    const whole = { ...config, endTemplate: '1970-01-01T00:00:03Z', durationTemplate: '3000' }
    expect(await run.result('device-history', { ...whole, attributesTemplate: 'level, on' }, { ids })).toEqual({
      start: new Date(0),
      end: new Date(3000),
      resolution: 0,
      aggregation: 'MEAN',
      attributes: {
        level: [
          { time: new Date(1000), value: 1 },
          { time: new Date(2000), value: 1.5 },
        ],
        on: [{ time: new Date(1000), value: true }],
      },
    })
    expect(
      await run.result(
        'device-history',
        { ...whole, resolutionTemplate: '3000', attributesTemplate: 'level' },
        { ids },
      ),
    ).toMatchObject({ attributes: { level: [{ value: 1.25 }] } })
    const odd = { ...whole, aggregationTemplate: 'MODE' }
    expect(await run.result('device-history', odd, { ids })).toEqual(refusal('Validation', 'aggregation'))
    expect(await run.result('device-history', { ...whole, deviceIdTemplate: unknownId })).toMatchObject({
      attributes: {},
    })
  })
})

describe('Device: Create', () => {
  beforeEach(async () => {
    run = await openRunning()
  })

  test('makes a device from its fields; what renders blank is as if it were absent', async () => {
    const device = await run.result(
      CREATE,
      {
        dataMethod: 'individualFields',
        recipeIdTemplate: '',
        nameTemplate: '{{name}}',
        descriptionTemplate: '{{nothing}}',
        deviceClassTemplate: '',
        gatewayIdTemplate: '{{nothing}}',
        parentIdTemplate: '',
        systemIntervalTemplate: 30,
        keepDuplicatesTemplate: false,
        deviceTags: [
          { keyTemplate: 'site', valueTemplate: 'a' },
          { keyTemplate: 'site', valueTemplate: 'b' },
          { keyTemplate: 'none', valueTemplate: '{{nothing}}' },
        ],
        deviceAttributes: [
          { nameTemplate: 'level', dataTypeTemplate: 'number' },
          { nameTemplate: 'photo', dataTypeTemplate: 'blob', contentTypeTemplate: 'image/png' },
        ],
        tagsAsObject: true,
        attributesAsObject: true,
      },
      { name: 'Pump & Co' },
    )
    expect(device).toMatchObject({
      name: 'Pump & Co',
      deviceClass: 'standalone',
      tags: { site: ['a', 'b'] },
      attributes: { level: { dataType: 'number' }, photo: { dataType: 'blob', contentType: 'image/png' } },
    })
    expect(device).not.toHaveProperty('gatewayId')
    expect(device).toHaveProperty('deviceId', (device as Device).id)
  })

  test('a system has an interval of 30 seconds, and what is asked for', async () => {
    expect(await run.result(CREATE, { nameTemplate: 's', deviceClassTemplate: 'system' })).toMatchObject({
      systemInterval: 30,
      keepDuplicates: false,
    })
    const system = (await run.result(CREATE, {
      nameTemplate: 's',
      deviceClassTemplate: 'system',
      systemIntervalTemplate: '60',
      keepDuplicatesTemplate: '{{keep}}',
    })) as Device
    expect(system).toMatchObject({ systemInterval: 60, keepDuplicates: false })
    const child = await run.result(CREATE, { nameTemplate: 'c', parentIdTemplate: '{{id}} ' }, { id: system.id })
    expect(child).toMatchObject({ parentId: system.id })
  })

  test.each([
    ['payloadPath', { devicePayloadPath: 'body' }],
    ['jsonTemplate', { deviceJsonTemplate: '{{body}}' }],
    ['jsonTemplate', { deviceJsonTemplate: '{"name":"{{body.name}}","tags":[{"key":"a","value":"b"}]}' }],
  ])('makes a device by %s', async (dataMethod, config) => {
    const body = { name: 'x', tags: [{ key: 'a', value: 'b' }] }
    expect(await run.result(CREATE, { dataMethod, ...config }, { body })).toMatchObject(body)
    const tags = { a: ['b', 'c'] }
    const both = await run.result(CREATE, { dataMethod, ...config, tagsAsObject: true }, { body: { ...body, tags } })
    if (!('deviceJsonTemplate' in config) || config.deviceJsonTemplate === '{{body}}')
      expect(both).toMatchObject({ tags })
  })

  test.each<[string, Payload, string]>([
    ['no name', {}, 'name'],
    ['an unknown class', { nameTemplate: 'x', deviceClassTemplate: 'phone' }, 'deviceClass'],
    ['no such recipe', { recipeIdTemplate: unknownId }, 'recipe'],
    ['no such parent', { nameTemplate: 'x', parentIdTemplate: unknownId }, 'parentId'],
    ['an interval that is no number', { nameTemplate: 'x', systemIntervalTemplate: 'soon' }, 'systemInterval'],
    ['an attribute without a type', { nameTemplate: 'x', deviceAttributes: [{ nameTemplate: 'a' }] }, 'dataType'],
    ['a body with unknown keys', { dataMethod: 'payloadPath', devicePayloadPath: 'body' }, 'colour'],
    ['no body', { dataMethod: 'payloadPath', devicePayloadPath: 'nothing.here' }, 'object'],
    ['a body that is a list', { dataMethod: 'payloadPath', devicePayloadPath: 'list' }, 'object'],
    ['a blank JSON template', { dataMethod: 'jsonTemplate', deviceJsonTemplate: '' }, 'object'],
  ])('refuses %s at the result path, and in silence without one', async (_, config, part) => {
    const payload = { body: { name: 'x', colour: 'red' }, list: [1] }
    expect(await run.result(CREATE, config, payload)).toEqual(refusal('Validation', part))
    const silent = await run.visit(CREATE, config, payload)
    expect(silent).toMatchObject({ status: 'done', output: 0, payload })
    expect(silent.payload).toEqual(payload)
    expect(await run.app.collection('devices').count()).toBe(0)
  })

  test('lays the given fields over a recipe', async () => {
    const recipe = await run.app.collection('recipes').insert({
      name: 'Generator',
      template: {
        deviceName: 'Widget',
        deviceDescription: 'made',
        deviceClass: 'edgeCompute',
        tags: [
          { key: 'site', value: 'a' },
          { key: 'kind', value: 'k' },
        ],
        attributes: [
          { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
          { name: 'on', dataType: 'boolean' },
        ],
      },
    })
    const recipeIdTemplate = ` ${recipe.id} `
    expect(
      await run.result(CREATE, { recipeIdTemplate, nameTemplate: '{{nothing}}', tagsAsObject: true }),
    ).toMatchObject({
      name: 'Widget',
      description: 'made',
      deviceClass: 'edgeCompute',
      tags: { site: ['a'], kind: ['k'], DeviceRecipe: ['Generator'] },
    })
    const own = await run.result(CREATE, {
      recipeIdTemplate,
      nameTemplate: 'own',
      deviceClassTemplate: 'gateway',
      deviceTags: [{ keyTemplate: 'site', valueTemplate: 'b' }],
      deviceAttributes: [{ nameTemplate: 'on', dataTypeTemplate: 'string' }],
      tagsAsObject: true,
      attributesAsObject: true,
    })
    expect(own).toMatchObject({
      name: 'own',
      deviceClass: 'gateway',
      tags: { site: ['b'], kind: ['k'], DeviceRecipe: ['Generator'] },
      attributes: { level: { dataType: 'number', attributeTags: { unit: 'l' } }, on: { dataType: 'string' } },
    })
    const body = { dataMethod: 'payloadPath', devicePayloadPath: 'body', recipeIdTemplate }
    expect(await run.result(CREATE, body, { body: { description: 'mine' } })).toMatchObject({
      name: 'Widget',
      description: 'mine',
    })
  })
})

describe('Device: Update', () => {
  let id: string
  beforeEach(async () => {
    run = await openRunning()
    const pump = await run.devices.create(
      {
        name: 'pump',
        description: 'old',
        tags: [
          { key: 'site', value: 'a' },
          { key: 'site', value: 'b' },
          { key: 'kind', value: 'x' },
          { key: 'gone', value: 'y' },
        ],
        attributes: [
          { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
          { name: 'on', dataType: 'boolean' },
        ],
      },
      {},
    )
    id = pump.id
  })

  const update = (config: Payload, payload: Payload = {}) =>
    run.result(UPDATE, { idTemplate: '{{id}}', ...config }, { id, ...payload })

  test('changes what is given, merges tags and attributes, and leaves the rest', async () => {
    const device = await update({
      nameTemplate: '{{nothing}}',
      descriptionTemplate: 'new',
      deviceClassTemplate: '',
      systemIntervalTemplate: '',
      deviceTags: [
        { keyTemplate: 'site', valueTemplate: 'c' },
        { keyTemplate: 'gone' },
        { keyTemplate: 'new', valueTemplate: 'n' },
        { keyTemplate: '', valueTemplate: 'ignored' },
      ],
      deviceAttributes: [{ nameTemplate: 'on' }, { nameTemplate: 'note', dataTypeTemplate: 'string' }],
      tagsAsObject: true,
      attributesAsObject: true,
    })
    expect(device).toMatchObject({
      id,
      name: 'pump',
      description: 'new',
      tags: { site: ['c'], kind: ['x'], new: ['n'] },
    })
    expect(Object.keys((device as { tags: object }).tags).sort()).toEqual(['kind', 'new', 'site'])
    expect(Object.keys((device as { attributes: object }).attributes)).toEqual(['level', 'note'])
  })

  test('a value that renders blank removes its key', async () => {
    const device = await update({
      deviceTags: [{ keyTemplate: 'site', valueTemplate: '{{nothing}}' }],
      tagsAsObject: true,
    })
    expect(device).toMatchObject({ tags: { kind: ['x'], gone: ['y'] } })
    expect(device).not.toHaveProperty('tags.site')
  })

  test('replaces whole lists given by a body', async () => {
    const body = { tags: [{ key: 'only', value: '1' }], attributes: [{ name: 'on', dataType: 'boolean' }] }
    const device = await update({ dataMethod: 'payloadPath', devicePayloadPath: 'body' }, { body })
    expect(device).toMatchObject({ name: 'pump', tags: body.tags, attributes: [{ name: 'on' }] })
    expect((device as Payload).tags).toHaveLength(1)
    const json = { dataMethod: 'jsonTemplate', deviceJsonTemplate: '{"tags":{"a":["1","2"]}}', tagsAsObject: true }
    expect(await update(json)).toMatchObject({ tags: { a: ['1', '2'] } })
  })

  test('a change of type ends the history of an attribute, and of no other', async () => {
    await run.devices.report([{ deviceId: id, data: { level: 7, on: true }, time: 1000 }])
    await update({ deviceAttributes: [{ nameTemplate: 'level', dataTypeTemplate: 'number' }] })
    const seen = { idTemplate: id, includeState: true }
    expect(await run.result(GET, seen)).toMatchObject({ compositeState: { level: { value: 7 } } })
    await update({ deviceAttributes: [{ nameTemplate: 'level', dataTypeTemplate: 'string' }] })
    expect(((await run.result(GET, seen)) as Payload).compositeState).toEqual({
      on: { value: true, time: new Date(1000) },
    })
    const history = { deviceIdTemplate: id, endTemplate: '1970-01-01T00:00:05Z', durationTemplate: '5000' }
    expect(await run.result('device-history', history)).toMatchObject({
      attributes: { level: [], on: [{ value: true }] },
    })
  })

  test('an attribute that comes back has its history, but not as another type', async () => {
    const seen = async () => ((await run.result(GET, { idTemplate: id, includeState: true })) as Payload).compositeState
    const remove = { deviceAttributes: [{ nameTemplate: 'level' }] }
    const add = (dataTypeTemplate: string) => ({ deviceAttributes: [{ nameTemplate: 'level', dataTypeTemplate }] })
    await run.devices.report([{ deviceId: id, data: { level: 7 }, time: 1000 }])
    await update(remove)
    await update(add('number'))
    expect(await seen()).toMatchObject({ level: { value: 7 } })
    await update(remove)
    await update(add('string'))
    expect(await seen()).toEqual({})
  })

  test.each<[string, Payload, string, string]>([
    ['an unknown device', { idTemplate: unknownId, nameTemplate: 'x' }, 'NotFound', 'device'],
    ['a malformed id', { idTemplate: 'pump', nameTemplate: 'x' }, 'NotFound', 'pump'],
    ['a tag key with a blank', { deviceTags: [{ keyTemplate: 'a b', valueTemplate: 'c' }] }, 'Validation', 'tags'],
    ['a read-only key', { dataMethod: 'jsonTemplate', deviceJsonTemplate: '{"id":"x"}' }, 'Validation', 'id'],
    ['no body', { dataMethod: 'payloadPath', devicePayloadPath: 'nothing' }, 'Validation', 'object'],
    ['a change to a system', { deviceClassTemplate: 'system' }, 'Validation', 'system'],
  ])('refuses %s', async (_, config, type, part) => {
    expect(await update(config)).toEqual(refusal(type, part))
    expect(await run.devices.get(id, {})).toMatchObject({ name: 'pump', description: 'old' })
  })

  test('a blank id fails the run', async () => {
    expect((await run.visit(UPDATE, { idTemplate: '{{nothing}}', nameTemplate: 'x' })).code).toBe('config.empty')
  })
})

describe('Device: State', () => {
  let id: string
  const at = new Date(Date.UTC(2026, 0, 1))
  beforeEach(async () => {
    run = await openRunning()
    const attributes = [
      { name: 'level', dataType: 'number' },
      { name: 'on', dataType: 'boolean' },
      { name: 'note', dataType: 'string' },
      { name: 'at', dataType: 'gps' },
    ]
    id = (await run.devices.create({ name: 'pump', attributes }, {})).id
  })

  const report = (config: Payload, payload: Payload = {}) =>
    run.result(STATE, { deviceId: '{{id}}', ...config }, { id, time: at, ...payload })
  // Who reported: the flow that runs.
  const by = { relayType: 'flow', relayId: 'f1' }
  const state = async () =>
    ((await run.result(GET, { idTemplate: id, includeState: true })) as { compositeState: Payload }).compositeState

  test('casts text to the type of the attribute, skips blanks, drops what does not fit', async () => {
    const attrInfos = [
      { key: 'level', valueTemplate: ' {{row.level}} ' },
      { key: 'on', valueTemplate: '{{row.on}}' },
      { key: 'note', valueTemplate: '{{nothing}}' },
      { key: 'at', valueTemplate: 'somewhere' },
      { key: 'unknown', valueTemplate: '1' },
    ]
    expect(await report({ attrInfos }, { row: { level: '4.5', on: 0 } })).toEqual({ success: true })
    expect(await state()).toEqual({ level: { value: 4.5, time: at, ...by }, on: { value: false, time: at, ...by } })
  })

  test.each<[string, Payload, Payload]>([
    ['an object', { level: '1', note: 'n' }, { level: 1, note: 'n' }],
    ['a report', { time: 1000, data: { level: 1 } }, { level: 1 }],
    ['a report without time', { data: { level: 1 } }, { level: 1 }],
  ])('takes %s, by path and by JSON', async (_, source, expected) => {
    for (const config of [
      { attrDataMethod: 'payloadPath', attrPayloadPath: 'source' },
      { attrDataMethod: 'jsonTemplate', attrJsonTemplate: '{{{jsonEncode source}}}' },
    ]) {
      expect(await report(config, { source })).toEqual({ success: true })
      expect(await state()).toMatchObject(
        Object.fromEntries(Object.entries(expected).map(([k, value]) => [k, { value }])),
      )
    }
  })

  test('takes a list of reports; the last by time is the state', async () => {
    const source = [
      { time: '2026-01-03T00:00:00Z', data: { level: 3 } },
      { time: { $date: '2026-01-02T00:00:00Z' }, data: { level: 2, on: '1' } },
      { note: 'now' },
    ]
    expect(await report({ attrDataMethod: 'payloadPath', attrPayloadPath: 'source' }, { source })).toEqual({
      success: true,
    })
    expect(await state()).toEqual({
      level: { value: 3, time: new Date('2026-01-03T00:00:00Z'), ...by },
      on: { value: true, time: new Date('2026-01-02T00:00:00Z'), ...by },
      note: { value: 'now', time: at, ...by },
    })
  })

  test.each<[string, Payload, () => number]>([
    ['payloadTime', {}, () => at.getTime()],
    ['now', {}, () => run.clock.now],
    ['payloadPath', { when: '1700000000000' }, () => 1_700_000_000_000],
    ['payloadPath', { when: 1_700_000_000 }, () => 1_700_000_000_000],
    ['payloadPath', { when: '2024-05-06T07:08:09Z' }, () => Date.UTC(2024, 4, 6, 7, 8, 9)],
    ['payloadPath', { when: -5_000 }, () => run.clock.now - 5_000],
    ['payloadPath', { when: { $date: '2024-05-06T07:08:09Z' } }, () => Date.UTC(2024, 4, 6, 7, 8, 9)],
    ['payloadPath', { when: 'soon' }, () => run.clock.now],
    ['', {}, () => at.getTime()],
    ['payloadPath', {}, () => run.clock.now],
  ])('takes the time by %s: %j', async (timeSourceType, payload, time) => {
    await report({ timeSourceType, timeSourcePath: 'when', attrInfos: [{ key: 'level', valueTemplate: '1' }] }, payload)
    expect(await state()).toEqual({ level: { value: 1, time: new Date(time()), ...by } })
  })

  test('keeps meta beside the value', async () => {
    await report({ metaTemplate: '{"by":"{{id}}"}', attrInfos: [{ key: 'level', valueTemplate: '1' }] })
    expect(await state()).toMatchObject({ level: { meta: { by: id } } })
  })

  test.each<[string, Payload, string]>([
    ['an unknown device', { deviceId: unknownId, attrInfos: [{ key: 'level', valueTemplate: '1' }] }, 'NotFound'],
    ['a missing path', { deviceId: 'placeholder', deviceIdTemplateType: 'jsonPath' }, 'NotFound'],
    ['nothing to store', { attrInfos: [{ key: 'unknown', valueTemplate: '1' }] }, 'Validation'],
    ['no state', { attrDataMethod: 'payloadPath', attrPayloadPath: 'nothing' }, 'Validation'],
    ['no values', { attrInfos: [{ key: 'level', valueTemplate: '' }] }, 'Validation'],
  ])('refuses %s, and in silence without a result path', async (_, config, type) => {
    expect(await report(config)).toEqual(refusal(type))
    expect(await run.visit(STATE, { deviceId: id, ...config })).toMatchObject({
      status: 'done',
      output: 0,
      payload: {},
    })
    expect(await state()).toEqual({})
  })

  test('takes the id at a path; a template that renders blank fails the run', async () => {
    const attrInfos = [{ key: 'level', valueTemplate: '1' }]
    expect(await report({ deviceId: 'id', deviceIdTemplateType: 'jsonPath', attrInfos })).toEqual({ success: true })
    expect((await run.visit(STATE, { deviceId: '{{nothing}}', attrInfos })).code).toBe('config.empty')
  })
})
