import { beforeEach, describe, expect, test } from 'vitest'
import { answered } from '../../../../server/resources/api/api.ts'
import { type ApiTestWorld, openApiWorld } from './world.ts'

/** The pairs of the published API that its in-flow node is used for, and those beside them (reference: rest-api 11). */
const published = `
  deviceRecipes.get deviceRecipes.post deviceRecipe.bulkCreate deviceRecipe.delete deviceRecipe.get deviceRecipe.patch
  experienceUsers.get experienceUsers.post experienceUser.delete experienceUser.get experienceUser.patch
  experienceViews.get experienceViews.post experienceView.delete experienceView.get experienceView.linkedResources experienceView.patch
  experienceGroups.get experienceGroups.post experienceGroup.delete experienceGroup.get experienceGroup.patch
  experienceVersions.get experienceVersions.post experienceVersion.delete experienceVersion.get experienceVersion.patch
  files.get files.post file.delete file.get file.move file.patch file.upload
  privateFiles.get privateFiles.post privateFile.delete privateFile.get privateFile.move privateFile.patch privateFile.upload
  applicationDashboards.get applicationDashboards.post applicationDashboard.delete applicationDashboard.get
  applicationDashboard.patch applicationDashboard.sendReport dashboards.get dashboards.post dashboard.delete dashboard.get
  dashboard.patch dashboard.sendReport dashboard.validateContext
  devices.attributeNames devices.delete devices.deviceNames devices.export devices.get devices.getCompositeState devices.patch
  devices.payloadCounts devices.post devices.removeData devices.restore devices.sendCommand devices.tagKeys devices.tagValues
  device.commandStream device.delete device.export device.get device.getCommand device.getCompositeState device.getLogEntries
  device.getState device.patch device.payloadCounts device.payloadCountsBreakdown device.removeData device.sendCommand
  device.sendState device.setConnectionStatus device.stateStream
  deviceAttributes.get deviceAttributes.post deviceAttribute.delete deviceAttribute.get deviceAttribute.patch
  data.export data.lastValueQuery data.timeSeriesQuery
  credentials.get credentials.post credential.delete credential.get credential.linkedResources credential.patch
  webhooks.get webhooks.post webhook.delete webhook.get webhook.patch
  applicationKeys.get applicationKeys.post applicationKey.delete applicationKey.get applicationKey.patch
  applications.get applications.import applications.periodSummaries applications.post application.applyTemplate
  application.archiveData application.backfillArchiveData application.clone application.delete application.deviceCounts
  application.export application.fullDataTablesArchive application.fullEventsArchive application.get application.globals
  application.import application.importLogs application.mqttPublishMessage application.mqttSubscriptionStream
  application.notebookMinuteCounts application.patch application.payloadCounts application.payloadCountsBreakdown
  application.readme application.readmePatch application.search`
  .trim()
  .split(/\s+/)

let world: ApiTestWorld
beforeEach(async () => {
  world = await openApiWorld()
})

describe('every published pair', () => {
  test.each(published)('%s is answered, or refused by name with a reason', async (name) => {
    const answer = await world.call(name)
    if (answered.includes(name)) {
      if ('error' in answer) expect(answer.error.message).not.toContain('unsupported')
      return
    }
    const message = expect.stringMatching(new RegExp(`^unsupported API call: ${name}: .{10}`))
    expect(answer).toEqual({ error: { type: 'NotFound', statusCode: 404, message } })
  })
})

const missing = 'f'.repeat(24)

/** A call that takes one id, which answers for a foreign and a missing one alike. */
const byId: [string, string, Record<string, unknown>?][] = [
  ...(['get', 'delete', 'patch'] as const).flatMap((action): [string, string, Record<string, unknown>?][] => [
    [`device.${action}`, 'deviceId', { device: {} }],
    [`deviceRecipe.${action}`, 'deviceRecipeId', { deviceRecipe: {} }],
    [`experienceUser.${action}`, 'experienceUserId', { experienceUser: {} }],
    [`experienceView.${action}`, 'experienceViewId', { experienceView: {} }],
    [`experienceGroup.${action}`, 'experienceGroupId', { experienceGroup: {} }],
    [`experienceVersion.${action}`, 'experienceVersionIdOrName', { experienceVersion: {} }],
    [`experienceEndpoint.${action}`, 'experienceEndpointId', { experienceEndpoint: {} }],
    [`file.${action}`, 'fileId', {}],
    [`privateFile.${action}`, 'privateFileId', {}],
    [`webhook.${action}`, 'webhookId', { webhook: {} }],
    [`applicationKey.${action}`, 'applicationKeyId', { applicationKey: {} }],
    [`dataTable.${action}`, 'dataTableId', { dataTable: {} }],
    [`event.${action}`, 'eventId', { event: {} }],
    [`resourceJob.${action}`, 'resourceJobId', { resourceJob: {} }],
  ]),
  ...['getState', 'getCompositeState', 'export'].map((action): [string, string] => [`device.${action}`, 'deviceId']),
  ['device.sendCommand', 'deviceId', { deviceCommand: { name: 'c' } }],
  ['device.sendState', 'deviceId', { deviceState: { data: { n: 1 } } }],
  ['device.setConnectionStatus', 'deviceId', { connectionStatus: { status: 'connected' } }],
  ['deviceAttributes.get', 'deviceId'],
  ['deviceAttributes.post', 'deviceId', { deviceAttribute: { name: 'n', dataType: 'number' } }],
  ['file.move', 'fileId', { name: 'x' }],
  ['privateFile.move', 'privateFileId', { name: 'x' }],
  [
    'dataTable.addColumn',
    'dataTableId',
    { dataTableColumn: { name: 'c', dataType: 'string', constraint: 'optional' } },
  ],
  ['dataTable.removeColumn', 'dataTableId', { columnName: 'c' }],
  ['dataTableRows.get', 'dataTableId'],
  ['dataTableRows.query', 'dataTableId'],
  ['dataTableRows.delete', 'dataTableId'],
  ['dataTableRows.truncate', 'dataTableId'],
  ['dataTableRows.export', 'dataTableId'],
  ['dataTableRows.post', 'dataTableId', { dataTableRow: {} }],
  ['dataTableRow.get', 'dataTableId', { rowId: missing }],
  ['flow.get', 'flowId'],
  ['flow.patch', 'flowId', { flow: {} }],
  ['flow.clearStorageEntries', 'flowId'],
  ['applicationJobLog.get', 'jobId'],
]

test.each(byId)('%s answers 404 for an id that is not there, and 400 without one', async (name, key, more = {}) => {
  expect(answered).toContain(name)
  expect(await world.call(name, { [key]: missing, ...more })).toMatchObject({ error: { statusCode: 404 } })
  expect(await world.call(name, more)).toMatchObject({
    error: { type: 'Validation', statusCode: 400, message: expect.stringContaining(key) },
  })
})

const bodies: [string, string, Record<string, unknown>?][] = [
  ['devices.post', 'device'],
  ['deviceRecipes.post', 'deviceRecipe'],
  ['experienceUsers.post', 'experienceUser'],
  ['experienceViews.post', 'experienceView'],
  ['experienceGroups.post', 'experienceGroup'],
  ['experienceVersions.post', 'experienceVersion'],
  ['experienceEndpoints.post', 'experienceEndpoint'],
  ['files.post', 'file'],
  ['privateFiles.post', 'privateFile'],
  ['webhooks.post', 'webhook'],
  ['applicationKeys.post', 'applicationKey'],
  ['dataTables.post', 'dataTable'],
  ['events.post', 'event'],
  ['data.export', 'query'],
  ['data.timeSeriesQuery', 'query'],
  ['data.lastValueQuery', 'query'],
  ['devices.export', 'options'],
  ['events.export', 'exportData'],
  ['devices.sendCommand', 'multiDeviceCommand'],
  ['application.readmePatch', 'readme'],
]

test.each(bodies)('%s refuses a body with an unknown key', async (name, key) => {
  const wrong = await world.call(name, { [key]: { name: 'x', version: 'v', nope: 1 } })
  expect(wrong).toEqual({
    error: { type: 'Validation', statusCode: 400, message: expect.stringMatching(/nope|unknown field|Unknown field/) },
  })
})

describe('views, endpoints and versions', () => {
  test('a view is made, read, changed and removed', async () => {
    const body = '<h1>{{title}}</h1>'
    const page = { name: 'Home', viewType: 'page', body, viewTags: { a: 'b' } }
    const made = await world.ok('experienceViews.post', { experienceView: page })
    expect(made).toMatchObject({ ...page, version: 'develop', experienceViewId: made.id })
    const experienceViewId = made.id
    const layout = await world.ok('experienceViews.post', {
      experienceView: { name: 'Frame', viewType: 'layout', body: '<p>{{page}}</p>' },
    })
    const experienceView = { layoutId: layout.id, headers: { 'content-type': 'text/plain' } }
    expect(await world.ok('experienceView.patch', { experienceViewId, experienceView })).toMatchObject(experienceView)
    for (const wrong of [
      { body: '{{#if}' },
      { layoutId: made.id },
      { headers: { 'x-a': 'b' } },
      { viewType: 'layout' },
      { body: 'x'.repeat(131_073) },
    ]) {
      expect(await world.call('experienceView.patch', { experienceViewId, experienceView: wrong })).toMatchObject({
        error: { statusCode: 400 },
      })
    }
    expect(await world.call('experienceViews.post', { experienceView: page })).toMatchObject({
      error: { type: 'Validation', statusCode: 400 },
    })
    expect(await world.ok('experienceView.delete', { experienceViewId })).toEqual({ success: true })
    expect(await world.ok('experienceViews.get', {})).toMatchObject({ items: [{ id: layout.id }], totalCount: 1 })
  })

  test('an endpoint is made, listed with its groups, changed and removed', async () => {
    const group = await world.ok('experienceGroups.post', { experienceGroup: { name: 'Staff' } })
    const given = { method: 'get', route: '/a/{id}', access: 'group', experienceGroupIds: [group.id] }
    const made = await world.ok('experienceEndpoints.post', { experienceEndpoint: given })
    expect(made).toMatchObject({
      enabled: true,
      version: 'develop',
      experienceGroups: [{ id: group.id, name: 'Staff' }],
    })
    const experienceEndpointId = made.id
    expect(await world.ok('experienceEndpoints.get', { experienceGroupId: group.id })).toMatchObject({
      items: [{ id: made.id, route: '/a/{id}' }],
      count: 1,
    })
    expect(await world.ok('experienceEndpoints.get', { version: 'v1' })).toMatchObject({ items: [] })
    for (const wrong of [
      { method: 'get', route: '/a/{other}' },
      { method: 'get', route: '/b/{' },
    ]) {
      expect(await world.call('experienceEndpoints.post', { experienceEndpoint: wrong })).toMatchObject({
        error: { statusCode: 400 },
      })
    }
    const experienceEndpoint = { staticReply: { type: 'redirect', value: '/b' }, route: '/c', experienceGroupIds: [] }
    const patched = await world.ok('experienceEndpoint.patch', { experienceEndpointId, experienceEndpoint })
    expect(patched).toMatchObject({ route: '/c', experienceGroups: [] })
    expect(await world.ok('experienceEndpoint.delete', { experienceEndpointId })).toEqual({ success: true })
    expect(await world.app.collection('endpoints').count()).toBe(0)
  })

  test('a version keeps develop as it is; what is in it stays, and it goes as a whole', async () => {
    await world.app.collection('experienceVersions').insert({
      ...{ version: 'develop', endpointDefaultCors: true, globals: [] },
    })
    const view = await world.ok('experienceViews.post', { experienceView: { name: 'Home', viewType: 'page' } })
    const experienceVersion = { version: 'v1', description: 'First', globals: [{ key: 'a', json: '1' }] }
    const made = await world.ok('experienceVersions.post', { experienceVersion })
    expect(made).toMatchObject(experienceVersion)
    const copy = await world.ok('experienceView.get', { experienceViewId: view.id, version: 'v1' })
    expect(copy).toMatchObject({ name: 'Home', version: 'v1' })
    const change = { experienceViewId: copy.id, experienceView: { name: 'Other' } }
    expect(await world.call('experienceView.patch', change)).toMatchObject({ error: { statusCode: 400 } })
    for (const wrong of [{ version: 'v1' }, { version: 'v 2' }, { version: 'v2', slugIds: [missing] }]) {
      expect(await world.call('experienceVersions.post', { experienceVersion: wrong })).toMatchObject({
        error: { statusCode: 400 },
      })
    }
    const from = { version: 'v3', sourceVersionIdOrName: 'v1' }
    expect(await world.call('experienceVersions.post', { experienceVersion: from })).toMatchObject({
      error: { statusCode: 400 },
    })
    expect(await world.call('experienceVersion.delete', { experienceVersionIdOrName: 'develop' })).toMatchObject({
      error: { statusCode: 400 },
    })
    expect(await world.ok('experienceVersion.delete', { experienceVersionIdOrName: 'v1' })).toEqual({ success: true })
    expect((await world.app.collection('views').find()).map(({ version }) => version)).toEqual(['develop'])
  })
})

describe('devices', () => {
  const attributes = [{ name: 'n', dataType: 'number', description: 'A number' }]

  async function twoPumps(): Promise<[string, string]> {
    const tags = [{ key: 'site', value: 'x' }]
    const one = await world.ok('devices.post', { device: { name: 'Pump 1', attributes, tags } })
    const two = await world.ok('devices.post', { device: { name: 'Pump 2', tags: [{ key: 'Size', value: '2' }] } })
    return [one.id, two.id]
  }

  test('get commands, one or all that are selected', async () => {
    const [deviceId, other] = await twoPumps()
    const deviceCommand = { name: 'start', payload: { speed: 1 } }
    expect(await world.ok('device.sendCommand', { deviceId, deviceCommand })).toEqual({ success: true })
    expect(await world.ok('device.getCommand', { deviceId })).toMatchObject([deviceCommand])
    expect(world.sent).toHaveLength(1)
    const send = (selection: object) =>
      world.call('devices.sendCommand', { multiDeviceCommand: { name: 'stop', ...selection } })
    await send({ deviceIds: [deviceId], deviceTags: [{ key: 'Size' }] })
    expect(world.sent).toHaveLength(3)
    await send({ deviceIds: [deviceId, other], deviceQuery: { name: { $eq: 'Pump 2' } } })
    expect(world.sent).toHaveLength(4)
    expect(await send({})).toMatchObject({ error: { statusCode: 400 } })
    expect(await send({ deviceIds: ['x'] })).toMatchObject({ error: { statusCode: 400 } })
    const nameless = { deviceId, deviceCommand: { payload: 1 } }
    expect(await world.call('device.sendCommand', nameless)).toMatchObject({ error: { statusCode: 400 } })
    expect(world.sent).toHaveLength(4)
  })

  test('tell their names, tags and attributes', async () => {
    const [one, two] = await twoPumps()
    expect(await world.ok('devices.tagKeys')).toEqual({ tagKeys: ['Size', 'site'] })
    expect(await world.ok('devices.tagKeys', { startsWith: 'SI', query: { name: { $eq: 'Pump 1' } } })).toEqual({
      tagKeys: ['site'],
    })
    expect(await world.ok('devices.tagValues', { key: 'site' })).toEqual({ tagKey: 'site', tagValues: ['x'] })
    expect(await world.call('devices.tagValues')).toMatchObject({ error: { statusCode: 400 } })
    expect(await world.ok('devices.attributeNames', { dataType: ['number'] })).toEqual({ attributeNames: ['n'] })
    expect(await world.ok('devices.attributeNames', { dataType: 'string' })).toEqual({ attributeNames: [] })
    const shown = (id: string, name: string) => ({ id, name, deviceClass: 'standalone' })
    expect(await world.ok('devices.deviceNames')).toEqual({
      deviceSummary: [shown(one, 'Pump 1'), shown(two, 'Pump 2')],
    })
    expect(await world.ok('devices.deviceNames', { startsWith: 'pump 2' })).toEqual({
      deviceSummary: [shown(two, 'Pump 2')],
    })
    expect(await world.call('devices.deviceNames', { query: { nope: 1 } })).toMatchObject({
      error: { statusCode: 400 },
    })
  })

  test('tell their last state, several at once', async () => {
    const [deviceId] = await twoPumps()
    await world.ok('device.sendState', { deviceId, deviceState: { data: { n: 7 } } })
    expect(await world.ok('devices.getCompositeState', { filter: 'Pump 1' })).toMatchObject({
      items: [{ id: deviceId, name: 'Pump 1', compositeState: { n: { value: 7 } } }],
      totalCount: 1,
    })
  })

  test('have attributes that are added, changed and removed', async () => {
    const [deviceId] = await twoPumps()
    const added = { name: 'place', dataType: 'gps' }
    expect(await world.ok('deviceAttributes.post', { deviceId, deviceAttribute: added })).toMatchObject({
      ...{ ...added, deviceId },
    })
    expect(await world.call('deviceAttributes.post', { deviceId, deviceAttribute: added })).toMatchObject({
      error: { statusCode: 400 },
    })
    const list = await world.ok('deviceAttributes.get', { deviceId, sortDirection: 'desc' })
    expect(list).toMatchObject({ items: [{ name: 'place' }, { name: 'n' }], count: 2 })
    expect(await world.ok('deviceAttributes.get', { deviceId, filter: 'pl*' })).toMatchObject({ count: 1 })
    const change = { deviceId, name: 'n', deviceAttribute: { description: 'Other', attributeTags: { unit: 'C' } } }
    expect(await world.ok('deviceAttribute.patch', change)).toMatchObject({ name: 'n', ...change.deviceAttribute })
    expect(await world.ok('deviceAttribute.get', { deviceId, name: 'n' })).toMatchObject({ description: 'Other' })
    const retyped = { ...change, deviceAttribute: { dataType: 'string' } }
    expect(await world.call('deviceAttribute.patch', retyped)).toMatchObject({ error: { statusCode: 400 } })
    expect(await world.ok('deviceAttribute.delete', { deviceId, name: 'n' })).toEqual({ success: true })
    expect(await world.call('deviceAttribute.get', { deviceId, name: 'n' })).toMatchObject({
      error: { statusCode: 404 },
    })
  })
})

describe('exports', () => {
  const queued = { success: true, jobQueued: true, jobId: expect.stringMatching(/^[\w-]{21}$/) }

  test('are queued, and stand in the log of jobs', async () => {
    const device = await world.ok('devices.post', { device: { name: 'Pump' } })
    const calls: [string, Record<string, unknown>, object][] = [
      [
        'data.export',
        { query: { deviceIds: [device.id], start: 1, end: 0, options: { filePerDevice: true } } },
        { of: 'points', start: 0, end: world.clock.now + 1, includeDate: true, includeId: true, filePerDevice: true },
      ],
      [
        'device.export',
        { deviceId: device.id, start: -1_000, end: 0 },
        { of: 'points', start: world.clock.now - 1_000, includeDate: false, devices: { ids: [device.id] } },
      ],
      [
        'devices.export',
        { email: '', callbackUrl: 'https://e.example/x?y=1', options: { query: '{"name":{"$eq":"Pump"}}' } },
        { of: 'devices', format: 'csv', callbackUrl: 'https://e.example/x?y=1', query: { name: { $eq: 'Pump' } } },
      ],
      ['events.export', { exportData: { format: 'json', email: 'a@b.example' } }, { of: 'events', format: 'json' }],
    ]
    for (const [name, params, input] of calls) {
      const answer = await world.ok(name, params)
      expect(answer, name).toEqual(queued)
      const log = await world.ok('applicationJobLog.get', { jobId: answer.jobId })
      expect(log).toMatchObject({ status: 'queued', requestedByType: 'flow', jobId: log.id })
      expect((await world.app.collection('jobs').get(log.id))!.input, name).toMatchObject(input)
    }
    expect(await world.ok('applicationJobLogs.get', { perPage: 2 })).toMatchObject({ count: 2, totalCount: 4 })
  })

  test('of a table happens once in 5 minutes', async () => {
    const table = await world.ok('dataTables.post', { dataTable: { name: 'T' } })
    const asked = { dataTableId: table.id, exportData: { queryOptions: { sortColumn: 'createdAt', limit: 5 } } }
    expect(await world.ok('dataTableRows.export', asked)).toEqual(queued)
    expect(await world.call('dataTableRows.export', asked)).toMatchObject({
      error: { type: 'RateLimit', statusCode: 429 },
    })
  })

  test.each([
    ['data.export', { query: {} }],
    ['data.export', { query: { deviceQuery: { nope: 1 } } }],
    ['data.export', { query: { deviceQuery: {}, start: 5, end: 4 } }],
    ['devices.export', { options: { format: 'xml' } }],
    ['devices.export', { callbackUrl: 'ftp://a' }],
    ['events.export', { exportData: { email: 'nobody' } }],
    ['events.export', { exportData: { query: { nope: 1 } } }],
  ])('%s refuses %j', async (name, params) => {
    expect(await world.call(name, params)).toMatchObject({ error: { type: 'Validation', statusCode: 400 } })
    expect(await world.app.collection('jobs').count()).toBe(0)
  })

  test('a user’s jobs are not in the log', async () => {
    const { id } = await world.app.collection('jobs').insert({
      ...{ kind: 'data-export', key: 'k', status: 'done', input: {}, attempts: 1, progress: { completed: 1 } },
      requestedBy: { type: 'experienceUser', id: missing },
    })
    expect(await world.call('applicationJobLog.get', { jobId: id })).toMatchObject({ error: { statusCode: 404 } })
    expect(await world.ok('applicationJobLogs.get')).toMatchObject({ totalCount: 0 })
  })
})

test('a table is made, filled, asked, changed and removed', async () => {
  const columns = [{ name: 'n', dataType: 'number', constraint: 'unique' }]
  const { id: dataTableId } = await world.ok('dataTables.post', { dataTable: { name: 'T', columns } })
  expect(await world.ok('dataTables.get', { filter: 't' })).toMatchObject({ totalCount: 1, items: [{ name: 'T' }] })
  expect(await world.ok('dataTables.get', { filter: 'x*' })).toMatchObject({ totalCount: 0 })
  const row = await world.ok('dataTableRows.post', { dataTableId, dataTableRow: { n: '1' } })
  expect(row).toMatchObject({ n: 1 })
  expect(world.happenings).toMatchObject([{ kind: 'table', change: { action: 'insert' } }])
  const many = await world.ok('dataTableRows.post', { dataTableId, dataTableRow: [{ n: 2 }, { n: 3 }] })
  expect(many).toMatchObject({ count: 2, rowIds: [expect.any(String), expect.any(String)] })
  expect(await world.call('dataTableRows.post', { dataTableId, dataTableRow: { n: 3 } })).toMatchObject({
    error: { type: 'Validation', statusCode: 400 },
  })
  const asked = { dataTableId, query: { n: { $gt: 1 } }, sortColumn: 'n', sortDirection: 'DESC', includeFields: 'n' }
  expect(await world.ok('dataTableRows.query', asked)).toMatchObject({ items: [{ n: 3 }, { n: 2 }], totalCount: 2 })
  expect(await world.ok('dataTableRows.get', { dataTableId, limit: 1 })).toMatchObject({ count: 1, totalCount: 3 })
  const one = { dataTableId, rowId: row.id }
  expect(await world.ok('dataTableRow.patch', { ...one, dataTableRow: { n: 9 } })).toMatchObject({ n: 9 })
  expect(await world.ok('dataTableRow.get', one)).toMatchObject({ n: 9 })
  expect(await world.ok('dataTableRow.delete', one)).toEqual({ success: true })
  expect(await world.call('dataTableRow.delete', one)).toMatchObject({ error: { statusCode: 404 } })
  const dataTableColumn = { name: 'text', dataType: 'string', constraint: 'optional' }
  expect(await world.ok('dataTable.addColumn', { dataTableId, dataTableColumn })).toMatchObject({
    columns: [{ name: 'n' }, { name: 'text' }],
  })
  expect(await world.ok('dataTable.removeColumn', { dataTableId, columnName: 'text' })).toMatchObject({
    columns: [{ name: 'n' }],
  })
  expect(await world.ok('dataTable.patch', { dataTableId, dataTable: { name: 'U' } })).toMatchObject({ name: 'U' })
  expect(await world.ok('dataTableRows.delete', { dataTableId, query: { n: 2 } })).toEqual({ removed: 1 })
  expect(await world.ok('dataTableRows.truncate', { dataTableId })).toEqual({ success: true })
  expect(await world.ok('dataTable.delete', { dataTableId })).toEqual({ success: true })
  expect(await world.app.collection('dataTableRows').count()).toBe(0)
})

test('a webhook is made with a token, changed and removed', async () => {
  const made = await world.ok('webhooks.post', { webhook: { name: 'Hook', waitForReply: true } })
  expect(made).toMatchObject({ name: 'Hook', responseCode: 200, enabled: true, castBuffersAs: 'array' })
  expect(made.token).toMatch(new RegExp(`^${world.app.scope.application}-`))
  const webhookId = made.id
  const patched = await world.ok('webhook.patch', { webhookId, webhook: { responseCode: 204, enabled: false } })
  expect(patched).toMatchObject({ token: made.token, responseCode: 204, enabled: false })
  for (const webhook of [{ token: 'mine' }, { responseCode: 99 }, { castBuffersAs: 'x' }]) {
    expect(await world.call('webhook.patch', { webhookId, webhook })).toMatchObject({ error: { statusCode: 400 } })
  }
  expect(await world.ok('webhook.delete', { webhookId })).toEqual({ success: true })
  expect(await world.app.collection('webhooks').count()).toBe(0)
})

test('a flow is named, switched off, and forgets what it keeps', async () => {
  const content = { triggers: [], nodes: [], globals: [] }
  const { id: flowId } = await world.app.collection('flows').insert({
    ...{ name: 'A flow', flowClass: 'cloud', enabled: true, content },
  })
  expect(await world.ok('flow.patch', { flowId, flow: { name: 'B', enabled: false } })).toMatchObject({
    ...{ name: 'B', enabled: false },
  })
  for (const flow of [{ nodes: [] }, { defaultVersionId: missing }]) {
    expect(await world.call('flow.patch', { flowId, flow })).toMatchObject({ error: { statusCode: 400 } })
  }
  await world.ok('flow.setStorageEntry', { flowId, entry: { key: 'k', value: 1 } })
  expect(await world.ok('flow.clearStorageEntries', { flowId })).toEqual({})
  expect(await world.ok('flow.getStorageEntries', { flowId })).toEqual({})
})

test('the readme of the application is written', async () => {
  expect(await world.ok('application.readmePatch', { readme: { content: '# Hi' } })).toMatchObject({ content: '# Hi' })
  expect(await world.ok('application.readme')).toEqual({ content: '# Hi' })
})

test('dashboards are listed as none', async () => {
  expect(await world.ok('applicationDashboards.get', { filterField: 'name', filter: 'A' })).toMatchObject({
    ...{ items: [], count: 0, totalCount: 0, page: 0, perPage: 100, sortField: 'name', filter: 'A' },
  })
})

describe.each([
  ['file', 'files', 'fileId'],
  ['privateFile', 'privateFiles', 'privateFileId'],
])('%s', (one, several, key) => {
  test('is announced, and says where its content goes', async () => {
    const given = { name: 'a.txt', parentDirectory: '/in', type: 'file', contentType: 'text/plain', fileSize: 5 }
    const pending = await world.ok(`${several}.post`, { [one]: given })
    const url = expect.stringMatching(/^\/_files\/a{24}\/\?upload=[\w-]{32}$/)
    expect(pending).toMatchObject({
      ...given,
      status: 'pending',
      upload: { url, fields: { token: expect.any(String) } },
    })
    expect(await world.call(`${one}.get`, { [key]: pending.id })).toMatchObject({ error: { statusCode: 404 } })
    for (const wrong of [
      { type: 'directory', name: 'x' },
      { name: 'a/b' },
      { parentDirectory: '/' },
      { fileSize: 9e9 },
    ]) {
      expect(await world.call(`${several}.post`, { [one]: wrong })).toMatchObject({ error: { statusCode: 400 } })
    }
  })

  test('that is there is announced again, by its id', async () => {
    const there = { path: '/in/a.txt', contentType: 'text/plain', sizeBytes: 0, sha256: 's', blob: 'b' }
    const { id } = await world.app.collection('files').insert({ ...there, private: one !== 'file' })
    const pending = await world.ok(`${one}.patch`, { [key]: id, updates: { fileSize: 3 } })
    expect(pending).toMatchObject({ id, name: 'a.txt', parentDirectory: '/in', status: 'pending' })
    const again = { [one]: { name: 'a.txt', parentDirectory: '/in', type: 'file' } }
    expect(await world.call(`${several}.post`, again)).toMatchObject({ error: { type: 'Validation', statusCode: 400 } })
    expect(await world.call(`${one}.patch`, { [key]: id, updates: { name: 'b' } })).toMatchObject({
      error: { statusCode: 400 },
    })
  })
})
