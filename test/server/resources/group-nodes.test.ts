import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
let top: string
let low: string
let ann: string
let bob: string
let pump: string
const CREATE = 'CreateExperienceGroupNode'
const GET = 'GetExperienceGroupNode'
const UPDATE = 'UpdateExperienceGroupNode'
const unknownId = '0'.repeat(24)
const refusal = (type: string, part = '') => ({ error: { type, message: expect.stringContaining(part) } })
const names = (found: unknown) => (found as { name: string }[]).map(({ name }) => name)

beforeEach(async () => {
  run = await openRunning()
  const user = async (email: string) => (await run.users.create({ email, password: '12345678' })).id
  ann = await user('ann@x.y')
  bob = await user('bob@x.y')
  pump = (await run.devices.create({ name: 'pump', tags: [{ key: 'group', value: 'g' }] }, {})).id
  top = (await run.groups.create({ name: 'top', groupTags: { level: '0', kind: 'a' }, experienceUserIds: [ann] })).id
  low = (await run.groups.create({ name: 'low', parentId: top, groupTags: { level: '1', kind: 'a' } })).id
  await run.groups.create({ name: 'Other' })
})

const payloadOf = (more: Payload = {}) => ({ top, low, ann, bob, ...more })
const devicesOf = async (groupId: unknown) =>
  names(await run.result('GetDeviceNode', { findMethod: 'experienceGroupId', idTemplate: groupId, findMultiple: true }))

describe('Group: Create', () => {
  test('makes a group below another from its fields', async () => {
    const group = await run.result(
      CREATE,
      {
        nameTemplate: '{{name}}',
        descriptionTemplate: '{{nothing}}',
        parentIdTemplate: ' {{low}} ',
        groupTagTemplates: [
          { keyTemplate: 'a', valueTemplate: 'b' },
          { keyTemplate: 'c', valueTemplate: '{{nothing}}' },
        ],
        deviceQueryJsonTemplate: '{"$nor":[]}',
      },
      payloadOf({ name: 'A & B' }),
    )
    expect(group).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      experienceGroupId: (group as Payload).id,
      applicationId: 'a'.repeat(24),
      name: 'A & B',
      description: '',
      parentId: low,
      ancestorIds: [top, low],
      experienceUserIds: [],
      experienceEndpointIds: [],
      groupTags: { a: 'b' },
      deviceIds: [],
      deviceTags: [],
      deviceQueryJson: '{"$nor":[]}',
      creationDate: expect.any(String),
      lastUpdated: expect.any(String),
    })
    expect(await devicesOf((group as Payload).id)).toEqual([])
  })

  test('without a parent it is a root, without a query it has no devices', async () => {
    const group = (await run.result(CREATE, {
      nameTemplate: 'x',
      parentIdTemplate: '',
      deviceQueryJsonTemplate: '',
    })) as Payload
    expect(group).toMatchObject({ parentId: null, ancestorIds: [], deviceQueryJson: null })
    expect(await devicesOf(group.id)).toEqual([])
  })

  test.each([
    ['jsonTemplate', { groupJsonTemplate: '{{{jsonEncode body}}}' }],
    ['payloadPath', { groupPayloadPath: 'body' }],
  ])('makes a group by %s', async (dataMethod, config) => {
    const body = { name: 'x', experienceUserIds: [bob], deviceTags: [{ key: 'group' }], parentId: null }
    const group = (await run.result(CREATE, { dataMethod, ...config }, { body })) as Payload
    expect(group).toMatchObject({ experienceUserIds: [bob], deviceTags: [{ key: 'group' }] })
    expect(await devicesOf(group.id)).toEqual(['pump'])
  })

  test.each<[string, Payload, string]>([
    ['no name', { nameTemplate: '{{nothing}}' }, 'name'],
    ['an unknown parent', { nameTemplate: 'x', parentIdTemplate: unknownId }, 'parentId'],
    ['a malformed parent', { nameTemplate: 'x', parentIdTemplate: 'top' }, 'parentId'],
    ['a query with unknown fields', { nameTemplate: 'x', deviceQueryJsonTemplate: '{"colour":1}' }, 'colour'],
    ['no body', { dataMethod: 'payloadPath', groupPayloadPath: 'nothing' }, 'object'],
  ])('refuses %s', async (_, config, part) => {
    expect(await run.result(CREATE, config)).toEqual(refusal('Validation', part))
    expect(await run.app.collection('groups').count()).toBe(3)
  })
})

describe('Group: Get', () => {
  test.each<[string, Payload, string | null]>([
    ['an id', { idTemplate: '{{low}}' }, 'low'],
    ['the id, whatever is said about many', { idTemplate: '{{low}}', findMultiple: true, findMetadata: true }, 'low'],
    ['a name', { findMethod: 'name', idTemplate: 'top', findMultiple: true }, 'top'],
    ['a name in another case', { findMethod: 'name', idTemplate: 'TOP' }, null],
    ['a blank name', { findMethod: 'name', idTemplate: '{{nothing}}' }, null],
    ['a blank', { idTemplate: '{{nothing}}' }, null],
    ['an unknown id', { idTemplate: unknownId }, null],
    ['a malformed id', { idTemplate: 'low' }, null],
  ])('finds by %s', async (_, config, name) => {
    const found = (await run.result(GET, config, payloadOf())) as { name: string } | null
    expect(found === null ? null : found.name).toBe(name)
  })

  test.each<[Payload, string[]]>([
    [
      {
        findMethod: 'findByAllTags',
        tags: [
          { keyTemplate: 'kind', valueTemplate: '' },
          { keyTemplate: 'level', valueTemplate: '1' },
        ],
      },
      ['low'],
    ],
    [
      {
        findMethod: 'findByAnyTags',
        groupTags: [
          { keyTemplate: 'level', valueTemplate: '0' },
          { keyTemplate: '', valueTemplate: '1' },
        ],
      },
      ['low', 'top'],
    ],
    [{ findMethod: 'findByAllTags', tags: [] }, []],
    [{ findMethod: 'query', queryTemplate: '{"ancestorId":"{{top}}"}' }, ['low']],
    [{ findMethod: 'query', queryTemplate: '{"parentId":null}', sortDirection: 'desc' }, ['top', 'Other']],
    [{ findMethod: 'query', queryTemplate: '{"experienceUserId":"{{ann}}"}' }, ['top']],
    [
      { findMethod: 'query', queryTemplate: '{"groupTags":{"$eq":{"$tagKey":"kind","$tagValue":"a"}}}' },
      ['low', 'top'],
    ],
    [{ findMethod: 'query', queryTemplate: '' }, ['low', 'Other', 'top']],
  ])('finds by %j', async (config, expected) => {
    expect(names(await run.result(GET, { findMultiple: true, ...config }, payloadOf()))).toEqual(expected)
    const one = (await run.result(GET, config, payloadOf())) as { name: string } | null
    expect(one === null ? undefined : one.name).toBe(expected[0])
    const page = { findMultiple: true, findMetadata: true, resultsPerPage: '1', ...config }
    expect(await run.result(GET, page, payloadOf())).toMatchObject({
      count: Math.min(1, expected.length),
      totalCount: expected.length,
      perPage: 1,
      sortField: 'name',
    })
  })

  test('puts a refused query at the path', async () => {
    expect(await run.result(GET, { findMethod: 'query', queryTemplate: '{"x":1}' })).toEqual(refusal('Validation'))
  })
})

describe('Group: Update', () => {
  const update = (config: Payload, payload?: Payload) =>
    run.result(UPDATE, { groupIdTemplate: '{{low}}', ...config }, payloadOf(payload))

  test('changes what is given; tags merge', async () => {
    const tags = [
      { keyTemplate: 'level', valueTemplate: '{{two}}' },
      { keyTemplate: 'kind' },
      { keyTemplate: 'n', valueTemplate: 'v' },
    ]
    const group = (await update(
      {
        nameTemplate: '',
        descriptionTemplate: 'd',
        parentIdTemplate: '',
        deviceQueryJsonTemplate: '',
        groupTags: tags,
      },
      { two: 2 },
    )) as Payload
    expect(group).toMatchObject({ name: 'low', description: 'd', parentId: top, deviceQueryJson: null })
    expect(group.groupTags).toEqual({ level: '2', n: 'v' })
  })

  test('gives a group the devices of a query, and keeps it when the next update says nothing', async () => {
    await update(
      { deviceQueryJsonTemplate: '{"tags":{"$eq":{"$tagKey":"group","$tagValue":"{{value}}"}}}' },
      { value: 'g' },
    )
    expect(await devicesOf(low)).toEqual(['pump'])
    await update({ nameTemplate: 'renamed', deviceQueryJsonTemplate: '' })
    expect(await devicesOf(top)).toEqual(['pump'])
    await update({ deviceQueryJsonTemplate: 'null' })
    expect(await devicesOf(low)).toEqual([])
  })

  test('moves a group, to the top by the word null, never below itself', async () => {
    expect(await update({ parentIdTemplate: 'null' })).toMatchObject({ parentId: null, ancestorIds: [] })
    expect(await update({ parentIdTemplate: '{{top}}' })).toMatchObject({ parentId: top, ancestorIds: [top] })
    expect(await run.result(UPDATE, { groupIdTemplate: top, parentIdTemplate: low })).toEqual(refusal('Validation'))
    expect(await update({ parentIdTemplate: low })).toEqual(refusal('Validation'))
  })

  test('adds, removes and replaces members by id or address', async () => {
    expect(await update({ membersToAdd: ['{{ann}}', ' BOB@x.y ', '{{nothing}}', '{{bob}}'] })).toMatchObject({
      experienceUserIds: [ann, bob].sort(),
    })
    expect(await update({ membersToRemove: ['ann@x.y', 'nobody@x.y'] })).toMatchObject({ experienceUserIds: [bob] })
    expect(await update({ membersReplacement: ['{{all}}'] }, { all: [ann] })).toMatchObject({
      experienceUserIds: [ann],
    })
    expect(await update({ membersReplacement: '' })).toMatchObject({ experienceUserIds: [ann] })
    expect(await update({ membersReplacement: [] })).toMatchObject({ experienceUserIds: [] })
    expect(await run.users.get(ann)).toMatchObject({ experienceGroups: [{ id: top }] })
  })

  test('takes a body', async () => {
    const json = { dataMethod: 'jsonTemplate', groupJsonTemplate: '{"groupTags":{"only":"1"},"parentId":null}' }
    const group = (await update(json)) as Payload
    expect([group.groupTags, group.parentId]).toEqual([{ only: '1' }, null])
    const path = { dataMethod: 'payloadPath', groupPayloadPath: 'body' }
    expect(await update(path, { body: { deviceIds: [pump] } })).toMatchObject({ deviceIds: [pump] })
  })

  test.each<[string, Payload, string]>([
    ['an unknown group', { groupIdTemplate: unknownId, nameTemplate: 'x' }, 'NotFound'],
    ['an unknown parent', { parentIdTemplate: unknownId }, 'Validation'],
    ['an unknown member', { membersToAdd: ['nobody@x.y'] }, 'Validation'],
    ['a read-only key', { dataMethod: 'jsonTemplate', groupJsonTemplate: '{"ancestorIds":[]}' }, 'Validation'],
    ['a blank JSON template', { dataMethod: 'jsonTemplate', groupJsonTemplate: '' }, 'Validation'],
  ])('refuses %s', async (_, config, type) => {
    const before = await run.groups.get(low)
    expect(await update(config)).toEqual(refusal(type))
    expect(await run.visit(UPDATE, { groupIdTemplate: low, ...config })).toMatchObject({ status: 'done', payload: {} })
    expect(await run.groups.get(low)).toEqual(before)
  })
})

test('Group: Summary gives the tree, with children on every node, whoever asks', async () => {
  const SUMMARY = 'ExperienceGroupSummaryNode'
  const tree = { id: top, name: 'top', children: [{ id: low, name: 'low', children: [] }] }
  const whole = {
    id: '(root)',
    name: '(root)',
    children: [{ id: expect.any(String), name: 'Other', children: [] }, tree],
  }
  expect(await run.result(SUMMARY, {}, { experience: { user: { id: bob } } })).toEqual(whole)
  expect(await run.result(SUMMARY, { idTemplate: '{{nothing}}' })).toEqual(whole)
  expect(await run.result(SUMMARY, { idTemplate: '{{top}}' }, payloadOf())).toEqual(tree)
  expect(await run.result(SUMMARY, { idTemplate: low })).toEqual({ id: low, name: 'low', children: [] })
  expect(await run.result(SUMMARY, { idTemplate: unknownId })).toBeNull()
})

test('Group: Verify takes members of the group and of those above it', async () => {
  const cases: [Payload, number][] = [
    [{ emailOrIdTemplate: '{{ann}}', groupIdTemplate: '{{top}}' }, 1],
    [{ emailOrIdTemplate: 'ANN@x.y', groupIdTemplate: '{{low}}' }, 1],
    [{ groupIdTemplate: '{{low}}' }, 1],
    [{ emailOrIdTemplate: '{{bob}}', groupIdTemplate: '{{low}}' }, 0],
    [{ emailOrIdTemplate: '{{ann}}', groupIdTemplate: '{{nothing}}' }, 0],
    [{ emailOrIdTemplate: '{{ann}}', groupIdTemplate: unknownId }, 0],
    [{ emailOrIdTemplate: 'nobody', groupIdTemplate: '{{low}}' }, 0],
    [{ emailOrIdTemplate: unknownId, groupIdTemplate: '{{low}}' }, 0],
  ]
  const payload = payloadOf({ experience: { user: { id: ann } } })
  for (const [config, output] of cases) {
    const visit = await run.visit('VerifyExperienceGroupNode', config, payload)
    expect([config, visit.output]).toEqual([config, output])
    expect(visit.payload).toEqual(payload)
  }
  const nobody = await run.visit('VerifyExperienceGroupNode', { groupIdTemplate: top }, { experience: {} })
  expect(nobody.output).toBe(0)
})

test('Device: Verify takes devices of the world of a user or a group', async () => {
  await run.groups.update(low, { deviceIds: [pump] })
  const cases: [Payload, number][] = [
    [{ deviceIdTemplate: '{{pump}}' }, 1],
    [{ deviceIdTemplate: '{{pump}}', idTemplate: 'ann@x.y', idTypeTemplate: '' }, 1],
    [{ deviceIdTemplate: '{{pump}}', idTemplate: '{{bob}}', idTypeTemplate: 'experienceUser' }, 0],
    [{ deviceIdTemplate: '{{pump}}', idTemplate: '{{top}}', idTypeTemplate: '{{kind}}' }, 1],
    [{ deviceIdTemplate: '{{pump}}', idTemplate: unknownId, idTypeTemplate: 'experienceGroup' }, 0],
    [{ deviceIdTemplate: '{{pump}}', idTemplate: '{{top}}' }, 0],
    [{ deviceIdTemplate: '{{nothing}}' }, 0],
    [{ deviceIdTemplate: 'pump' }, 0],
    [{ deviceIdTemplate: unknownId }, 0],
  ]
  const payload = payloadOf({ pump, kind: 'experienceGroup', experience: { user: { id: ann } } })
  for (const [config, output] of cases) {
    const visit = await run.visit('VerifyDeviceNode', config, payload)
    expect([config, visit.output]).toEqual([config, output])
    expect(visit.payload).toEqual(payload)
  }
})
