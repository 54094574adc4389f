import { expect, test } from 'vitest'
import { deviceGet } from '../../../nodes/device/device-get.ts'
import type { DeviceView } from '../../../nodes/services/devices.ts'
import { type Listing, Refusal } from '../../../nodes/services/listing.ts'
import { listingOf, noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const pump: DeviceView = { id: 'd1', name: 'Pump' }

async function get(
  config: Record<string, unknown>,
  options: { payload?: Record<string, unknown>; answer?: Listing<DeviceView> | Error } = {},
) {
  const find = noting<unknown[], Listing<DeviceView>>(options.answer ?? listingOf([pump], 7))
  const use = { devices: { find: find.method } }
  const outcome = await runNode(deviceGet, { config: { resultPath: 'out', ...config }, payload: options.payload, use })
  return { ...outcome, call: find.calls[0], calls: find.calls }
}

test.each([
  ['by id', { idTemplate: ' {{data.id}} ' }, { by: 'id', id: 'abc' }],
  ['by name', { findMethod: 'name', idTemplate: 'My Pump' }, { by: 'name', name: 'My Pump' }],
  [
    'by all tags, blank sides free and empty pairs dropped',
    {
      findMethod: 'findByAllTags',
      tags: [
        { keyTemplate: 'site', valueTemplate: '{{data.id}}' },
        { keyTemplate: 'kind', valueTemplate: '' },
        { keyTemplate: '' },
      ],
    },
    { by: 'allTags', tags: [{ key: 'site', value: 'abc' }, { key: 'kind' }] },
  ],
  ['by all tags under its older name', { findMethod: 'tags', tags: [] }, { by: 'allTags', tags: [] }],
  [
    'by any tag',
    { findMethod: 'findByAnyTags', tags: [{ valueTemplate: 'x' }] },
    { by: 'anyTags', tags: [{ value: 'x' }] },
  ],
  ['by parent', { findMethod: 'findByParentId', parentIdTemplate: '' }, { by: 'parent', parentId: '' }],
  ['by group', { findMethod: 'experienceGroupId', idTemplate: 'g' }, { by: 'group', groupId: 'g' }],
  ['by user', { findMethod: 'experienceUserIdOrEmail', idTemplate: '{{data.none}}' }, { by: 'user', idOrEmail: '' }],
  [
    'by query text',
    { findMethod: 'query', queryTemplate: '{"name":"{{data.id}}"}' },
    { by: 'query', query: { name: 'abc' } },
  ],
  ['by query, blank', { findMethod: 'query', queryTemplate: '' }, { by: 'query', query: undefined }],
])('finds %s', async (_, config, criteria) => {
  const { call, output } = await get(config, { payload: { data: { id: 'abc' } } })
  expect(call?.[0]).toEqual(criteria)
  expect(output).toBe('next')
})

test('one gives the device or null, many a list, with counts an envelope', async () => {
  expect((await get({ findMethod: 'query' })).payload.out).toEqual(pump)
  expect((await get({ findMethod: 'query' }, { answer: listingOf([]) })).payload.out).toBeNull()
  expect((await get({ findMethod: 'query', findMultiple: true })).payload.out).toEqual([pump])
  expect((await get({ findMethod: 'query', findMultiple: true, findMetadata: true })).payload.out).toMatchObject({
    items: [pump],
    totalCount: 7,
  })
})

test('an id never gives a list', async () => {
  expect((await get({ idTemplate: 'x', findMultiple: true, findMetadata: true })).payload.out).toEqual(pump)
})

test('asks for the page, order and shape that are set', async () => {
  const { call } = await get(
    {
      findMethod: 'query',
      findMultiple: true,
      resultsPerPage: '{{n}}',
      resultsPage: '2',
      sortField: 'creationDate',
      sortDirection: 'desc',
      includeState: true,
      attributes: ['{{names}}', 'c, d'],
      tagsAsObject: true,
      attributesAsObject: true,
      includeConnectionStatus: false,
    },
    { payload: { n: 0, names: ['a', 'b'] } },
  )
  expect(call?.[1]).toEqual({
    perPage: 0,
    page: 2,
    sortField: 'creationDate',
    sortDirection: 'desc',
    withoutCount: true,
  })
  expect(call?.[2]).toEqual({
    state: ['a', 'b', 'c', 'd'],
    tagsAsObject: true,
    attributesAsObject: true,
    includeConnectionInfo: false,
  })
})

test('without a word about it, a device comes with its connection and without state', async () => {
  const { call } = await get({ findMethod: 'query' })
  expect(call?.[2]).toEqual({
    includeConnectionInfo: true,
    state: undefined,
    tagsAsObject: false,
    attributesAsObject: false,
  })
  expect((await get({ findMethod: 'query', includeState: true })).call?.[2]).toMatchObject({ state: true })
})

test('a refused query is put at the result path', async () => {
  const { payload } = await get({ findMethod: 'query' }, { answer: new Refusal('Validation', 'No such field') })
  expect(payload.out).toEqual({ error: { type: 'Validation', message: 'No such field' } })
})

test('a blank id fails the run, and asks for nothing', async () => {
  const { error, calls } = await get({ idTemplate: '{{data.none}}' })
  expect(error).toMatchObject({ code: 'config.empty' })
  expect(calls).toEqual([])
})
