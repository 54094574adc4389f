import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { DeviceCriteria } from '../../../nodes/services/devices.ts'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld

beforeEach(async () => {
  world = await openTestWorld()
})

const make = (body: Payload) => world.devices.create(body, {})
const names = async (criteria: DeviceCriteria) =>
  (await world.devices.find(criteria, {}, {})).items.map((one) => one.name)
const pump = {
  name: 'pump',
  tags: [
    { key: 'site', value: 'a' },
    { key: 'site', value: 'b' },
    { key: 'kind', value: 'x' },
  ],
  attributes: [
    { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
    { name: 'on', dataType: 'boolean' },
    { name: 'at', dataType: 'gps' },
    { name: 'note', dataType: 'string' },
  ],
}

describe('a device', () => {
  test('is shown with lists, or with objects', async () => {
    const device = await make(pump)
    expect(device).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      deviceId: device.id,
      applicationId: 'a'.repeat(24),
      name: 'pump',
      description: '',
      deviceClass: 'standalone',
      tags: pump.tags,
      attributes: [
        { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
        { name: 'on', dataType: 'boolean', attributeTags: {} },
        { name: 'at', dataType: 'gps', attributeTags: {} },
        { name: 'note', dataType: 'string', attributeTags: {} },
      ],
      creationDate: expect.stringMatching(/Z$/),
      lastUpdated: expect.stringMatching(/Z$/),
    })
    const shape = { tagsAsObject: true, attributesAsObject: true, includeConnectionInfo: true, state: true as const }
    const [shaped] = (await world.devices.find({ by: 'id', id: device.id }, {}, shape)).items
    expect(shaped).toMatchObject({
      tags: { site: ['a', 'b'], kind: ['x'] },
      attributes: { level: { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } } },
      connectionInfo: { connected: null, time: null },
      compositeState: {},
    })
    expect(shaped).not.toHaveProperty('groupIds')
  })

  test('shows its connection as 1, 0 or null', async () => {
    const { id } = await make(pump)
    await world.devices.setConnection(id, true)
    const shape = { includeConnectionInfo: true }
    expect(await world.devices.get(id, shape)).toMatchObject({
      connectionInfo: { connected: 1, time: '2026-01-02T03:04:05.678Z' },
    })
    expect(await names({ by: 'query', query: { connectionStatus: 'connected' } })).toEqual(['pump'])
    await world.devices.setConnection(id, false, { time: 5 })
    expect(await world.devices.get(id, shape)).toMatchObject({ connectionInfo: { connected: 0 } })
    expect(
      await names({ by: 'query', query: { connectionStatus: { $in: ['connected', 'unknown', 'invalid'] } } }),
    ).toEqual([])
  })

  test.each([
    ['without a name', {}, 'name'],
    ['with a blank name', { name: '' }, 'name'],
    ['of an unknown class', { name: 'x', deviceClass: 'phone' }, 'deviceClass'],
    ['with an unknown field', { name: 'x', groupIds: ['a'] }, 'Unknown field "groupIds"'],
    ['with an id of its own', { name: 'x', id: 'a'.repeat(24) }, 'Unknown field "id"'],
    ['with a tag without a value', { name: 'x', tags: [{ key: 'a', value: '' }] }, 'tags[0].value'],
    ['with a tag key with a blank', { name: 'x', tags: [{ key: 'a b', value: 'c' }] }, 'tags[0].key'],
    [
      'with 101 tags',
      { name: 'x', tags: Array.from({ length: 101 }, (_, i) => ({ key: 'a', value: `${i}` })) },
      'at most 100',
    ],
    [
      'with an attribute twice',
      {
        name: 'x',
        attributes: [
          { name: 'a', dataType: 'number' },
          { name: 'a', dataType: 'string' },
        ],
      },
      'twice',
    ],
    ['with an attribute without a type', { name: 'x', attributes: [{ name: 'a' }] }, 'dataType'],
    ['below nothing', { name: 'x', parentId: '0'.repeat(24) }, 'parentId'],
    ['as a peripheral of nothing', { name: 'x', deviceClass: 'peripheral' }, 'gatewayId'],
    ['with a gateway and no peripheral', { name: 'x', gatewayId: '0'.repeat(24) }, 'gatewayId'],
    ['of no recipe', { recipeId: '0'.repeat(24) }, 'recipeId'],
  ])('%s is refused', async (_name, body, place) => {
    await expect(make(body)).rejects.toMatchObject({ type: 'Validation', message: expect.stringContaining(place) })
    expect(await world.app.collection('devices').count()).toBe(0)
  })

  test('lies below a system, never below itself', async () => {
    const top = await make({ name: 'top', deviceClass: 'system' })
    const low = await make({ name: 'low', deviceClass: 'system', parentId: top.id })
    const leaf = await make({ name: 'leaf', parentId: low.id })
    expect(top).toMatchObject({ systemInterval: 30, keepDuplicates: false })
    await expect(make({ name: 'x', parentId: leaf.id })).rejects.toThrow('class system')
    await expect(world.devices.update(top.id, { parentId: low.id }, {})).rejects.toThrow('not the device itself')
    await expect(world.devices.update(top.id, { parentId: top.id }, {})).rejects.toThrow('not the device itself')
    await expect(world.devices.update(top.id, { deviceClass: 'standalone' }, {})).rejects.toThrow('to or from system')
    expect(await names({ by: 'parent', parentId: low.id })).toEqual(['leaf'])
    expect(await names({ by: 'parent', parentId: '' })).toEqual(['top'])
    expect(await names({ by: 'query', query: { ancestorId: top.id } })).toEqual(['leaf', 'low'])
    await world.devices.remove(low.id)
    expect(await names({ by: 'parent', parentId: '' })).toEqual(['leaf', 'top'])
  })

  test('a peripheral has a gateway', async () => {
    const gateway = await make({ name: 'gateway', deviceClass: 'gateway' })
    const sensor = await make({ name: 'sensor', deviceClass: 'peripheral', gatewayId: gateway.id })
    await expect(world.devices.update(sensor.id, { gatewayId: sensor.id }, {})).rejects.toThrow('gatewayId')
    await expect(world.devices.update(sensor.id, { gatewayId: null }, {})).rejects.toThrow('gatewayId')
    expect(await world.devices.update(sensor.id, { deviceClass: 'standalone' }, {})).not.toHaveProperty('gatewayId')
  })
})

describe('the connection of a peripheral', () => {
  const shown = async (id: string) => (await world.devices.get(id, { includeConnectionInfo: true }))?.connectionInfo
  const status = (connectionStatus: string) => names({ by: 'query', query: { connectionStatus } })
  const peripheral = (name: string, gatewayId: string) => make({ name, deviceClass: 'peripheral', gatewayId })

  test('is that of its gateway, and of no other device', async () => {
    const gateway = await make({ name: 'gateway', deviceClass: 'gateway' })
    const other = await make({ name: 'other', deviceClass: 'gateway' })
    const sensor = await peripheral('sensor', gateway.id)
    await peripheral('far', other.id)
    expect(await status('invalid')).toEqual(['far', 'sensor'])
    await world.devices.setConnection(gateway.id, true, { time: 5_000 })
    expect(await shown(sensor.id)).toEqual({ connected: 1, time: new Date(5_000).toISOString() })
    expect(await status('connected')).toEqual(['gateway', 'sensor'])
    await world.devices.setConnection(gateway.id, false, { time: 6_000 })
    expect(await shown(sensor.id)).toEqual({ connected: 0, time: new Date(6_000).toISOString() })
    expect([await status('disconnected'), await status('invalid')]).toEqual([['gateway', 'sensor'], ['far']])
  })

  test('is there from the first, changes with the gateway, and goes with the class', async () => {
    const gateway = await make({ name: 'gateway', deviceClass: 'gateway' })
    const silent = await make({ name: 'silent', deviceClass: 'edgeCompute' })
    await world.devices.setConnection(gateway.id, true, { time: 5_000 })
    const sensor = await peripheral('sensor', gateway.id)
    expect(await shown(sensor.id)).toMatchObject({ connected: 1 })
    await world.devices.update(sensor.id, { gatewayId: silent.id }, {})
    expect(await shown(sensor.id)).toMatchObject({ connected: null })
    await world.devices.update(sensor.id, { gatewayId: gateway.id }, {})
    expect(await shown(sensor.id)).toMatchObject({ connected: 1 })
    await world.devices.update(sensor.id, { name: 'renamed' }, {})
    expect(await shown(sensor.id)).toMatchObject({ connected: 1 })
    await world.devices.update(sensor.id, { deviceClass: 'standalone' }, {})
    expect(await shown(sensor.id)).toMatchObject({ connected: null })
  })
})

describe('updating a device', () => {
  test('merges tags by key and attributes by name', async () => {
    const { id } = await make(pump)
    const device = await world.devices.update(
      id,
      { description: 'd' },
      {
        mergeTags: [{ key: 'site', value: 'c' }, { key: 'kind' }, { key: 'new', value: 'n' }],
        mergeAttributes: [{ name: 'on' }, { name: 'level', dataType: 'string' }, { name: 'extra', dataType: 'number' }],
        attributesAsObject: true,
      },
    )
    expect(device).toMatchObject({ name: 'pump', description: 'd' })
    expect(device.tags).toEqual([
      { key: 'site', value: 'c' },
      { key: 'new', value: 'n' },
    ])
    expect(Object.keys(device.attributes as object)).toEqual(['level', 'at', 'note', 'extra'])
    expect(device.attributes).toMatchObject({ level: { dataType: 'string', attributeTags: { unit: 'l' } } })
  })

  test('replaces whole lists in a patch', async () => {
    const { id } = await make(pump)
    const device = await world.devices.update(id, { tags: { only: ['a', 'b'] }, attributes: [] }, {})
    expect(device).toMatchObject({
      name: 'pump',
      tags: [
        { key: 'only', value: 'a' },
        { key: 'only', value: 'b' },
      ],
      attributes: [],
    })
  })

  test('keeps both of two merges at the same time', async () => {
    const { id } = await make({ name: 'x' })
    await Promise.all(
      ['owner', 'group', 'c'].map((key) => world.devices.update(id, {}, { mergeTags: [{ key, value: 'v' }] })),
    )
    expect(((await world.devices.get(id, {}))!.tags as { key: string }[]).map((tag) => tag.key).sort()).toEqual([
      'c',
      'group',
      'owner',
    ])
  })

  test.each([['0'.repeat(24)], [''], ['x']])('refuses the unknown id %j', async (id) => {
    await expect(world.devices.update(id, { name: 'y' }, {})).rejects.toMatchObject({ type: 'NotFound' })
    expect(await world.devices.remove(id)).toBe(false)
  })

  test('a device of another application is as unknown as any', async () => {
    const foreign = await world.other.devices.create({ name: 'x' }, {})
    await expect(world.devices.update(foreign.id, { name: 'y' }, {})).rejects.toMatchObject({ type: 'NotFound' })
    expect(await world.devices.get(foreign.id, {})).toBeUndefined()
    expect((await world.other.devices.get(foreign.id, {}))?.name).toBe('x')
  })
})

test('a device made from a recipe takes what is not given, and its name as a tag', async () => {
  const recipe = await world.app.collection('recipes').insert({
    name: 'Generator',
    template: {
      deviceName: 'Widget',
      deviceDescription: 'made',
      deviceClass: 'standalone',
      tags: [
        { key: 'site', value: 'a' },
        { key: 'kind', value: 'k' },
      ],
      attributes: [{ name: 'level', dataType: 'number', attributeTags: { unit: 'l' } }],
    },
  })
  const plain = await make({ recipeId: recipe.id })
  expect(plain).toMatchObject({ name: 'Widget', description: 'made' })
  const device = await make({
    recipeId: recipe.id,
    name: 'own',
    tags: [{ key: 'site', value: 'b' }],
    attributes: [{ name: 'on', dataType: 'boolean' }],
  })
  expect(device).toMatchObject({ name: 'own', description: 'made' })
  expect(device.tags).toEqual([
    { key: 'kind', value: 'k' },
    { key: 'site', value: 'b' },
    { key: 'DeviceRecipe', value: 'Generator' },
  ])
  expect((device.attributes as { name: string }[]).map((one) => one.name)).toEqual(['level', 'on'])
})

describe('finding devices', () => {
  let groupId: string
  let userId: string
  beforeEach(async () => {
    await make({
      name: 'b',
      tags: [
        { key: 'site', value: '1' },
        { key: 'kind', value: 'x' },
      ],
    })
    await make({ name: 'A', tags: [{ key: 'site', value: '2' }] })
    await make({ name: 'c' })
    groupId = (await world.groups.create({ name: 'g', deviceTags: [{ key: 'site' }] })).id
    const parent = await world.groups.create({ name: 'p' })
    await world.groups.update(groupId, { parentId: parent.id })
    userId = (await world.users.create({ email: 'u@x.y', password: '12345678', experienceGroupIds: [parent.id] })).id
    await world.other.devices.create({ name: 'foreign', tags: [{ key: 'site', value: '1' }] }, {})
  })

  test.each<[string, DeviceCriteria, string[]]>([
    ['everything', { by: 'query', query: undefined }, ['A', 'b', 'c']],
    ['name', { by: 'name', name: 'A' }, ['A']],
    ['name in another case', { by: 'name', name: 'a' }, []],
    ['blank name', { by: 'name', name: '' }, []],
    ['blank id', { by: 'id', id: '' }, []],
    ['all tags', { by: 'allTags', tags: [{ key: 'site' }, { value: 'x' }] }, ['b']],
    ['any tag', { by: 'anyTags', tags: [{ key: 'kind' }, { value: '2' }] }, ['A', 'b']],
    ['no tag at all', { by: 'allTags', tags: [] }, []],
    ['a pair without sides', { by: 'anyTags', tags: [{}] }, []],
    ['blank group', { by: 'group', groupId: '' }, []],
    ['unknown group', { by: 'group', groupId: '0'.repeat(24) }, []],
    ['blank user', { by: 'user', idOrEmail: '' }, []],
    ['unknown user', { by: 'user', idOrEmail: 'no@x.y' }, []],
    ['user', { by: 'user', idOrEmail: 'U@X.Y' }, ['A', 'b']],
    ['query for a blank user', { by: 'query', query: { experienceUserId: '' } }, []],
    ['query for nothing', { by: 'query', query: '{"$nor":[]}' }, []],
  ])('by %s', async (_name, criteria, expected) => {
    expect(await names(criteria)).toEqual(expected)
  })

  test('by group and by user in queries', async () => {
    expect(await names({ by: 'group', groupId })).toEqual(['A', 'b'])
    const both = {
      $and: [{ experienceUserId: { $eq: userId } }, { tags: { $eq: { $tagKey: 'kind', $tagValue: '' } } }],
    }
    expect(await names({ by: 'query', query: both })).toEqual(['b'])
    expect(await names({ by: 'query', query: { experienceGroupId: { $ne: groupId } } })).toEqual(['c'])
    expect(await names({ by: 'query', query: { experienceGroupId: null } })).toEqual(['c'])
    expect(await names({ by: 'query', query: { experienceUserId: { $nin: [userId, '0'.repeat(24)] } } })).toEqual(['c'])
  })

  test('refuses what is no query', async () => {
    await expect(names({ by: 'query', query: '{' })).rejects.toMatchObject({ type: 'Validation' })
    await expect(names({ by: 'query', query: null })).rejects.toMatchObject({ type: 'Validation' })
  })

  test('with the state of a whole page read at once', async () => {
    const { items } = await world.devices.find({ by: 'query', query: {} }, {}, {})
    for (const { id } of items) {
      await world.devices.update(
        id,
        {},
        {
          mergeAttributes: [
            { name: 'v', dataType: 'number' },
            { name: 'w', dataType: 'number' },
          ],
        },
      )
      await world.devices.report([{ deviceId: id, data: { v: 1, w: 2 } }])
    }
    const found = await world.devices.find({ by: 'query', query: {} }, { perPage: 2 }, { state: ['v'] })
    expect(found.items.map((one) => one.compositeState)).toEqual(
      Array(2).fill({ v: { value: 1, time: new Date(world.clock.now) } }),
    )
  })
})

describe('state', () => {
  test('is cast to the types of the attributes; what cannot be is dropped', async () => {
    const { id } = await make(pump)
    const data = { level: ' 7.5 ', on: 'TRUE', at: '1.5, -2', note: 3, other: 1, __proto__x: 1 }
    await world.devices.report([{ deviceId: id, data, time: 5, meta: { by: 'x' } }])
    await world.devices.report([{ deviceId: id, data: { level: 'seven', on: 0, note: ' ' } }])
    const device = await world.devices.get(id, { state: true })
    expect(device?.compositeState).toEqual({
      level: { value: 7.5, time: new Date(5), meta: { by: 'x' } },
      on: { value: false, time: new Date(world.clock.now) },
      at: { value: '1.5,-2', time: new Date(5), meta: { by: 'x' } },
      note: { value: '3', time: new Date(5), meta: { by: 'x' } },
    })
  })

  test('is refused when nothing is left, and for an unknown device', async () => {
    const { id } = await make(pump)
    const report = (deviceId: string, data: Payload) => world.devices.report([{ deviceId, data }])
    await expect(report(id, { nope: 1, level: 'x' })).rejects.toThrow(
      '"nope" is no attribute of the device; the value of "level" is no number',
    )
    await expect(report(id, {})).rejects.toMatchObject({ type: 'Validation' })
    await expect(report('0'.repeat(24), { level: 1 })).rejects.toMatchObject({ type: 'NotFound' })
    await expect(report('', { level: 1 })).rejects.toMatchObject({ type: 'NotFound' })
    const batch = [
      { deviceId: id, data: { level: 1 } },
      { deviceId: '0'.repeat(24), data: { level: 1 } },
    ]
    await expect(world.devices.report(batch)).rejects.toMatchObject({ type: 'NotFound' })
    expect((await world.devices.get(id, { state: true }))?.compositeState).toEqual({})
  })

  test('tells of each report once it is stored', async () => {
    const told: unknown[] = []
    const watched = await openTestWorld({
      happened: async (one) => void told.push(...('points' in one ? one.points : [])),
    })
    const { id } = await watched.devices.create(pump, {})
    await watched.devices.report([
      { deviceId: id, data: { level: 1 } },
      { deviceId: id, data: { nope: 1 } },
      { deviceId: id, data: { on: 1 }, time: 7 },
    ])
    expect(told).toEqual([
      { deviceId: id, time: watched.clock.now, data: { level: 1 } },
      { deviceId: id, time: 7, data: { on: true } },
    ])
  })

  test('has a history, raw or by buckets', async () => {
    const { id } = await make(pump)
    await world.devices.report([0, 1, 2, 3].map((n) => ({ deviceId: id, data: { level: n }, time: 1000 + n * 10 })))
    const ask = (given: object) =>
      world.devices.history({ deviceId: id, start: 1000, end: 2000, resolution: 0, aggregation: 'MEAN', ...given })
    const raw = await ask({ attributes: ['level', 'level'] })
    expect(raw).toEqual({ level: [0, 1, 2, 3].map((n) => ({ time: new Date(1000 + n * 10), value: n })) })
    expect(await ask({ resolution: 20 })).toMatchObject({
      level: [
        { time: new Date(1000), value: 0.5 },
        { time: new Date(1020), value: 2.5 },
      ],
      on: [],
    })
    expect(await ask({ resolution: 1000, aggregation: 'max', attributes: ['level'] })).toEqual({
      level: [{ time: new Date(1000), value: 3 }],
    })
    // However wide, a bucket holds what there is.
    for (const resolution of [1e300, Number.POSITIVE_INFINITY]) {
      expect(await ask({ resolution, attributes: ['level'] })).toEqual({ level: [{ time: new Date(0), value: 1.5 }] })
    }
    expect(await ask({ deviceId: '' })).toEqual({})
    expect(await ask({ start: 3000 })).toEqual({})
    await expect(ask({ resolution: 1, end: 1e9 })).rejects.toThrow('resolution of at least')
    await expect(ask({ aggregation: 'MODE' })).rejects.toThrow('MEAN')
  })

  test('goes with the device', async () => {
    const { id } = await make(pump)
    await world.devices.report([{ deviceId: id, data: { level: 1 } }])
    expect(await world.devices.remove(id)).toBe(true)
    expect(await world.app.telemetry.last([id])).toEqual(new Map())
  })
})
