import { beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../../nodes/services/listing.ts'
import type { DeviceDocument } from '../../../server/store/documents/devices.ts'
import type { GroupDocument, UserDocument } from '../../../server/store/documents/people.ts'
import {
  type AppStore,
  type NewDocument,
  type Store,
  StoreError,
  type WriteOperation,
} from '../../../server/store/port.ts'
import { openTenancy } from '../../../server/tenancy/rule.ts'
import { completeOperations, tenancyWrite } from '../../../server/tenancy/write.ts'
import { openTestStore } from '../../helpers/store.ts'

let store: Store
let app: AppStore

beforeEach(async () => {
  store = await openTestStore()
  app = store.app({ tenant: 't', application: 'a'.repeat(24) })
})

const id = (n: number) => n.toString(16).padStart(24, '0')

function group(n: number, given: Partial<GroupDocument> = {}): WriteOperation {
  const document: NewDocument<GroupDocument> = {
    id: id(n),
    name: `g${n}`,
    ancestorIds: [],
    groupTags: {},
    deviceIds: [],
    deviceTags: [],
    ...given,
  }
  return { insert: 'groups', document }
}

function device(n: number, given: Partial<DeviceDocument> = {}): WriteOperation {
  const document: NewDocument<DeviceDocument> = {
    id: id(n),
    name: `d${n}`,
    deviceClass: 'standalone',
    tags: [],
    attributes: [],
    groupIds: [],
    ...given,
  }
  return { insert: 'devices', document }
}

function user(n: number, experienceGroupIds: string[] = []): WriteOperation {
  const document: NewDocument<UserDocument> = {
    id: id(n),
    email: `U${n}@Example.com`,
    emailKey: '',
    userTags: {},
    experienceGroupIds,
  }
  return { insert: 'users', document }
}

const change = (n: number, given: Partial<GroupDocument>): WriteOperation => ({
  update: 'groups',
  id: id(n),
  change: given,
})
const groupsOf = async (n: number) => (await app.collection('devices').get(id(n)))?.groupIds
const above = async (n: number) => (await app.collection('groups').get(id(n)))?.ancestorIds

describe('groups of a device', () => {
  const sources: [name: string, group: Partial<GroupDocument>, matches: boolean][] = [
    ['listed', { deviceIds: [id(100)] }, true],
    ['another listed', { deviceIds: [id(101)] }, false],
    ['tag pair', { deviceTags: [{ key: 'site', value: 'a' }] }, true],
    [
      'one of two tag pairs',
      {
        deviceTags: [
          { key: 'x', value: 'y' },
          { key: 'site', value: 'a' },
        ],
      },
      true,
    ],
    ['key with another value', { deviceTags: [{ key: 'site', value: 'b' }] }, false],
    ['key alone', { deviceTags: [{ key: 'site' }] }, true],
    ['value alone', { deviceTags: [{ value: 'a' }] }, true],
    ['sides of two different tags', { deviceTags: [{ key: 'site', value: 'red' }] }, false],
    ['blank pair', { deviceTags: [{ key: '', value: '' }, {}] }, false],
    ['query on a tag', { deviceQueryJson: '{"tags":{"$eq":{"$tagKey":"site","$tagValue":"a"}}}' }, true],
    ['query on a tag and a name', { deviceQueryJson: '{"tags":{"site":"a"},"name":{"$startsWith":"x"}}' }, false],
    ['query on a name', { deviceQueryJson: '{"name":{"$contains":"D10","$ci":true}}' }, true],
    ['query for everything', { deviceQueryJson: '{"$or":[]}' }, true],
    [
      'query on a tag or a name',
      { deviceQueryJson: '{"$or":[{"tags":{"x":"y"}},{"name":{"$startsWith":"d"}}]}' },
      true,
    ],
    ['query on two tags', { deviceQueryJson: '{"$and":[{"tags":{"color":"red"}},{"tags":{"site":"a"}}]}' }, true],
    ['query on an id', { deviceQueryJson: `{"id":{"$in":["${id(100)}","${id(7)}"]}}` }, true],
    ['query against a tag', { deviceQueryJson: '{"$nor":[{"tags":{"x":"y"}}]}' }, true],
    ['empty object', { deviceQueryJson: '{}' }, true],
    ['query for nothing', { deviceQueryJson: '{"$nor":[]}' }, false],
    ['blank query', { deviceQueryJson: '' }, false],
    ['nothing set', {}, false],
  ]
  const own = device(100, {
    tags: [
      { key: 'site', value: 'a' },
      { key: 'color', value: 'red' },
    ],
  })
  test.each(sources)('%s, group first, device first and in one batch', async (_name, given, matches) => {
    const expected = matches ? [id(1)] : []
    await tenancyWrite(app, [group(1, given)])
    await tenancyWrite(app, [own, device(200)])
    expect(await groupsOf(100)).toEqual(expected)
    await tenancyWrite(app, [{ remove: 'groups', id: id(1) }])
    expect(await groupsOf(100)).toEqual([])
    await tenancyWrite(app, [group(1, given)])
    expect(await groupsOf(100)).toEqual(expected)
    await tenancyWrite(app, [
      { remove: 'groups', id: id(1) },
      { remove: 'devices', id: id(100) },
    ])
    await tenancyWrite(app, [own, group(1, given)])
    expect(await groupsOf(100)).toEqual(expected)
  })

  test('follows a change of tags, of the name and of the group', async () => {
    await tenancyWrite(app, [group(1, { deviceTags: [{ key: 'site', value: 'a' }] }), device(100)])
    await tenancyWrite(app, [{ update: 'devices', id: id(100), change: { tags: [{ key: 'site', value: 'a' }] } }])
    expect(await groupsOf(100)).toEqual([id(1)])
    await tenancyWrite(app, [change(1, { deviceTags: [], deviceQueryJson: '{"name":"d100"}' })])
    expect(await groupsOf(100)).toEqual([id(1)])
    await tenancyWrite(app, [{ update: 'devices', id: id(100), change: { name: 'other' } }])
    expect(await groupsOf(100)).toEqual([])
  })

  test('follows systems that move', async () => {
    const system = (n: number, parentId?: string) => device(n, { deviceClass: 'system', parentId })
    await tenancyWrite(app, [system(1), system(2), system(3, id(2)), device(4, { parentId: id(3) }), device(5)])
    await tenancyWrite(app, [group(10, { deviceQueryJson: `{"ancestorId":"${id(1)}"}` })])
    expect(await groupsOf(4)).toEqual([])
    await tenancyWrite(app, [{ update: 'devices', id: id(2), change: { parentId: id(1) } }])
    for (const below of [2, 3, 4]) expect(await groupsOf(below)).toEqual([id(10)])
    expect(await groupsOf(5)).toEqual([])
    await tenancyWrite(app, [{ remove: 'devices', id: id(3) }])
    expect(await groupsOf(4)).toEqual([])
  })

  test('is kept when the caller brings derived fields of its own', async () => {
    await tenancyWrite(app, [group(1, { ancestorIds: [id(9)], anchors: ['*'] }), device(100, { groupIds: [id(1)] })])
    expect(await groupsOf(100)).toEqual([])
    await tenancyWrite(app, [{ update: 'devices', id: id(100), change: { groupIds: [id(1)] } }])
    expect(await groupsOf(100)).toEqual([])
    expect(await above(1)).toEqual([])
  })
})

describe('the forest', () => {
  beforeEach(() =>
    tenancyWrite(app, [group(3, { parentId: id(2) }), group(1), group(2, { parentId: id(1) }), group(9)]),
  )

  test('an import in any order gets its ancestors', async () => {
    expect(await above(3)).toEqual([id(1), id(2)])
  })

  test('a moved group takes its subtree', async () => {
    await tenancyWrite(app, [change(2, { parentId: id(9) })])
    expect(await above(3)).toEqual([id(9), id(2)])
    await tenancyWrite(app, [change(2, { parentId: undefined })])
    expect(await above(3)).toEqual([id(2)])
  })

  test('children of a removed group go to its parent', async () => {
    await tenancyWrite(app, [{ remove: 'groups', id: id(2) }])
    expect(await app.collection('groups').get(id(3))).toMatchObject({ parentId: id(1), ancestorIds: [id(1)] })
    await tenancyWrite(app, [{ remove: 'groups', id: id(1) }])
    expect((await app.collection('groups').get(id(3)))?.parentId).toBeUndefined()
    expect(await above(3)).toEqual([])
  })

  test('two levels removed at once leave the grandchild at the first that stays', async () => {
    await tenancyWrite(app, [
      { remove: 'groups', id: id(1) },
      { remove: 'groups', id: id(2) },
    ])
    expect(await above(3)).toEqual([])
  })

  test.each([
    ['itself', 1, id(1)],
    ['a group below', 1, id(3)],
    ['a missing group', 1, id(77)],
  ])('refuses %s as parent', async (_name, n, parentId) => {
    await expect(tenancyWrite(app, [change(n, { parentId })])).rejects.toThrow(Refusal)
    expect(await above(1)).toEqual([])
  })

  test('refuses a cycle made by two moves of one batch', async () => {
    const moves = [change(1, { parentId: id(9) }), change(9, { parentId: id(3) })]
    await expect(tenancyWrite(app, moves)).rejects.toThrow('Groups form a tree')
  })

  test('refuses more than 50 levels, also below a moved group', async () => {
    const chain = Array.from({ length: 48 }, (_, i) => group(100 + i, { parentId: i === 0 ? id(9) : id(99 + i) }))
    await tenancyWrite(app, chain)
    expect(await above(147)).toHaveLength(48)
    await tenancyWrite(app, [change(9, { parentId: id(1) })])
    await expect(tenancyWrite(app, [change(9, { parentId: id(2) })])).rejects.toThrow('50 levels')
  })

  test('removal leaves users and endpoints without the group', async () => {
    const endpoint = {
      id: id(500),
      version: 'develop',
      method: 'get',
      route: '/',
      access: 'group' as const,
      enabled: true,
      endpointTags: {},
      experienceGroupIds: [id(2), id(3)],
    }
    await tenancyWrite(app, [user(50, [id(2), id(1)]), { insert: 'endpoints', document: endpoint }])
    await tenancyWrite(app, [{ remove: 'groups', id: id(2) }])
    expect((await app.collection('users').get(id(50)))?.experienceGroupIds).toEqual([id(1)])
    expect((await app.collection('endpoints').get(id(500)))?.experienceGroupIds).toEqual([id(3)])
  })
})

describe('what is refused', () => {
  test.each([
    ['text that is no JSON', '{name'],
    ['users', `{"experienceUserId":"${id(1)}"}`],
    ['groups, deep inside', `{"$and":[{"$nor":[{"experienceGroupId":{"$in":["${id(1)}"]}}]}]}`],
    ['an unknown field', '{"colour":"red"}'],
    ['the time of the last write', '{"lastUpdated":{"$gt":"0"}}'],
  ])('a device query on %s', async (_name, deviceQueryJson) => {
    await expect(tenancyWrite(app, [group(1, { deviceQueryJson })])).rejects.toMatchObject({ type: 'Validation' })
    expect(await app.collection('groups').count()).toBe(0)
  })

  test('a user in a group that does not exist, here or in another application', async () => {
    const other = store.app({ tenant: 't', application: 'b'.repeat(24) })
    await tenancyWrite(other, [group(1)])
    const missing = await tenancyWrite(app, [user(50, [id(2)])]).catch((error: Error) =>
      error.message.replace(id(2), 'x'),
    )
    const foreign = await tenancyWrite(app, [user(50, [id(1)])]).catch((error: Error) =>
      error.message.replace(id(1), 'x'),
    )
    expect(missing).toBe(foreign)
    expect(missing).toMatch('to name groups')
  })

  test("the caller's own conflict, with the index of its operation", async () => {
    await tenancyWrite(app, [group(1), device(100)])
    const stale: WriteOperation[] = [
      change(1, { parentId: undefined }),
      { update: 'devices', id: id(100), change: { name: 'x' }, revision: 9 },
    ]
    await expect(tenancyWrite(app, stale)).rejects.toMatchObject({
      code: 'conflict',
      details: { operation: 1, revision: 1 },
    })
    await expect(tenancyWrite(app, [device(100)])).rejects.toMatchObject({
      code: 'duplicate',
      details: { operation: 0 },
    })
  })
})

describe('writes that cross', () => {
  const tagged = change(1, { deviceTags: [{ key: 'site', value: 'a' }] })
  const tag: WriteOperation = { update: 'devices', id: id(100), change: { tags: [{ key: 'site', value: 'a' }] } }

  // Each process completes on what it has read; the later one must not write what no longer holds.
  test.each([
    ['the group before the device', tagged, tag],
    ['the device before the group', tag, tagged],
  ])('two processes, %s', async (_name, first, second) => {
    await tenancyWrite(app, [group(1), device(100)])
    const late = await completeOperations(app, [second])
    await app.write(await completeOperations(app, [first]))
    await expect(app.write(late)).rejects.toBeInstanceOf(StoreError)
    await app.write(await completeOperations(app, [second]))
    expect(await groupsOf(100)).toEqual([id(1)])
  })

  test('a very first write crosses another', async () => {
    const late = await completeOperations(app, [group(1, { deviceTags: [{ key: 'site' }] })])
    await tenancyWrite(app, [device(100, { tags: [{ key: 'site', value: 'a' }] })])
    await expect(app.write(late)).rejects.toMatchObject({ code: 'duplicate', details: { operation: 0 } })
  })

  test('a write that another process overtakes is done again', async () => {
    await tenancyWrite(app, [group(1), device(100)])
    let overtaken = 0
    const slow: AppStore = {
      ...app,
      async write(operations) {
        if (overtaken++ < 3)
          await app.write(
            await completeOperations(app, [device(200 + overtaken, { tags: [{ key: 'site', value: 'a' }] })]),
          )
        await app.write(operations)
      },
    }
    await tenancyWrite(slow, [tagged])
    expect(overtaken).toBe(4)
    for (const n of [201, 202, 203]) expect(await groupsOf(n)).toEqual([id(1)])
  })

  test('many at once lose nothing', async () => {
    await tenancyWrite(
      app,
      Array.from({ length: 10 }, (_, i) => group(1 + i)),
    )
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => [
        tenancyWrite(app, [change(1 + i, { deviceTags: [{ key: 'n', value: String(i) }] })]),
        tenancyWrite(app, [device(100 + i, { tags: [{ key: 'n', value: String(i) }] })]),
      ]).flat(),
    )
    for (let i = 0; i < 10; i++) expect(await groupsOf(100 + i)).toEqual([id(1 + i)])
  })

  test('a member cannot be put into a group while it is removed', async () => {
    await tenancyWrite(app, [group(1), user(50)])
    const late = await completeOperations(app, [
      { update: 'users', id: id(50), change: { experienceGroupIds: [id(1)] } },
    ])
    await tenancyWrite(app, [{ remove: 'groups', id: id(1) }])
    await expect(app.write(late)).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('verify', () => {
  beforeEach(() =>
    tenancyWrite(app, [
      group(1),
      group(2, { parentId: id(1), deviceIds: [id(100)] }),
      group(3, { parentId: id(1) }),
      device(100),
      device(101),
      user(50, [id(1)]),
      user(51, [id(2)]),
      user(52, [id(3)]),
      user(53),
    ]),
  )

  test.each([
    ['a member of the group', id(100), id(51), true],
    ['a member of the group above', id(100), id(50), true],
    ['by e-mail, in any case', id(100), ' u50@example.COM ', true],
    ['a member of a sibling', id(100), id(52), false],
    ['a member of no group', id(100), id(53), false],
    ['another device', id(101), id(50), false],
    ['an unknown device', id(999), id(50), false],
    ['an unknown user', id(100), id(999), false],
    ['a blank device', '', id(50), false],
    ['a blank user', id(100), '', false],
    ['a malformed device', '../x', id(50), false],
    ['a malformed user', id(100), '%', false],
  ])('%s', async (_name, deviceId, subject, expected) => {
    const answer = await openTenancy(app).verify({ device: deviceId, subject, kind: 'experienceUser' })
    expect(answer).toBe(expected)
  })

  test('for groups: the devices of a group and of all below', async () => {
    const { verify } = openTenancy(app)
    const ask = (n: string) => verify({ device: id(100), subject: n, kind: 'experienceGroup' })
    expect(await Promise.all([id(1), id(2), id(3), '', id(999)].map(ask))).toEqual([true, true, false, false, false])
  })

  test('of groups: members of the group or of one above', async () => {
    const { verifyGroup } = openTenancy(app)
    const ask = (user: string, group: string) => verifyGroup({ user, group })
    expect(await ask(id(50), id(2))).toBe(true)
    expect(await ask(id(51), id(2))).toBe(true)
    expect(await ask(id(51), id(1))).toBe(false)
    expect(await ask(id(52), id(2))).toBe(false)
    expect(await ask('', id(2))).toBe(false)
    expect(await ask(id(50), '')).toBe(false)
    expect(await ask(id(50), id(999))).toBe(false)
  })

  test('who can see a device', async () => {
    const { whoCanSee, deviceCounts } = openTenancy(app)
    expect(await whoCanSee(id(100))).toEqual({ direct: [id(2)], above: [id(1)], userIds: [id(50), id(51)] })
    expect(await whoCanSee(id(999))).toEqual({ direct: [], above: [], userIds: [] })
    expect(await deviceCounts(id(1))).toEqual({ direct: 0, total: 1 })
  })
})
