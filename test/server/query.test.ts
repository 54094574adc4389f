import { describe, expect, test } from 'vitest'
import { matchesFilter } from '../../server/filter.ts'
import { parseQuery } from '../../server/query.ts'
import type { DeviceDocument } from '../../server/store/documents/devices.ts'
import { openTestWorld } from './resources/world.ts'

const hour = 3_600_000
const time = Date.UTC(2026, 0, 1)

const device = (n: number, given: Partial<DeviceDocument>): DeviceDocument => ({
  id: n.toString(16).padStart(24, '0'),
  revision: 1,
  creationDate: time + n * hour,
  lastUpdated: time + n * hour,
  name: `d${n}`,
  deviceClass: 'standalone',
  tags: [],
  attributes: [],
  groupIds: [],
  ...given,
})
const attribute = (name: string) => ({ name, dataType: 'number' as const, attributeTags: {} })

const devices = [
  device(1, {
    name: 'Pump One',
    tags: [
      { key: 'site', value: 'a' },
      { key: 'site', value: 'b' },
    ],
    attributes: [attribute('level')],
  }),
  device(2, {
    name: 'pump two',
    tags: [
      { key: 'site', value: 'b' },
      { key: 'kind', value: 'a' },
    ],
    connection: { connected: 1, time },
  }),
  device(3, { name: 'fan', deviceClass: 'gateway', connection: { connected: 0, time: time + hour } }),
  device(4, { name: '7', deviceClass: 'system', attributes: [attribute('level'), attribute('Speed')] }),
  device(5, {
    name: 'leaf',
    deviceClass: 'peripheral',
    parentId: '4'.padStart(24, '0'),
    gatewayId: '3'.padStart(24, '0'),
    tags: [{ key: 'kind', value: 'b' }],
  }),
]
const world = { systemsBelow: async (id: string) => [id] }

const tag = (key?: unknown, value?: unknown) => ({ tags: { $eq: { $tagKey: key, $tagValue: value } } })
const at = (n: number) => time + n * hour

/** A query, and the numbers of the devices that it finds. */
const cases: [query: unknown, found: number[]][] = [
  // Everything and nothing.
  [undefined, [1, 2, 3, 4, 5]],
  ['', [1, 2, 3, 4, 5]],
  [' \n', [1, 2, 3, 4, 5]],
  [{}, [1, 2, 3, 4, 5]],
  ['{"$or":[]}', [1, 2, 3, 4, 5]],
  [{ $and: [] }, [1, 2, 3, 4, 5]],
  [{ $nor: [] }, []],
  [{ $and: [{ $or: [] }, { $nor: [] }] }, []],
  [{ $or: [{ $nor: [] }, { name: 'fan' }] }, [3]],
  [{ $nor: [{ $nor: [] }] }, [1, 2, 3, 4, 5]],
  [{ $nor: [{}] }, []],
  // Logic.
  [{ name: 'fan', deviceClass: 'gateway' }, [3]],
  [{ name: 'fan', deviceClass: 'system' }, []],
  [{ $or: [{ name: 'fan' }, { deviceClass: 'system' }] }, [3, 4]],
  [{ $nor: [{ name: 'fan' }, { deviceClass: 'system' }] }, [1, 2, 5]],
  [{ $or: [{ name: 'fan' }, { name: '7' }], deviceClass: 'system' }, [4]],
  // Text.
  [{ name: 'pump two' }, [2]],
  [{ name: 'PUMP TWO' }, []],
  [{ name: { $eq: 'PUMP TWO', $ci: true } }, [2]],
  [{ name: { $startsWith: 'pump' } }, [2]],
  [{ name: { $startsWith: 'pump', $ci: true } }, [1, 2]],
  [{ name: { $startsWith: 'pump', $ci: 'false' } }, [2]],
  [{ name: { $endsWith: 'One' } }, [1]],
  [{ name: { $contains: 'UM', $ci: true } }, [1, 2]],
  [{ name: { $contains: '%' } }, []],
  [{ name: { $contains: '' } }, [1, 2, 3, 4, 5]],
  [{ name: 7 }, [4]],
  [{ name: { $ne: 'fan' } }, [1, 2, 4, 5]],
  [{ name: { $in: ['fan', 7] } }, [3, 4]],
  [{ name: { $in: ['FAN'], $ci: true } }, [3]],
  [{ name: { $in: [] } }, []],
  [{ name: { $nin: [] } }, [1, 2, 3, 4, 5]],
  [{ name: { $nin: ['fan', 'leaf'] } }, [1, 2, 4]],
  [{ name: { $gt: 'fan', $lt: 'pump' } }, [5]],
  [{ name: null }, []],
  // Ids.
  [{ id: devices[0]!.id }, [1]],
  [{ id: { $gt: devices[2]!.id } }, [4, 5]],
  [{ id: '' }, []],
  [{ parentId: null }, [1, 2, 3, 4]],
  [{ parentId: { $ne: null } }, [5]],
  [{ parentId: { $in: [null, devices[3]!.id] } }, [1, 2, 3, 4, 5]],
  [{ parentId: '' }, []],
  [{ gatewayId: devices[2]!.id }, [5]],
  [{ ancestorId: devices[3]!.id }, [5]],
  [{ ancestorId: { $ne: devices[3]!.id } }, [1, 2, 3, 4]],
  [{ ancestorId: null }, [1, 2, 3, 4]],
  [{ ancestorId: '' }, []],
  // Dates.
  [{ creationDate: { $gt: at(3) } }, [4, 5]],
  [{ creationDate: { $gt: String(at(3)) } }, [4, 5]],
  [{ creationDate: { $gte: new Date(at(3)).toISOString(), $lt: new Date(at(5)) } }, [3, 4]],
  [{ creationDate: { $lte: new Date(at(1)).toString() } }, [1]],
  [{ creationDate: at(2) }, [2]],
  [{ creationDate: { $nin: [at(2), String(at(3))] } }, [1, 4, 5]],
  [{ deletedAt: null }, [1, 2, 3, 4, 5]],
  [{ deletedAt: { $gt: 0 } }, []],
  [{ deletedAt: { $ne: null } }, []],
  // Attributes.
  [{ attributeName: 'level' }, [1, 4]],
  [{ attributeName: { $ne: 'level' } }, [2, 3, 5]],
  [{ attributeName: { $startsWith: 'sp', $ci: true } }, [4]],
  [{ attributeName: { $nin: ['Speed'] } }, [1, 2, 3, 5]],
  [{ attributeName: null }, [2, 3, 5]],
  // Connection.
  [{ connectionStatus: 'connected' }, [2]],
  [{ connectionStatus: { $ne: 'connected' } }, [1, 3, 4, 5]],
  [{ connectionStatus: { $in: ['disconnected', 'unknown'] } }, [1, 3]],
  [{ connectionStatus: { $eq: 'invalid' } }, [4, 5]],
  [{ connectedAt: { $gte: time } }, [2]],
  [{ disconnectedAt: { $gt: time } }, [3]],
  [{ disconnectedAt: null }, [1, 2, 4, 5]],
  // Tags.
  [tag('site', 'a'), [1]],
  [tag('site', ''), [1, 2]],
  [tag('site'), [1, 2]],
  [tag('site', null), [1, 2]],
  [tag('', 'a'), [1, 2]],
  [tag(undefined, 'b'), [1, 2, 5]],
  [tag('', ''), [1, 2, 5]],
  [tag('kind', 'site'), []],
  [tag({ $in: ['kind', 'x'] }, { $nin: ['a'] }), [5]],
  [tag({ $in: [] }), []],
  [{ tags: { $tagKey: 'site', $tagValue: 'b' } }, [1, 2]],
  [{ tags: { $ne: { $tagKey: 'site' } } }, [3, 4, 5]],
  [{ tags: { $ne: { $tagKey: 'site', $tagValue: 'a' } } }, [2, 3, 4, 5]],
  [{ tags: { $eq: { $tagKey: 'site' }, $ne: { $tagValue: 'a' } } }, []],
  [{ tags: { site: 'b', kind: 'a' } }, [2]],
  [{ tags: { $eq: { site: 'b' } } }, [1, 2]],
  [{ tags: { site: 'b', kind: null } }, [1]],
  [{ tags: { site: '' } }, []],
  [{ tags: null }, [3, 4]],
  [{ tags: { $ne: null } }, [1, 2, 5]],
]

describe('a query', () => {
  test.each(cases)('%j finds the same in memory and in the store', async (query, expected) => {
    const filter = await parseQuery('device', query, world)
    const numbers = (list: { id: string }[]) => list.map((one) => Number.parseInt(one.id, 16))
    expect(numbers(devices.filter((one) => matchesFilter(filter, one)))).toEqual(expected)
    const { app } = await openTestWorld()
    for (const { revision: _, ...document } of devices) await app.collection('devices').insert(document)
    expect(numbers(await app.collection('devices').find({ filter }))).toEqual(expected)
  })

  const deep = (levels: number): unknown => (levels === 0 ? {} : { $and: [deep(levels - 1)] })

  test.each<[query: unknown, message: string]>([
    ['{', 'expected JSON'],
    ['7', 'expected an object'],
    [null, 'expected an object'],
    [[], 'expected an object'],
    [{ colour: 1 }, 'unknown field "colour"'],
    [{ $not: {} }, 'unknown operator "$not"'],
    [JSON.parse('{"__proto__":{"a":1}}'), 'unknown field "__proto__"'],
    [{ constructor: 1 }, 'unknown field "constructor"'],
    [{ $or: {} }, '$or: expected a list'],
    [{ $and: [{ $or: [1] }] }, '$and[0].$or[0]'],
    [{ $or: Array(101).fill({}) }, 'at most 100'],
    [{ name: { $regex: 'a' } }, 'unknown operator "$regex"'],
    [{ name: {} }, 'expected an operator'],
    [{ name: { $ci: true } }, 'expected an operator'],
    [{ name: { $eq: 'a', $ci: 3 } }, 'name.$ci'],
    [{ name: { $eq: {} } }, 'expected text'],
    [{ name: ['a'] }, 'expected text, got a list'],
    [{ name: { $gt: null } }, 'null goes only with'],
    [{ name: { $in: 'a' } }, 'expected a list'],
    [{ name: { $in: Array(101).fill('a') } }, 'at most 100'],
    [{ name: 'x'.repeat(8193) }, 'at most 8192'],
    [{ id: { $eq: 'a', $ne: 'b' } }, 'exactly one operator'],
    [{ id: { $contains: 'a' } }, 'unknown operator "$contains"'],
    [{ creationDate: { $gt: 'soon' } }, 'expected a date'],
    [{ creationDate: { $gt: '' } }, 'expected a date'],
    [{ creationDate: { $contains: '1' } }, 'cannot be used with a date'],
    [{ connectionStatus: 'on' }, 'expected connected'],
    [{ connectionStatus: { $gt: 'connected' } }, 'unknown operator'],
    [{ experienceUserId: 'a' }, 'cannot be used in the query of a group'],
    [{ tags: 'a' }, '$tagKey'],
    [{ tags: { $tagKey: 'a', colour: 'b' } }, 'unknown key "colour"'],
    [{ tags: { $in: [] } }, 'unknown key "$in"'],
    [{ tags: { $tagKey: { $gt: 'a' } } }, '$tagKey'],
    [{ tags: { a: ['b'] } }, 'expected text'],
    [deep(13), 'levels deep'],
    [{ $or: Array(100).fill({ $or: Array(4).fill({ name: 'a' }) }) }, 'at most 300 conditions'],
    [`{"name":"${'x'.repeat(70_000)}"}`, 'at most 65536'],
  ])('%j is refused', async (query, message) => {
    const refusal = await parseQuery('device', query, world).catch((error) => error)
    expect(refusal).toMatchObject({ name: 'Refusal', type: 'Validation', message: expect.stringContaining(message) })
    expect(refusal.message.length).toBeLessThan(700)
  })

  test('may be twelve levels deep and as large as the limits allow', async () => {
    const { app } = await openTestWorld()
    const statuses = { connectionStatus: { $nin: ['unknown', 'invalid'] } }
    for (const query of [
      deep(12),
      { $or: Array(70).fill({ $nor: [{ name: { $ne: 'a' } }] }) },
      { $or: Array(50).fill(statuses) },
    ]) {
      await app.collection('devices').find({ filter: await parseQuery('device', query, world) })
    }
  })
})
