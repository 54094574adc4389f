import { beforeEach, describe, expect, test } from 'vitest'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld
const user = async (name: string, experienceGroupIds: string[] = []) =>
  (await world.users.create({ email: `${name}@x.y`, password: '12345678', experienceGroupIds })).id
const members = async (id: string) => (await world.groups.get(id))?.experienceUserIds

beforeEach(async () => {
  world = await openTestWorld()
})

describe('a group', () => {
  test('is shown with its direct members and endpoints', async () => {
    const top = await world.groups.create({ name: 'top' })
    const group = await world.groups.create({
      name: 'g',
      parentId: top.id,
      groupTags: { a: 'b' },
      deviceQueryJson: { $nor: [] },
    })
    const ann = await user('ann', [group.id])
    await user('bob', [top.id])
    await world.other.groups.create({ name: 'foreign' })
    expect(await world.groups.get(group.id)).toEqual({
      id: group.id,
      experienceGroupId: group.id,
      applicationId: 'a'.repeat(24),
      name: 'g',
      description: '',
      parentId: top.id,
      ancestorIds: [top.id],
      experienceUserIds: [ann],
      experienceEndpointIds: [],
      groupTags: { a: 'b' },
      deviceIds: [],
      deviceTags: [],
      deviceQueryJson: '{"$nor":[]}',
      creationDate: expect.stringMatching(/Z$/),
      lastUpdated: expect.stringMatching(/Z$/),
    })
  })

  test.each([
    ['without a name', {}, 'name'],
    ['below nothing', { name: 'x', parentId: '0'.repeat(24) }, 'parentId'],
    ['with an unknown member', { name: 'x', experienceUserIds: ['0'.repeat(24)] }, 'member'],
    ['with an unknown endpoint', { name: 'x', experienceEndpointIds: ['0'.repeat(24)] }, 'experienceEndpointIds'],
    ['with a pair without sides', { name: 'x', deviceTags: [{}] }, 'deviceTags[0]'],
    ['with a query that is none', { name: 'x', deviceQueryJson: '{' }, 'JSON'],
    ['with a query on users', { name: 'x', deviceQueryJson: '{"experienceUserId":"a"}' }, 'experienceUserId'],
    ['with ancestors', { name: 'x', ancestorIds: [] }, 'Unknown field "ancestorIds"'],
  ])('%s is refused', async (_name, body, place) => {
    await expect(world.groups.create(body)).rejects.toMatchObject({
      type: 'Validation',
      message: expect.stringContaining(place),
    })
    expect(await world.app.collection('groups').count()).toBe(0)
  })

  test('has members added, removed and replaced, by id or e-mail, each once', async () => {
    const [ann, bob, carl] = [await user('ann'), await user('bob'), await user('carl')]
    const { id } = await world.groups.create({ name: 'g', experienceUserIds: [ann] })
    await world.groups.update(
      id,
      {},
      { membersToAdd: [bob, 'BOB@x.y', '', bob], membersToRemove: ['ann@x.y', 'nobody@x.y'] },
    )
    expect(await members(id)).toEqual([bob])
    await world.groups.update(id, { name: 'h' }, { membersReplacement: ['carl@x.y', ann, carl] })
    expect(await members(id)).toEqual([ann, carl].sort())
    await world.groups.update(id, { experienceUserIds: [] })
    expect(await members(id)).toEqual([])
    const unknown = world.groups.update(id, { name: 'never' }, { membersToAdd: [ann, 'nobody@x.y'] })
    await expect(unknown).rejects.toMatchObject({ type: 'Validation', message: expect.stringContaining('nobody@x.y') })
    expect(await world.groups.get(id)).toMatchObject({ name: 'h', experienceUserIds: [] })
  })

  test('keeps all members added at the same time', async () => {
    const ids = await Promise.all(['a', 'b', 'c', 'd'].map((name) => user(name)))
    const [g, h] = [await world.groups.create({ name: 'g' }), await world.groups.create({ name: 'h' })]
    await Promise.all(
      ids.flatMap((one) => [g, h].map(({ id }) => world.groups.update(id, {}, { membersToAdd: [one] }))),
    )
    expect(await members(g.id)).toEqual(ids.sort())
    expect(await members(h.id)).toEqual(ids.sort())
  })

  test('merges tags, and has its query and parent removed by null', async () => {
    const top = await world.groups.create({ name: 'top' })
    const { id } = await world.groups.create({
      name: 'g',
      parentId: top.id,
      groupTags: { a: '1', b: '2' },
      deviceQueryJson: '{}',
    })
    const group = await world.groups.update(
      id,
      { parentId: null, deviceQueryJson: null },
      { mergeTags: [{ key: 'a' }, { key: 'c', value: '3' }] },
    )
    expect(group).toMatchObject({
      groupTags: { b: '2', c: '3' },
      parentId: null,
      ancestorIds: [],
      deviceQueryJson: null,
    })
    await expect(world.groups.update(top.id, { parentId: top.id })).rejects.toMatchObject({ type: 'Validation' })
    await expect(world.groups.update('0'.repeat(24), {})).rejects.toMatchObject({ type: 'NotFound' })
  })

  test('restricts endpoints', async () => {
    const endpoint = await world.app.collection('endpoints').insert({
      ...{
        version: 'develop',
        method: 'get',
        route: '/',
        access: 'group',
        enabled: true,
        endpointTags: {},
        experienceGroupIds: [],
      },
    })
    const { id } = await world.groups.create({ name: 'g', experienceEndpointIds: [endpoint.id] })
    const find = async (query: object) =>
      (await world.groups.find({ by: 'query', query }, {})).items.map((one) => one.name)
    expect(await find({ experienceEndpointId: endpoint.id })).toEqual(['g'])
    expect((await world.groups.get(id))?.experienceEndpointIds).toEqual([endpoint.id])
    await world.groups.update(id, { experienceEndpointIds: [] })
    expect((await world.app.collection('endpoints').get(endpoint.id))?.experienceGroupIds).toEqual([])
  })

  test('is removed, leaving members and children', async () => {
    const top = await world.groups.create({ name: 'top' })
    const { id } = await world.groups.create({ name: 'g', parentId: top.id })
    const leaf = await world.groups.create({ name: 'leaf', parentId: id })
    const ann = await user('ann', [id])
    expect(await world.groups.remove(id)).toBe(true)
    expect(await world.groups.remove(id)).toBe(false)
    expect(await world.groups.get(leaf.id)).toMatchObject({ parentId: top.id, ancestorIds: [top.id] })
    expect((await world.users.get(ann))?.experienceGroups).toEqual([])
  })
})

describe('finding groups', () => {
  test('by id, name, tags, tree and member', async () => {
    const top = await world.groups.create({ name: 'top', groupTags: { kind: 'x' } })
    const low = await world.groups.create({ name: 'low', parentId: top.id, groupTags: { kind: 'y', more: 'z' } })
    const leaf = await world.groups.create({ name: 'leaf', parentId: low.id })
    const ann = await user('ann', [low.id])
    const find = async (criteria: Parameters<typeof world.groups.find>[0]) =>
      (await world.groups.find(criteria, {})).items.map((one) => one.name)
    const query = (one: object) => find({ by: 'query', query: one })
    expect(await find({ by: 'id', id: low.id })).toEqual(['low'])
    expect(await find({ by: 'id', id: '' })).toEqual([])
    expect(await find({ by: 'name', name: 'low' })).toEqual(['low'])
    expect(await find({ by: 'name', name: '' })).toEqual([])
    expect(await find({ by: 'allTags', tags: [{ key: 'kind' }, { value: 'z' }] })).toEqual(['low'])
    expect(await find({ by: 'anyTags', tags: [{ value: 'x' }, { value: 'z' }] })).toEqual(['low', 'top'])
    expect(await find({ by: 'allTags', tags: [] })).toEqual([])
    expect(await query({})).toEqual(['leaf', 'low', 'top'])
    expect(await query({ parentId: null })).toEqual(['top'])
    expect(await query({ ancestorId: top.id })).toEqual(['leaf', 'low'])
    expect(await query({ experienceUserId: ann })).toEqual(['low'])
    expect(await query({ experienceUserId: '' })).toEqual([])
    expect(await query({ id: { $in: [leaf.id, top.id] } })).toEqual(['leaf', 'top'])
  })

  test('as a tree, siblings by name, with children on every node', async () => {
    const b = await world.groups.create({ name: 'b' })
    const a = await world.groups.create({ name: 'A' })
    const c = await world.groups.create({ name: 'c', parentId: b.id })
    const leaf = { id: c.id, name: 'c', children: [] }
    expect(await world.groups.summary()).toEqual({
      id: '(root)',
      name: '(root)',
      children: [
        { id: a.id, name: 'A', children: [] },
        { id: b.id, name: 'b', children: [leaf] },
      ],
    })
    expect(await world.groups.summary(b.id)).toEqual({ id: b.id, name: 'b', children: [leaf] })
    expect(await world.groups.summary('0'.repeat(24))).toBeUndefined()
    expect(await world.other.groups.summary()).toEqual({ id: '(root)', name: '(root)', children: [] })
  })
})
