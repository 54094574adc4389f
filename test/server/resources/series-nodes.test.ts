import { beforeAll, describe, expect, test } from 'vitest'
import { openRunning, type Running } from './running.ts'

let run: Running
const ids: Record<string, string> = {}
let now = 0
let groupId = ''

beforeAll(async () => {
  run = await openRunning()
  now = run.clock.now
  const attributes = ['n', 'm']
    .map((name) => ({ name, dataType: 'number' }))
    .concat([{ name: 's', dataType: 'string' }])
  groupId = (await run.groups.create({ name: 'g' })).id
  for (const [name, site] of [
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'y'],
  ] as const) {
    const body = { name, attributes, tags: [{ key: 'site', value: site }] }
    ids[name] = (await run.devices.create(body, {})).id
  }
  await run.groups.update(groupId, { deviceIds: [ids.a] })
  await run.users.create({ email: 'member@x.y', password: '12345678', experienceGroupIds: [groupId] })
  const report = (name: string, ago: number, data: object) => ({
    deviceId: ids[name]!,
    time: now - ago,
    data: { ...data },
  })
  await run.app.telemetry.append([
    report('a', 3_000, { n: 1 }),
    report('a', 2_000, { n: 2, m: 20, s: 'on' }),
    report('a', 1_000, { n: 6 }),
    report('b', 1_500, { n: 4 }),
    report('c', 100_000_000, { n: 100 }),
  ])
})

const gauge = (config: object, payload: Record<string, unknown> = {}) =>
  run.result('GaugeNode', { attribute: 'n', ...config }, { ids, now, ...payload })
const series = (config: object, payload: Record<string, unknown> = {}) =>
  run.result('TimeSeriesNode', { attribute: ['n'], ...config }, { ids, now, ...payload })
const time = (ago: number) => new Date(now - ago)

describe('gauge', () => {
  const site = { findMethod: 'tagsIds', deviceTags: [{ key: 'site', value: 'x' }] }
  const all = { findMethod: 'query', queryTemplate: '' }

  test.each<[object, () => unknown]>([
    [{ ...site, duration: null }, () => ({ time: time(1_000), value: 6 })],
    [{ ...site, duration: '0', aggregation: 'SUM' }, () => ({ time: time(0), value: 10 })],
    [{ ...site, aggregation: 'COUNT' }, () => ({ time: time(0), value: 2 })],
    [{ ...site, duration: '2500', aggregation: 'MEAN' }, () => ({ time: time(0), value: 4 })],
    [{ ...site, duration: '{{longer}}', aggregation: 'MIN' }, () => ({ time: time(3_000), value: 1 })],
    [
      { ...site, duration: '5000', end: '{{subtract now 1200}}', aggregation: 'max' },
      () => ({ time: time(1_500), value: 4 }),
    ],
    [{ ...site, duration: '5000', end: '0', aggregation: 'LAST' }, () => ({ time: time(1_000), value: 6 })],
    [
      { ...site, attribute: ['n', '{{m}}'] },
      () => ({ n: { time: time(1_000), value: 6 }, m: { time: time(2_000), value: 20 } }),
    ],
    [{ ...site, attribute: ['{{names}}'], duration: 1 }, () => ({})],
    [{ ...site, attribute: 'none' }, () => ({})],
    [
      { ...site, perDeviceResults: true },
      () => ({ [ids.a!]: { time: time(1_000), value: 6 }, [ids.b!]: { time: time(1_500), value: 4 } }),
    ],
    [
      { ...site, perDeviceResults: true, attribute: 'n,m', duration: '2100', aggregation: 'MAX' },
      () => ({
        [ids.a!]: { n: { time: time(1_000), value: 6 }, m: { time: time(2_000), value: 20 } },
        [ids.b!]: { n: { time: time(1_500), value: 4 } },
      }),
    ],
    [
      {
        ...{ findMethod: 'tagsIds', deviceIds: ['{{ids.a}}'], attribute: 's', duration: '5000' },
        ...{ aggregation: 'TIMEATVALUE', aggregationOptions: [{ keyTemplate: 'value', valueTemplate: '{{on}}' }] },
      },
      () => ({ time: time(0), value: 2_000 }),
    ],
    [{ ...all, duration: '' }, () => ({ time: time(1_000), value: 6 })],
    [{ ...all, aggregation: 'MAX' }, () => ({ time: time(100_000_000), value: 100 })],
    [{ findMethod: 'query', queryTemplate: '{"name": "b"}' }, () => ({ time: time(1_500), value: 4 })],
    [
      { findMethod: 'expGroupId', expGroupIdTemplate: '{{group}}', aggregation: 'COUNT' },
      () => ({ time: time(0), value: 1 }),
    ],
    [{ findMethod: 'expGroupId', expGroupId: '{{group}}' }, () => ({ time: time(1_000), value: 6 })],
    [{ findMethod: 'expUser', expUserTemplate: '{{nobody}}' }, () => ({})],
    [{ findMethod: 'parentId', parentIdTemplate: '', aggregation: 'COUNT' }, () => ({ time: time(0), value: 3 })],
    // What is not set selects nothing.
    [{ findMethod: 'tagsIds' }, () => ({})],
    [{ findMethod: 'tagsIds', deviceIds: [], deviceTags: [{ key: '', value: '' }] }, () => ({})],
    // A path is meant wherever it is set, with or without a method.
    [{ findMethod: 'tagsIds', deviceIds: [], deviceIdsPath: 'ids.b' }, () => ({ time: time(1_500), value: 4 })],
    [{ ...site, deviceIdsPath: 'ids.b' }, () => ({ time: time(1_500), value: 4 })],
    [
      { deviceIds: [], deviceTags: [], deviceIdsPath: 'list', aggregation: 'COUNT' },
      () => ({ time: time(0), value: 2 }),
    ],
    [{ ...site, deviceIdsPath: 'none' }, () => ({})],
    [{ deviceIdsPath: 'odd', aggregation: 'COUNT' }, () => ({ time: time(0), value: 1 })],
    [{ ...site, attribute: ['{{odd.[0]}}', 'n'] }, () => ({ time: time(1_000), value: 6 })],
  ])('%j', async (config, expected) => {
    const odd: unknown[] = [{ toString: 1 }, { id: ids.a }, null, [1], ids.b]
    const payload = { odd, m: 'm', names: ['n', 'm'], longer: 9_000, on: 'on', group: groupId, list: [ids.a, ids.c] }
    expect(await gauge(config, payload)).toEqual(expected())
  })
})

describe('every aggregation of the format', () => {
  // a: 1, 2, 6 at 3, 2 and 1 seconds ago; b: 4 at 1.5 seconds ago.
  const numbers: [aggregation: string, value: number, ago: number][] = [
    ['FIRST', 1, 3_000],
    ['LAST', 6, 1_000],
    ['COUNT', 4, 0],
    ['MAX', 6, 1_000],
    ['MIN', 1, 3_000],
    ['MEDIAN', 3, 0],
    ['MEAN', 3.25, 0],
    ['SUM', 13, 0],
    ['STD_DEV', Math.sqrt((2.25 ** 2 + 1.25 ** 2 + 2.75 ** 2 + 0.75 ** 2) / 4), 0],
  ]
  const asked = { deviceIdsPath: 'pair', duration: '4000', aggregation: '{{how}}' }
  const payload = (how: string) => ({ how, pair: [ids.a, ids.b] })

  test.each(numbers)('%s in a gauge is %d', async (how, value, ago) => {
    expect(await gauge(asked, payload(how))).toEqual({ time: time(ago), value: expect.closeTo(value, 10) })
  })

  test.each(numbers)('%s in a series is %d', async (how, value) => {
    const points = (await series({ ...asked, resolution: '4000' }, payload(how))) as object[]
    expect(points).toEqual([{ time: time(4_000), value: expect.closeTo(value, 10) }])
  })

  test.each([
    ['FIRST', { time: expect.any(Date), value: 'on' }],
    ['LAST', { time: expect.any(Date), value: 'on' }],
    ['COUNT', { time: expect.any(Date), value: 1 }],
    ['MEAN', {}],
    ['SUM', {}],
  ])('%s of text is %j', async (how, expected) => {
    expect(await gauge({ ...asked, attribute: 's' }, payload(how))).toEqual(expected)
  })

  test('TIMEATVALUE counts milliseconds, from the start for a value that held before, and up to the end', async () => {
    const held = { ...asked, attribute: 'n', aggregationOptions: [{ keyTemplate: 'value', valueTemplate: '{{n}}' }] }
    const at = (config: object, n: unknown) =>
      gauge({ ...held, deviceIdsPath: 'ids.a', ...config }, { ...payload('TIMEATVALUE'), n })
    expect(await at({}, '2')).toMatchObject({ value: 1_000 })
    expect(await at({ duration: '1500' }, 2)).toMatchObject({ value: 500 })
    expect(await at({}, 6)).toMatchObject({ value: 1_000 })
    expect(await at({}, 7)).toMatchObject({ value: 0 })
  })
})

describe('time series', () => {
  const pair = { deviceIdsPath: 'pair' }
  const payload = () => ({ pair: [ids.a, ids.b] })

  test.each<[object, [ago: number, value: number][]]>([
    [
      { resolution: '1000' },
      [
        [3_000, 1],
        [2_000, 6],
        [1_000, 6],
      ],
    ],
    [
      { resolution: 2_000, duration: 4_000 },
      [
        [4_000, 1],
        [2_000, 12],
      ],
    ],
    [{ resolution: '{{divide 6000 2}}', duration: '{{step}}' }, [[3_000, 13]]],
    [
      { resolution: '1000', end: '{{subtract now 1000}}', duration: '2000' },
      [
        [3_000, 1],
        [2_000, 6],
      ],
    ],
    [
      { resolution: '1000', end: '{{iso}}', duration: '2000' },
      [
        [3_000, 1],
        [2_000, 6],
      ],
    ],
  ])('in steps of %j', async (config, expected) => {
    const settings = { ...pair, duration: '3000', aggregation: 'SUM', ...config }
    const found = await series(settings, { ...payload(), step: 3_000, iso: time(1_000).toISOString() })
    expect(found).toEqual(expected.map(([ago, value]) => ({ time: time(ago), value })))
  })

  test.each<[object, () => string[]]>([
    [{ findMethod: 'tags', deviceTags: [{ key: 'site', value: '{{site}}' }] }, () => [ids.c!]],
    [{ findMethod: 'tags', deviceTags: [{ key: 'site' }] }, () => [ids.a!, ids.b!, ids.c!]],
    [{ findMethod: 'payloadPath', deviceIdsPath: 'pair' }, () => [ids.a!, ids.b!]],
    [
      { findMethod: 'tagsIds', deviceIds: [' {{ids.a}}'], deviceTags: [{ key: 'site', value: 'y' }] },
      () => [ids.a!, ids.c!],
    ],
    [{ findMethod: 'query', queryTemplate: '{"tags":{"site":"x"}}' }, () => [ids.a!, ids.b!]],
    [{ findMethod: 'expGroupId', expGroupIdTemplate: '{{group}}' }, () => [ids.a!]],
    [{ findMethod: 'expUser', expUserTemplate: 'Member@x.y' }, () => [ids.a!]],
    [{ findMethod: 'parentId', parentIdTemplate: '' }, () => [ids.a!, ids.b!, ids.c!]],
    [{ findMethod: 'expUser', expUserTemplate: '' }, () => []],
    [{ findMethod: 'tags', deviceTags: [{ key: '', value: '' }] }, () => []],
  ])('of the devices by %j', async (config, expected) => {
    const settings = { ...config, duration: '200000000', aggregation: 'NONE' }
    const found = (await series(settings, { ...payload(), site: 'y', group: groupId })) as { devices?: object }
    expect(Object.keys(found.devices ?? {}).sort()).toEqual(expected().sort())
  })

  test('of one attribute is a list, oldest first', async () => {
    const config = { ...pair, duration: '4000', resolution: '2000', aggregation: 'MAX' }
    expect(await series(config, payload())).toEqual([
      { time: time(4_000), value: 1 },
      { time: time(2_000), value: 6 },
    ])
    expect(await series({ ...config, orderTemplate: 'desc', resolution: '' }, payload())).toEqual([
      { time: time(4_000), value: 6 },
    ])
  })

  test('for each device is a list of its own; devices without values are left out', async () => {
    const config = {
      findMethod: 'query',
      queryTemplate: '{}',
      duration: '2000',
      aggregation: 'SUM',
      perDeviceResults: true,
    }
    expect(await series(config)).toEqual({
      [ids.a!]: [{ time: time(2_000), value: 8 }],
      [ids.b!]: [{ time: time(2_000), value: 4 }],
    })
  })

  test('of every point, or of several attributes, has the long form', async () => {
    const config = { ...pair, attribute: ['n', 'm'], duration: '2500', aggregation: 'NONE', limitTemplate: '1' }
    expect(await series(config, payload())).toEqual({
      ...{ start: time(2_500), end: time(0), resolution: null, aggregation: 'NONE', limit: 1 },
      devices: {
        [ids.a!]: {
          ...{ name: 'a', tags: { site: ['x'] }, limitExceeded: true },
          points: [{ time: time(2_000), data: { n: 2, m: 20 } }],
        },
        [ids.b!]: { name: 'b', tags: { site: ['x'] }, points: [{ time: time(1_500), data: { n: 4 } }] },
      },
    })
    const several = await series({ ...config, aggregation: 'MEAN', resolution: 2500, limitTemplate: '' }, payload())
    expect(several).toMatchObject({
      resolution: 2500,
      aggregation: 'MEAN',
      devices: { [ids.a!]: { points: [{ data: { n: 4, m: 20 } }] } },
    })
    expect(several).not.toHaveProperty('limit')
  })

  test('without devices or values is an empty object; without a duration it is of a day', async () => {
    for (const config of [
      {},
      { deviceIdsPath: 'none' },
      { ...pair, attribute: ['x'] },
      { ...pair, attribute: ['x', 'y'], aggregation: 'NONE' },
    ]) {
      expect(await series({ aggregation: 'MEAN', ...config }, payload())).toEqual({})
    }
    const all = { findMethod: 'query', queryTemplate: '', aggregation: 'COUNT' }
    expect(await series(all)).toEqual([{ time: time(86_400_000), value: 4 }])
  })
})

describe('what cannot be asked', () => {
  const refused = { findMethod: 'query', queryTemplate: '{"nonsense": 1}' }
  test.each<[string, Record<string, unknown>, string]>([
    ['GaugeNode', refused, 'series.refused'],
    ['TimeSeriesNode', { ...refused, queryTemplate: '', aggregation: 'AVERAGE' }, 'series.refused'],
    ['TimeSeriesNode', { queryTemplate: '', aggregation: 'MEAN', resolution: '1' }, 'series.refused'],
    ['GaugeNode', { attribute: '{{none}}' }, 'config.empty'],
    ['GaugeNode', { duration: '{{none}}long' }, 'config.type'],
    ['GaugeNode', { ...refused, queryTemplate: '{' }, 'template.not-json'],
  ])('%s with %j fails: %s', async (type, config, code) => {
    expect(await run.visit(type, { attribute: ['n'], resultPath: 'out', ...config })).toMatchObject({ code })
  })

  test('goes to the error path where the author says so, but a missing attribute still fails', async () => {
    const settings = { attribute: ['n'], resultPath: 'out', errorBehavior: 'payloadPath', errorPath: 'why' }
    const { payload, code } = await run.visit('GaugeNode', { ...settings, ...refused })
    expect(code).toBeUndefined()
    expect(payload).toEqual({ why: { type: 'Validation', message: expect.stringContaining('nonsense') } })
    expect(await run.visit('GaugeNode', { ...settings, attribute: '' })).toMatchObject({ code: 'config.empty' })
  })
})

describe('delete', () => {
  const remove = (config: Record<string, unknown>, payload = {}) =>
    run.result('DeviceDeleteWorkflowNode', config, payload)
  const names = async () =>
    (await run.devices.find({ by: 'query', query: undefined }, {}, {})).items.map(({ name }) => name)

  test('by id, by query, and nothing by a blank query', async () => {
    const made = await Promise.all(['p', 'q1', 'q2'].map((name) => run.devices.create({ name }, {})))
    await run.app.telemetry.append([{ deviceId: made[0]!.id, time: 1, data: { n: 1 } }])
    for (const blank of ['', '{}', '{{none}}{}']) {
      const query = { dataMethod: 'query', deviceQueryJsonTemplate: blank }
      expect(await remove(query)).toEqual({ removed: 0, failed: 0 })
    }
    expect(await names()).toEqual(['a', 'b', 'c', 'p', 'q1', 'q2'])
    expect(await remove({ deviceIdTemplate: ' {{id}} ' }, { id: made[0]!.id })).toBe(true)
    expect((await run.app.telemetry.last([made[0]!.id])).size).toBe(0)
    expect(await remove({ deviceIdTemplate: '{{id}}' }, { id: made[0]!.id })).toMatchObject({
      error: { type: 'NotFound' },
    })
    const query = { dataMethod: 'query', deviceQueryJsonTemplate: '{"name": {"$startsWith": "{{start}}"}}' }
    expect(await remove(query, { start: 'q' })).toEqual({ removed: 2, failed: 0 })
    expect(await names()).toEqual(['a', 'b', 'c'])
    const wrong = { dataMethod: 'query', deviceQueryJsonTemplate: '{"nonsense": 1}' }
    expect(await remove(wrong)).toMatchObject({ error: { type: 'Validation' } })
  })

  test('more than a page of them', async () => {
    const body = (i: number) => ({
      name: `z${i}`,
      ...{ deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] },
    })
    await run.app.write(Array.from({ length: 1_001 }, (_, i) => ({ insert: 'devices' as const, document: body(i) })))
    const query = { dataMethod: 'query', deviceQueryJsonTemplate: '{"name": {"$startsWith": "z"}}' }
    expect(await remove(query)).toEqual({ removed: 1_001, failed: 0 })
    expect(await names()).toEqual(['a', 'b', 'c'])
  })

  test('never a device of another application, and an id is needed', async () => {
    const stranger = await run.other.devices.create({ name: 'x' }, {})
    expect(await remove({ deviceIdTemplate: stranger.id })).toMatchObject({ error: { type: 'NotFound' } })
    expect(await run.other.devices.get(stranger.id, {})).toBeDefined()
    expect(await run.visit('DeviceDeleteWorkflowNode', { deviceIdTemplate: '{{none}}' })).toMatchObject({
      code: 'config.empty',
    })
  })
})
