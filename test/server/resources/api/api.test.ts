import { beforeAll, describe, expect, test } from 'vitest'
import { openTemplates } from '../../../../engine/template.ts'
import { catalog } from '../../../../nodes/index.ts'
import { type CheckResult, checkFlow } from '../../../../server/bundle/check.ts'
import { answered } from '../../../../server/resources/api/api.ts'
import { openRunning, type Running } from '../running.ts'

let run: Running
let group = ''
let device = ''
let user = ''
const missing = 'f'.repeat(24)

type Param = string | number | boolean | object
const call = (resource: string, action: string, params: Record<string, Param> = {}, more: object = {}) =>
  run.result('LosantApiNode', {
    ...{ resource, action, responsePath: 'out', ...more },
    params: Object.entries(params).map(([name, value]) =>
      typeof value === 'object'
        ? { name, type: 'json', value: JSON.stringify(value) }
        : { name, type: 'string', value: String(value) },
    ),
  })

beforeAll(async () => {
  run = await openRunning()
  const parent = (await run.groups.create({ name: 'Parent' })).id
  group = (await run.groups.create({ name: 'Group', parentId: parent, groupTags: { a: 'b' } })).id
  const attributes = [
    { name: 'n', dataType: 'number', attributeTags: { unit: 'C' } },
    { name: 'blob', dataType: 'blob' },
  ]
  const tags = [
    { key: 'site', value: 'x' },
    { key: 'site', value: 'y' },
  ]
  device = (await run.devices.create({ name: 'Pump 1', attributes, tags }, {})).id
  await run.devices.create({ name: 'pump 2', deviceClass: 'gateway' }, {})
  await run.devices.create({ name: 'Fan' }, {})
  const password = 'a long password'
  user = (await run.users.create({ email: 'a@example.com', password, experienceGroupIds: [group] })).id
  await run.users.create({ email: 'b@example.com', password, experienceGroupIds: [parent] })
  await run.users.create({ email: 'c@example.com', password })
  await run.app.collection('application').insert({
    ...{ id: run.app.scope.application, name: 'App', secret: 'very secret' },
    globals: [{ key: 'kept', json: '1' }],
  })
  await run.app.collection('recipes').insert({
    name: 'Pump',
    template: { deviceName: 'New pump', attributes, tags: [{ key: 'k', value: 'v' }] },
  })
  for (const version of ['develop', 'v1']) {
    await run.app.collection('experienceVersions').insert({ version, endpointDefaultCors: true, globals: [] })
    for (const viewType of ['page', 'component'] as const) {
      const view = { version, viewType, name: `A ${viewType}`, body: `<b>${version}</b>`, viewTags: { css: '1' } }
      await run.app.collection('views').insert(view)
    }
  }
  await run.app.collection('flows').insert({
    ...{ name: 'A flow', flowClass: 'cloud', enabled: true },
    content: { triggers: [], nodes: [], globals: [] },
  })
})

describe('the node', () => {
  test('leaves out parameters that render to nothing', async () => {
    const params = [
      { name: 'filter', type: 'string', value: '{{nothing}}' },
      { name: 'query', type: 'path', value: 'nothing' },
      { name: 'tagFilter', type: 'json', value: '' },
      { name: 'perPage', type: 'string', value: '{{two}}' },
    ]
    const config = { resource: 'devices', action: 'get', responsePath: 'out', params }
    const out = await run.result('LosantApiNode', config, { two: 2 })
    expect(out).toMatchObject({ result: { count: 2, totalCount: 3, perPage: 2, filter: '' } })
  })

  test('takes values from the payload by path, as they are', async () => {
    const params = [
      { name: 'deviceId', type: 'string', value: device },
      { name: 'device', type: 'path', value: 'patch' },
    ]
    const config = { resource: 'device', action: 'patch', responsePath: 'out', params }
    expect(await run.result('LosantApiNode', config, { patch: { description: 'Text' } })).toMatchObject({
      result: { id: device, description: 'Text' },
    })
  })

  test('goes on without a response path', async () => {
    const config = { resource: 'devices', action: 'get' }
    const { error, payload } = await run.visit('LosantApiNode', config, { a: 1 })
    expect({ error, payload }).toMatchObject({ error: undefined, payload: { a: 1 } })
  })

  test.each([
    ['device', 'get', { deviceId: missing }, 404, 'Device was not found'],
    ['device', 'get', { deviceId: '../../x' }, 404, 'Device was not found'],
    ['device', 'get', {}, 400, 'Expected "deviceId" to be given'],
    ['device', 'patch', { deviceId: missing, device: {} }, 404, 'device'],
    ['devices', 'get', { query: '{"nope":1}' }, 400, 'nope'],
    ['devices', 'get', { query: 'not json' }, 400, 'JSON'],
    ['devices', 'get', { page: 'many' }, 400, 'page'],
    ['devices', 'get', { sortField: '__proto__' }, 400, 'sortField'],
    ['devices', 'get', { filter: 'a*b' }, 400, '"*"'],
    ['devices', 'get', { filter: 'a', filterField: 'secret' }, 400, 'filterField'],
    ['devices', 'post', { device: [] }, 400, 'device'],
    ['devices', 'post', { device: { name: 'x', __proto__x: 1 } }, 400, 'Unknown field'],
    ['experienceUsers', 'post', { experienceUser: { email: 'A@example.com', password: 'a long password' } }, 400, ''],
    ['experienceUser', 'get', { experienceUserId: 'a@example.com' }, 404, ''],
    ['device', 'setConnectionStatus', { deviceId: missing, connectionStatus: { status: 'connected' } }, 404, ''],
    ['device', 'setConnectionStatus', { deviceId: missing, connectionStatus: { status: 'away' } }, 400, 'status'],
    ['data', 'timeSeriesQuery', { query: {} }, 400, 'deviceIds'],
    ['experienceVersion', 'patch', { experienceVersionIdOrName: 'none', experienceVersion: {} }, 404, ''],
    ['application', 'globals', { globals: [{ key: 'a b', json: '1' }] }, 400, 'key'],
    ['application', 'globals', { globals: [{ key: 'a', json: '{' }] }, 400, 'json'],
    ['application', 'archiveData', {}, 404, 'unsupported API call: application.archiveData'],
    ['__proto__', 'toString', {}, 404, 'unsupported API call'],
    ['devices', 'constructor', {}, 404, 'unsupported API call'],
  ])('answers %s.%s %o with an error of status %i', async (resource, action, params, statusCode, words) => {
    const type = statusCode === 404 ? 'NotFound' : 'Validation'
    const out = await call(resource, action, params as Record<string, Param>)
    expect(out).toEqual({ error: { type, statusCode, message: expect.stringContaining(words) } })
  })

  test('reaches no other application, whether it exists or not', async () => {
    const wrong = { error: { type: 'NotFound', statusCode: 404, message: 'Application was not found' } }
    for (const id of ['b'.repeat(24), missing, 'x']) {
      expect(await call('devices', 'get', {}, { applicationIdTemplate: id })).toEqual(wrong)
      expect(await call('devices', 'get', { applicationId: id })).toEqual(wrong)
    }
    expect(await call('devices', 'get', {}, { applicationIdTemplate: 'a'.repeat(24) })).toHaveProperty('result')
  })

  test('finds and changes nothing of another application by id', async () => {
    const theirs = await run.other.devices.create({ name: 'Theirs' }, {})
    const group = await run.other.groups.create({ name: 'Theirs' })
    const their = await run.other.users.create({ email: 'z@example.com', password: 'a long password' })
    const event = await run.other.events.create({ level: 'info', subject: 's' })
    const calls: [string, string, Record<string, Param>][] = [
      ['device', 'get', { deviceId: theirs.id }],
      ['device', 'patch', { deviceId: theirs.id, device: { name: 'mine' } }],
      ['device', 'delete', { deviceId: theirs.id }],
      ['device', 'sendState', { deviceId: theirs.id, deviceState: { data: { n: 1 } } }],
      ['device', 'getCompositeState', { deviceId: theirs.id }],
      ['experienceGroup', 'delete', { experienceGroupId: group.id }],
      ['experienceUser', 'delete', { experienceUserId: their.id }],
      ['experienceUser', 'patch', { experienceUserId: their.id, experienceUser: { firstName: 'x' } }],
      ['event', 'delete', { eventId: event.id }],
      ['event', 'patch', { eventId: event.id, event: { state: 'resolved' } }],
    ]
    for (const [resource, action, params] of calls) {
      expect(await call(resource, action, params)).toMatchObject({ error: { statusCode: 404 } })
    }
    expect(await run.other.devices.get(theirs.id, {})).toMatchObject({ name: 'Theirs' })
    expect((await run.other.groups.find({ by: 'id', id: group.id }, {})).totalCount).toBe(1)
    expect(await run.other.users.get(their.id)).toMatchObject({ email: 'z@example.com' })
    const query = { deviceIds: [theirs.id], attributes: ['n'] }
    expect(await call('data', 'timeSeriesQuery', { query })).toMatchObject({ result: { devices: {} } })
  })

  test('takes no token', async () => {
    const out = await call('devices', 'get', {}, { apiTokenTemplate: 'abc' })
    expect(out).toMatchObject({ error: { type: 'Unauthorized', statusCode: 401 } })
  })
})

describe('lists', () => {
  test.each([
    ['pump*', ['Pump 1', 'pump 2']],
    ['*1', ['Pump 1']],
    ['*UM*', ['Pump 1', 'pump 2']],
    ['FAN', ['Fan']],
    ['fa', []],
    ['*', ['Fan', 'Pump 1', 'pump 2']],
    ['%', []],
  ])('finds names by the pattern %s', async (filter, names) => {
    const out = (await call('devices', 'get', { filter, filterField: 'name' })) as { result: { items: object[] } }
    expect(out.result.items.map((one) => (one as { name: string }).name)).toEqual(names)
  })

  test('gives the envelope of the published lists', async () => {
    const out = await call('devices', 'get', { page: '1', perPage: '2', sortField: 'name', sortDirection: 'desc' })
    expect(out).toEqual({
      result: {
        ...{ items: [expect.objectContaining({ name: 'Fan' })], count: 1, totalCount: 3, page: 1, perPage: 2 },
        ...{ sortField: 'name', sortDirection: 'desc', filter: '', filterField: '', applicationId: 'a'.repeat(24) },
      },
    })
    expect(await call('devices', 'get', { page: 9 })).toMatchObject({ result: { items: [], count: 0, totalCount: 3 } })
    expect(await call('devices', 'get', { perPage: 100_000 })).toMatchObject({ result: { perPage: 1_000 } })
  })
})

describe('devices', () => {
  test('are found by class, tags, parent and query', async () => {
    const count = async (params: Record<string, Param>) =>
      ((await call('devices', 'get', params)) as { result: { totalCount: number } }).result.totalCount
    expect(await count({ deviceClass: 'gateway' })).toBe(1)
    expect(await count({ deviceClass: ['gateway', 'standalone'] })).toBe(3)
    expect(await count({ tagFilter: [{ key: 'site', value: 'x' }] })).toBe(1)
    expect(await count({ tagFilter: [{ key: 'none' }, { value: 'y' }] })).toBe(1)
    expect(await count({ parentId: missing })).toBe(0)
    expect(await count({ query: { name: { $eq: 'Fan' } }, filter: 'ignored' })).toBe(1)
    // JSON in JSON, as older clients send it.
    expect(await count({ query: JSON.stringify(JSON.stringify({ name: { $eq: 'Fan' } })) })).toBe(1)
  })

  test('are shaped as asked', async () => {
    const shaped = await call('device', 'get', { deviceId: device, tagsAsObject: 'true', attributesAsObject: 'true' })
    expect(shaped).toMatchObject({
      result: { tags: { site: ['x', 'y'] }, attributes: { n: { dataType: 'number' } }, connectionInfo: {} },
    })
    const bare = (await call('device', 'get', { deviceId: device, excludeConnectionInfo: true })) as { result: object }
    expect(bare.result).not.toHaveProperty('connectionInfo')
  })

  test('are made, connected, report, and go', async () => {
    const made = (await call('devices', 'post', {
      device: { name: 'New', attributes: [{ name: 'n', dataType: 'number' }] },
    })) as { result: { id: string } }
    const deviceId = made.result.id
    expect(
      await call('device', 'setConnectionStatus', { deviceId, connectionStatus: { status: 'connected' } }),
    ).toEqual({ result: { success: true } })
    expect(await run.devices.get(deviceId, { includeConnectionInfo: true })).toMatchObject({
      connectionInfo: { connected: 1 },
    })
    const time = new Date(run.clock.now - 1000).toISOString()
    const deviceState = [{ data: { n: '7' }, time }, { data: { n: 8 } }]
    expect(await call('device', 'sendState', { deviceId, deviceState })).toEqual({ result: { success: true } })
    expect(await call('device', 'getState', { deviceId, limit: 5 })).toEqual({
      result: [
        { time: new Date(run.clock.now), data: { n: 8 } },
        { time: new Date(time), data: { n: 7 } },
      ],
    })
    expect(await call('device', 'getCompositeState', { deviceId, attributes: 'n' })).toMatchObject({
      result: { n: { value: 8 } },
    })
    expect(await call('device', 'sendState', { deviceId, deviceState: { n: 1 } })).toMatchObject({
      error: { statusCode: 400 },
    })
    expect(await call('device', 'delete', { deviceId })).toEqual({ result: { success: true } })
    expect(await call('device', 'delete', { deviceId })).toMatchObject({ error: { statusCode: 404 } })
  })

  test('have recipes', async () => {
    const list = (await call('deviceRecipes', 'get', {
      filterField: 'name',
      filter: 'Pump',
      attributesAsObject: 'true',
    })) as {
      result: { items: { id: string }[] }
    }
    expect(list.result).toMatchObject({
      items: [{ name: 'Pump', attributes: { n: { attributeTags: { unit: 'C' } } }, tags: [{ key: 'k', value: 'v' }] }],
      totalCount: 1,
    })
    const deviceRecipeId = list.result.items[0]!.id
    const deviceRecipe = { description: 'Changed', tags: [{ key: 'k', value: 'w' }] }
    expect(await call('deviceRecipe', 'patch', { deviceRecipeId, deviceRecipe, tagsAsObject: 'true' })).toMatchObject({
      result: { name: 'Pump', description: 'Changed', deviceName: 'New pump', tags: { k: ['w'] } },
    })
    expect(await call('devices', 'post', { device: { recipeId: deviceRecipeId } })).toMatchObject({
      result: { name: 'New pump', tags: [{ key: 'k', value: 'w' }, { key: 'DeviceRecipe' }] },
    })
    const made = (await call('deviceRecipes', 'post', { deviceRecipe: { name: 'Other' } })) as {
      result: { id: string }
    }
    expect(await call('deviceRecipe', 'get', { deviceRecipeId: made.result.id })).toMatchObject({
      result: { name: 'Other', attributes: [], tags: [], deviceClass: 'standalone' },
    })
    expect(await call('deviceRecipe', 'delete', { deviceRecipeId: made.result.id })).toEqual({
      result: { success: true },
    })
    expect(await call('deviceRecipe', 'get', { deviceRecipeId: made.result.id })).toMatchObject({
      error: { statusCode: 404 },
    })
  })

  test('answer questions for their history', async () => {
    const { now } = run.clock
    await run.devices.report([0, 1, 2].map((n) => ({ deviceId: device, data: { n }, time: now - 10_000 + n * 3_000 })))
    const query = {
      deviceIds: [device, missing],
      start: now - 10_000,
      end: now,
      resolution: 5_000,
      aggregation: 'COUNT',
    }
    expect(await call('data', 'timeSeriesQuery', { query })).toEqual({
      result: {
        ...{ start: new Date(now - 10_000), end: new Date(now), resolution: 5_000, aggregation: 'COUNT' },
        ...{ limit: null, order: 'asc' },
        devices: {
          [device]: {
            ...{ name: 'Pump 1', tags: { site: ['x', 'y'] } },
            points: [
              { time: new Date(now - 10_000), data: { n: 2 } },
              { time: new Date(now - 5_000), data: { n: 1 } },
            ],
          },
        },
      },
    })
    const raw = {
      deviceQuery: { name: { $eq: 'Pump 1' } },
      duration: 60_000,
      aggregation: 'NONE',
      limit: 1,
      order: 'desc',
    }
    expect(await call('data', 'timeSeriesQuery', { query: raw })).toMatchObject({
      result: { limit: 1, devices: { [device]: { points: [{ data: { n: 2 } }], limitExceeded: true } } },
    })
    const last = { deviceIds: [device], attribute: 'n' }
    expect(await call('data', 'lastValueQuery', { query: last })).toEqual({
      result: { [device]: { time: new Date(now - 4_000), data: { n: 2 } } },
    })
  })
})

describe('users, groups and events', () => {
  test('users are found by group, with those of its ancestors when asked', async () => {
    const emails = async (params: Record<string, Param>) => {
      const { result } = (await call('experienceUsers', 'get', params)) as { result: { items: { email: string }[] } }
      return result.items.map(({ email }) => email[0]).join('')
    }
    expect(await emails({ experienceGroupId: group })).toBe('a')
    expect(await emails({ experienceGroupId: group, includeAncestorGroups: 'true' })).toBe('ab')
    expect(await emails({ experienceGroupId: 'any' })).toBe('ab')
    expect(await emails({ experienceGroupId: 'none' })).toBe('c')
    expect(await emails({ experienceGroupId: missing })).toBe('')
    expect(await emails({ filterField: 'email', filter: 'B@*' })).toBe('b')
  })

  test('users are made, changed and removed, and never show a password', async () => {
    const experienceUser = { email: 'New@example.com', password: 'a long password' }
    const made = (await call('experienceUsers', 'post', { experienceUser })) as { result: { id: string } }
    const experienceUserId = made.result.id
    expect(JSON.stringify(made)).not.toMatch(/argon|password"/)
    expect(
      await call('experienceUser', 'patch', {
        experienceUserId,
        experienceUser: { firstName: 'N', experienceGroupIds: [group] },
      }),
    ).toMatchObject({ result: { firstName: 'N', experienceGroups: [{ id: group }] } })
    expect(await call('experienceUser', 'delete', { experienceUserId })).toEqual({ result: { success: true } })
    expect(await call('experienceUser', 'get', { experienceUserId })).toMatchObject({ error: { statusCode: 404 } })
    expect(await call('experienceUser', 'get', { experienceUserId: user })).toMatchObject({ result: { id: user } })
  })

  test('groups are found, made, changed, counted and removed', async () => {
    expect(await call('experienceGroups', 'get', { filter: 'gr*' })).toMatchObject({
      result: { items: [{ name: 'Group', groupTags: { a: 'b' } }], totalCount: 1 },
    })
    const made = (await call('experienceGroups', 'post', {
      experienceGroup: { name: 'Made', deviceIds: [device] },
    })) as {
      result: { id: string }
    }
    const experienceGroupId = made.result.id
    const patch = { name: 'Renamed' }
    expect(await call('experienceGroup', 'patch', { experienceGroupId, experienceGroup: patch })).toMatchObject({
      result: { name: 'Renamed' },
    })
    expect(await call('experienceGroup', 'get', { experienceGroupId, includeTotalDeviceCount: 'true' })).toMatchObject({
      result: { name: 'Renamed', totalDeviceCount: 1 },
    })
    expect(await call('experienceGroup', 'delete', { experienceGroupId })).toEqual({ result: { success: true } })
    expect(await call('experienceGroup', 'get', { experienceGroupId })).toMatchObject({ error: { statusCode: 404 } })
  })

  test('events are made, updated, found and removed', async () => {
    const made = (await call('events', 'post', { event: { level: 'error', subject: 'Hot' } })) as {
      result: { id: string }
    }
    await call('events', 'post', { event: { level: 'info', subject: 'Calm' } })
    expect(await call('events', 'mostRecentBySeverity', {})).toMatchObject({
      result: { event: { subject: 'Hot' }, newCount: 2 },
    })
    const eventId = made.result.id
    expect(await call('event', 'patch', { eventId, event: { state: 'resolved', comment: 'ok' } })).toMatchObject({
      result: { state: 'resolved', updates: [{ comment: 'ok' }] },
    })
    expect(await call('events', 'get', { state: 'resolved' })).toMatchObject({ result: { totalCount: 1 } })
    expect(await call('event', 'get', { eventId })).toMatchObject({ result: { id: eventId } })
    expect(await call('event', 'delete', { eventId })).toEqual({ result: { success: true } })
    expect(await call('events', 'delete', { query: { $or: [] } })).toEqual({ result: { removed: 1 } })
    expect(await call('events', 'delete', {})).toMatchObject({ error: { statusCode: 400 } })
  })
})

describe('definitions', () => {
  test('views are listed by type and version, with their bodies', async () => {
    expect(await call('experienceViews', 'get', { viewType: 'component' })).toMatchObject({
      result: { items: [{ name: 'A component', body: '<b>develop</b>', viewTags: { css: '1' } }], totalCount: 1 },
    })
    expect(await call('experienceViews', 'get', { version: 'v1' })).toMatchObject({
      result: { items: [{ body: '<b>v1</b>' }, { body: '<b>v1</b>' }] },
    })
  })

  test('a version gets new globals, which count as a change of the application', async () => {
    expect(await call('experienceVersions', 'get', { filterField: 'version', filter: 'v1' })).toMatchObject({
      result: { items: [{ version: 'v1', globals: [] }], sortField: 'version' },
    })
    const before = await run.app.revision()
    const experienceVersion = { globals: [{ key: 'theme', json: '"dark"' }] }
    expect(
      await call('experienceVersion', 'patch', { experienceVersionIdOrName: 'v1', experienceVersion }),
    ).toMatchObject({ result: { version: 'v1', globals: [{ key: 'theme', json: '"dark"' }] } })
    expect(await run.app.revision()).toBeGreaterThan(before)
    expect(await call('experienceVersion', 'get', { experienceVersionIdOrName: 'develop' })).toMatchObject({
      result: { globals: [] },
    })
    const twice = {
      globals: [
        { key: 'a', json: '1' },
        { key: 'a', json: '2' },
      ],
    }
    expect(
      await call('experienceVersion', 'patch', { experienceVersionIdOrName: 'v1', experienceVersion: twice }),
    ).toMatchObject({ error: { statusCode: 400 } })
    const split = { responseHeaders: { 'x-a': 'b\r\nset-cookie: c=d' } }
    expect(
      await call('experienceVersion', 'patch', { experienceVersionIdOrName: 'v1', experienceVersion: split }),
    ).toMatchObject({ error: { statusCode: 400 } })
  })

  test('globals of the application are merged by key, and its secret is not shown', async () => {
    const out = await call('application', 'globals', { globals: [{ key: 'new', json: '{"a":1}', cloudOnly: true }] })
    expect(out).toMatchObject({
      result: {
        globals: [
          { key: 'kept', json: '1' },
          { key: 'new', json: '{"a":1}' },
        ],
      },
    })
    expect(JSON.stringify([out, await call('application', 'get')])).not.toContain('very secret')
  })

  test('a webhook shows its token', async () => {
    const fields = { verificationType: 'none', castBuffersAs: 'array', verificationCode: '', enabled: true } as const
    const { id: webhookId } = await run.app.collection('webhooks').insert({
      ...{ name: 'Hook', token: 'the-token', tokenHash: 'h', responseCode: 200, waitForReply: false, ...fields },
      ...{ basicAuthUsername: '', basicAuthPassword: '', isWebsocket: false, annotateMultipart: false },
    })
    const out = await call('webhook', 'get', { webhookId })
    expect(out).toMatchObject({ result: { id: webhookId, name: 'Hook', token: 'the-token' } })
    expect(JSON.stringify(out)).not.toContain('tokenHash')
    expect(await call('webhooks', 'get', { filter: 'h*' })).toMatchObject({ result: { totalCount: 1 } })
  })

  test('the storage of a flow is read and written', async () => {
    const list = (await call('flows', 'get')) as { result: { items: { id: string }[] } }
    expect(list).toMatchObject({ result: { items: [{ name: 'A flow', triggers: [] }] } })
    const flowId = list.result.items[0]!.id
    expect(await call('flow', 'setStorageEntry', { flowId, entry: { key: 'k', value: [1] } })).toEqual({
      result: { success: true },
    })
    expect(await call('flow', 'getStorageEntries', { flowId })).toEqual({ result: { k: [1] } })
    expect(await call('flow', 'getStorageEntriesMetadata', { flowId })).toMatchObject({ result: { keysCount: 1 } })
    expect(await call('flow', 'setStorageEntry', { flowId, entry: { value: 1 } })).toMatchObject({
      error: { statusCode: 400 },
    })
    expect(
      await call('flow', 'setStorageEntry', { flowId, entry: { key: 'k', value: 'x'.repeat(20_000) } }),
    ).toMatchObject({
      error: { statusCode: 400 },
    })
    expect(await call('flow', 'getStorageEntries', { flowId: missing })).toMatchObject({ error: { statusCode: 404 } })
  })
})

test('says which calls it answers', () => {
  for (const one of ['deviceRecipes.get', 'experienceGroup.delete', 'data.timeSeriesQuery', 'application.globals']) {
    expect(answered).toContain(one)
  }
})

test('check names the calls of a flow that are not answered', () => {
  const node = (id: string, resource: unknown, action: unknown) => ({
    ...{ id, type: 'LosantApiNode', config: { resource, action }, meta: {}, outputIds: [] },
  })
  const nodes = [node('1', 'devices', 'get'), node('2', 'org', 'patch'), node('3', 'org', 'patch'), node('4', 'a', 'b')]
  const value = { name: 'Flow', triggers: [], nodes, globals: [] }
  const result: CheckResult = { problems: [], flows: [], unsupported: {} }
  checkFlow({ file: 'a.json', pointer: '', value }, 'cloud', { catalog, templates: openTemplates() }, result)
  expect(result).toMatchObject({ unsupported: { 'LosantApiNode org.patch': 2, 'LosantApiNode a.b': 1 } })
})
