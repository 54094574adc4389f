import { describe, expect, test } from 'vitest'
import type { Tag } from '../../../server/store/documents/document.ts'
import type { Filter, Scalar, Store } from '../../../server/store/port.ts'
import { adapters, idOf, own, strangers } from './adapters.ts'

interface Device {
  name: string
  parentId?: string
  tags?: Tag[]
  attributes?: string[]
  groupIds?: string[]
  connection?: { connected: 0 | 1; time: number }
}

/** Devices by the key that the tests know them by. */
async function insertDevices(store: Store, devices: Record<string, Device>, scope = own) {
  const collection = store.app(scope).collection('devices')
  const keys = new Map<string, string>()
  for (const [n, [key, device]] of Object.entries(devices).entries()) {
    const attributes = (device.attributes ?? []).map((name) => ({
      name,
      dataType: 'number' as const,
      attributeTags: {},
    }))
    const document = { deviceClass: 'standalone', tags: [], groupIds: [], ...device, attributes, id: idOf(n + 1) }
    await collection.insert(document)
    keys.set(document.id, key)
  }
  /** Asked in every way there is; they must agree. */
  return async (filter: Filter) => {
    const found = await collection.find({ filter })
    const ids = found.map(({ id }) => id)
    for (const id of keys.keys()) expect(await collection.matches(id, filter)).toBe(ids.includes(id))
    expect(await collection.count(filter)).toBe(ids.length)
    expect((await collection.first(filter))?.id).toBe(ids[0])
    const each = []
    for await (const { id } of collection.each(filter)) each.push(id)
    expect(each).toEqual(ids)
    const sorted = await collection.find({ filter, sort: { field: 'name', direction: 'desc' } })
    expect(new Set(sorted.map(({ id }) => id))).toEqual(new Set(ids))
    return ids.map((id) => keys.get(id)).join(' ')
  }
}

const texts: Record<string, Device> = {
  a: { name: 'Pump', parentId: idOf(50), connection: { connected: 1, time: 100 } },
  b: { name: 'pump', connection: { connected: 0, time: 200 } },
  c: { name: 'PUMP 100%_' },
  d: { name: "O'Neill; DROP TABLE devices" },
  e: { name: 'É' },
  f: { name: 'nul\0after' },
}

const compared: [field: string, op: string, value: Scalar | Scalar[], ignoreCase: boolean, expected: string][] = [
  ['name', 'eq', 'pump', false, 'b'],
  ['name', 'eq', 'pump', true, 'a b'],
  ['name', 'eq', 'e\u0301', true, 'e'],
  ['name', 'eq', 'e\u0301', false, ''],
  ['name', 'ne', 'pump', false, 'a c d e f'],
  ['name', 'ne', 'PUMP', true, 'c d e f'],
  ['name', 'gt', 'Pump', false, 'b e f'],
  ['name', 'startsWith', 'PUMP', false, 'c'],
  ['name', 'startsWith', 'pu', true, 'a b c'],
  ['name', 'startsWith', '', false, 'a b c d e f'],
  ['name', 'startsWith', 'P%', false, ''],
  ['name', 'startsWith', '_ump', false, ''],
  ['name', 'endsWith', '%_', false, 'c'],
  ['name', 'endsWith', 'MP', true, 'a b'],
  ['name', 'endsWith', 'a longer text than any name here has', false, ''],
  ['name', 'endsWith', 'ter', false, 'f'],
  ['name', 'contains', '%', false, 'c'],
  ['name', 'contains', '_', false, 'c'],
  ['name', 'contains', "'", false, 'd'],
  ['name', 'contains', '\0a', false, 'f'],
  ['name', 'contains', 'UM', true, 'a b c'],
  ['name', 'contains', "' OR 1=1 --", false, ''],
  ['name', 'eq', 5, false, ''],
  ['name', 'gt', 5, false, ''],
  ['name', 'contains', 5, false, ''],
  ['name', 'in', ['pump', "O'Neill; DROP TABLE devices", 'x'], false, 'b d'],
  ['name', 'in', [], false, ''],
  ['name', 'in', Array.from({ length: 40 }, (_, n) => (n === 39 ? 'É' : `n${n}`)), false, 'e'],
  ['parentId', 'eq', null, false, 'b c d e f'],
  ['parentId', 'ne', null, false, 'a'],
  ['parentId', 'ne', 'x', false, 'a b c d e f'],
  ['parentId', 'in', [null, 'x'], false, 'b c d e f'],
  ['parentId', 'gt', null, false, ''],
  ['parentId', 'lt', 'zzz', false, 'a'],
  ['connection.connected', 'eq', 1, false, 'a'],
  ['connection.connected', 'eq', true, false, ''],
  ['connection.connected', 'ne', 1, false, 'b c d e f'],
  ['connection.connected', 'in', [0, 1], false, 'a b'],
  ['connection.connected', 'in', [true, false], false, ''],
  ['connection.connected', 'eq', null, false, 'c d e f'],
  ['connection.time', 'gt', 100, false, 'b'],
  ['connection.time', 'gte', 100, false, 'a b'],
  ['connection.time', 'lt', 200, false, 'a'],
  ['connection.time', 'lte', 200, false, 'a b'],
  ['connection.time', 'gt', 'text', false, ''],
  ['connection.time', 'lt', 'text', false, ''],
  ['id', 'eq', idOf(2), false, 'b'],
  ['id', 'ne', idOf(2), false, 'a c d e f'],
  ['id', 'in', [idOf(2), idOf(4)], false, 'b d'],
  ['id', 'gt', idOf(4), false, 'e f'],
  ['id', 'eq', null, false, ''],
]

const tagged: Record<string, Device> = {
  a: {
    name: 'a',
    tags: [
      { key: 'site', value: 'North' },
      { key: 'floor', value: '2' },
    ],
    attributes: ['temp', 'Speed'],
  },
  b: { name: 'b', tags: [{ key: 'site', value: '2' }], attributes: ['temperature'] },
  c: { name: 'c', tags: [{ key: '__proto__', value: 'constructor' }], attributes: ['__proto__'] },
  d: { name: 'd' },
}

const listed: [filter: Filter, expected: string][] = [
  [{ tag: 'tags' }, 'a b c'],
  [{ not: { tag: 'tags' } }, 'd'],
  [{ tag: 'tags', key: { in: ['site'] } }, 'a b'],
  [{ tag: 'tags', value: { in: ['2'] } }, 'a b'],
  // One tag fits both sides: a has the key and the value, on two tags.
  [{ tag: 'tags', key: { in: ['site'] }, value: { in: ['2'] } }, 'b'],
  [{ tag: 'tags', key: { in: ['site'] }, value: { notIn: ['2'] } }, 'a'],
  [{ tag: 'tags', key: { notIn: ['site'] } }, 'a c'],
  [{ tag: 'tags', key: { in: [] } }, ''],
  [{ tag: 'tags', key: { notIn: [] } }, 'a b c'],
  [{ tag: 'tags', key: { in: ['__proto__'] }, value: { in: ['constructor'] } }, 'c'],
  [{ tag: 'tags', key: { in: ['SITE'] } }, ''],
  [{ list: 'attributes.name', has: ['temp'] }, 'a'],
  [{ list: 'attributes.name', has: ['temp', 'temperature'] }, 'a b'],
  [{ list: 'attributes.name', has: [] }, ''],
  [{ list: 'attributes.name', has: ['__proto__'] }, 'c'],
  [{ list: 'attributes.name', op: 'eq', value: 'speed' }, ''],
  [{ list: 'attributes.name', op: 'eq', value: 'speed', ignoreCase: true }, 'a'],
  [{ list: 'attributes.name', op: 'ne', value: 'temp' }, 'b c d'],
  [{ list: 'attributes.name', op: 'startsWith', value: 'temp' }, 'a b'],
  [{ list: 'attributes.name', op: 'contains', value: 'per' }, 'b'],
  [{ list: 'attributes.name', op: 'gt', value: 'temp' }, 'b'],
  [{ all: [] }, 'a b c d'],
  [{ any: [] }, ''],
  [{ not: { all: [] } }, ''],
  [{ not: { any: [] } }, 'a b c d'],
  [{ all: [{ any: [] }] }, ''],
  [{ any: [{ all: [] }] }, 'a b c d'],
  [
    {
      any: [
        { tag: 'tags', key: { in: ['floor'] } },
        { field: 'id', op: 'eq', value: idOf(4) },
      ],
    },
    'a d',
  ],
  [
    {
      any: [
        { list: 'attributes.name', has: ['temp'] },
        { field: 'name', op: 'contains', value: 'd' },
      ],
    },
    'a d',
  ],
  [{ all: [{ tag: 'tags', key: { in: ['site'] } }, { not: { list: 'attributes.name', has: ['temp'] } }] }, 'b'],
  // Absent is not equal: the complement of an answer is the rest, whatever is absent.
  [{ not: { field: 'parentId', op: 'eq', value: 'x' } }, 'a b c d'],
  [{ not: { field: 'parentId', op: 'gt', value: 'x' } }, 'a b c d'],
  [
    {
      not: {
        any: [
          { field: 'parentId', op: 'eq', value: 'x' },
          { field: 'name', op: 'eq', value: 'a' },
        ],
      },
    },
    'b c d',
  ],
  [{ not: { not: { field: 'parentId', op: 'lt', value: 'x' } } }, ''],
]

for (const adapter of adapters) {
  describe(`${adapter.name}: filters`, () => {
    test('compare fields of one value', async () => {
      const ask = await insertDevices(await adapter.open(), texts)
      for (const [field, op, value, ignoreCase, expected] of compared) {
        const filter = { field, op, value, ignoreCase } as Filter
        expect([filter, await ask(filter)]).toEqual([filter, expected])
      }
    })

    test('look into lists and tags and combine by logic', async () => {
      const ask = await insertDevices(await adapter.open(), tagged)
      for (const [filter, expected] of listed) expect([filter, await ask(filter)]).toEqual([filter, expected])
    })

    test('find a tag that lacks a side by empty text', async () => {
      const groups = (await adapter.open()).app(own).collection('groups')
      const given = { name: 'g', ancestorIds: [], groupTags: { kind: 'site' }, deviceIds: [] }
      const { id } = await groups.insert({ ...given, deviceTags: [{ key: 'k' }, { value: 'v' }] })
      const count = (key: string, value: string) =>
        groups.count({ tag: 'deviceTags', key: { in: [key] }, value: { in: [value] } })
      expect([await count('k', ''), await count('', 'v'), await count('k', 'v')]).toEqual([1, 1, 0])
      expect(await groups.matches(id, { tag: 'groupTags', key: { in: ['kind'] }, value: { in: ['site'] } })).toBe(true)
    })

    test('tell true from 1', async () => {
      const files = (await adapter.open()).app(own).collection('files')
      const file = { path: '/a', contentType: 'text/plain', sizeBytes: 1, blob: 'b', sha256: '' }
      const hidden = await files.insert({ ...file, private: true })
      const open = await files.insert({ ...file, private: false })
      for (const one of [hidden, open]) {
        const filter: Filter = {
          all: [
            { field: 'path', op: 'eq', value: '/a' },
            { field: 'private', op: 'eq', value: one.private },
          ],
        }
        expect(await files.find({ filter })).toEqual([one])
        expect(await files.find({ filter, skip: 1 })).toEqual([])
      }
      expect(await files.count({ field: 'private', op: 'eq', value: true })).toBe(1)
      expect(await files.count({ field: 'private', op: 'ne', value: true })).toBe(1)
      expect(await files.count({ field: 'private', op: 'gte', value: false })).toBe(2)
      expect(await files.count({ field: 'private', op: 'in', value: [true] })).toBe(1)
      expect(await files.count({ field: 'private', op: 'eq', value: 1 })).toBe(0)
    })

    test('order text without case, absent first, then by id, in both directions', async () => {
      const devices = (await adapter.open()).app(own).collection('devices')
      const names = ['beta', 'Alpha', 'BETA', 'élan', 'E\u0301LAN', 'alpha 2']
      for (const [n, name] of names.entries()) {
        const document = { id: idOf(n), name, deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] }
        await devices.insert(n === 2 ? { ...document, parentId: idOf(1) } : document)
      }
      const inOrder = async (field: string, direction: 'asc' | 'desc') =>
        (await devices.find({ sort: { field, direction } })).map(({ id }) => Number.parseInt(id, 16))
      expect(await inOrder('name', 'asc')).toEqual([1, 5, 0, 2, 3, 4])
      expect(await inOrder('name', 'desc')).toEqual([4, 3, 2, 0, 5, 1])
      expect(await inOrder('parentId', 'asc')).toEqual([0, 1, 3, 4, 5, 2])
    })

    test('refuse what is not declared and what is too large', async () => {
      const app = (await adapter.open()).app(own)
      const devices = app.collection('devices')
      await app
        .collection('groups')
        .insert({ name: 'g', ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: [] })
      const refused: [Filter, string][] = [
        [{ field: 'secret', op: 'eq', value: 1 }, 'field'],
        [{ field: '__proto__', op: 'eq', value: 1 }, 'field'],
        [{ field: 'name" = 1 OR 1=1 --', op: 'eq', value: 1 }, 'field'],
        [{ list: 'tags', has: ['x'] }, 'field'],
        [{ tag: 'groupIds' }, 'field'],
        [{ any: Array.from({ length: 1001 }, () => ({ all: [] })) }, 'limit'],
        [Array.from({ length: 60 }).reduce<Filter>((inner) => ({ not: inner }), { all: [] }), 'limit'],
      ]
      for (const [filter, code] of refused) {
        await expect(devices.find({ filter })).rejects.toMatchObject({ code })
        await expect(devices.count(filter)).rejects.toMatchObject({ code })
        await expect(devices.matches(idOf(1), filter)).rejects.toMatchObject({ code })
      }
      await expect(devices.find({ sort: { field: 'tags', direction: 'asc' } })).rejects.toMatchObject({ code: 'field' })
      await expect(app.collection('groups').find({ filter: { within: [idOf(1)] } })).rejects.toMatchObject({
        code: 'field',
      })
      // The largest that is allowed, in width and in depth at once.
      const wide: Filter[] = Array.from({ length: 19 }, (_, n) => ({ field: 'name', op: 'contains', value: `${n}` }))
      const deep = Array.from({ length: 48 }).reduce<Filter>((inner) => ({ any: [...wide, inner] }), { any: [] })
      expect(await devices.find({ filter: deep })).toEqual([])
    })

    test('within gives the devices of groups and of groups below, once each', async () => {
      const store = await adapter.open()
      const [root, left, right, leaf] = [idOf(101), idOf(102), idOf(103), idOf(104)]
      const above: Record<string, string[]> = { [root]: [], [left]: [root], [right]: [root], [leaf]: [root, left] }
      for (const scope of [own, ...strangers]) {
        for (const [id, ancestorIds] of Object.entries(above)) {
          const group = { id, name: 'g', ancestorIds, groupTags: {}, deviceIds: [], deviceTags: [] }
          await store.app(scope).collection('groups').insert(group)
        }
      }
      const devices = {
        a: { name: 'a', groupIds: [root] },
        b: { name: 'b', groupIds: [left, leaf] },
        c: { name: 'c', groupIds: [leaf] },
        d: { name: 'd', groupIds: [right] },
        e: { name: 'e' },
        f: { name: 'f', groupIds: [idOf(404)] },
      }
      const ask = await insertDevices(store, devices)
      // The same groups in other applications hold other devices.
      for (const stranger of strangers) {
        const askStranger = await insertDevices(store, { x: { name: 'x', groupIds: [leaf] } }, stranger)
        expect(await askStranger({ within: [root] })).toBe('x')
      }
      expect(await ask({ within: [root] })).toBe('a b c d')
      expect(await ask({ within: [left] })).toBe('b c')
      expect(await ask({ within: [leaf] })).toBe('b c')
      expect(await ask({ within: [leaf, right] })).toBe('b c d')
      expect(await ask({ within: [] })).toBe('')
      expect(await ask({ within: ["'"] })).toBe('')
      expect(await ask({ within: Array.from({ length: 20 }, (_, n) => idOf(90 + n)) })).toBe('a b c d')
      expect(await ask({ not: { within: [left] } })).toBe('a d e f')
      expect(await ask({ all: [{ within: [root] }, { field: 'name', op: 'gt', value: 'b' }] })).toBe('c d')
    })
  })
}
