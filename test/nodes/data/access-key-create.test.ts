import { beforeEach, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openAccessKeys } from '../../../server/resources/access-keys.ts'
import { openRunning, type Running } from '../../server/resources/running.ts'

let run: Running
const pump = '6521f7b20c1d4e8a9b3c5d71'

beforeEach(async () => {
  run = await openRunning()
})

const create = async (config: Payload, payload: Payload = {}) =>
  (await run.result('CreateAccessKeyNode', config, payload)) as Payload & { key: string; secret: string }

test('makes a key that opens, from single fields', async () => {
  const made = await create(
    {
      nameTemplate: '{{name}}',
      descriptionTemplate: 'of the yard',
      deviceIdsTemplate: [' {{id}} '],
      deviceTagsTemplate: [{ keyTemplate: 'site', valueTemplate: '{{site}}' }, { keyTemplate: 'kind' }],
      filterTypeTemplate: 'whitelist',
      pubTopicsTemplate: ['yard/{{site}}/#'],
      subTopicsTemplate: ['news'],
      addressFilterTypeTemplate: ' blacklist ',
      addressesTemplate: ['192.0.2.0/24'],
    },
    { name: 'Pumps', id: pump, site: 'a' },
  )
  expect(made).toMatchObject({
    ...{ name: 'Pumps', description: 'of the yard', status: 'active', deviceIds: [pump] },
    deviceTags: [{ key: 'site', value: 'a' }, { key: 'kind' }],
    ...{ filterType: 'whitelist', pubTopics: ['yard/a/#'], subTopics: ['news'] },
    ...{ addressFilterType: 'blacklist', addresses: ['192.0.2.0/24'] },
  })
  expect(await openAccessKeys(run.app).authenticate(made.key, made.secret)).toMatchObject({ name: 'Pumps' })
  expect(await openAccessKeys(run.app).get(made.id as string)).not.toHaveProperty('secret')
})

test('with nothing said the key is for every device, for its own topics, from anywhere', async () => {
  expect(await create({})).toMatchObject({
    ...{ deviceIds: [], deviceTags: [], filterType: 'none', addressFilterType: 'all', addresses: [] },
    secret: expect.any(String),
  })
})

test.each([
  ['payloadPath', { payloadPath: 'body' }],
  ['jsonTemplate', { jsonTemplate: '{{{jsonEncode body}}}' }],
])('takes a whole body by %s, and only that', async (dataMethod, config) => {
  const body = { deviceIds: [pump], name: 'Body' }
  expect(await create({ dataMethod, ...config, nameTemplate: 'other' }, { body })).toMatchObject(body)
})

test.each<[string, Payload, string]>([
  ['a device that rendered blank', { deviceIdsTemplate: ['{{nothing}}'] }, 'deviceIds'],
  ['a tag that rendered blank', { deviceTagsTemplate: [{ keyTemplate: '{{nothing}}' }] }, 'deviceTags'],
  ['a filter that is none', { filterTypeTemplate: 'some' }, 'filterType'],
  ['a topic of the devices', { pubTopicsTemplate: ['losant/x'] }, 'pubTopics'],
  ['an address that is none', { addressesTemplate: ['{{nothing}}'] }, 'addresses'],
  ['a body that is a list', { dataMethod: 'payloadPath', payloadPath: 'list' }, 'object'],
  ['a body that is not there', { dataMethod: 'jsonTemplate' }, 'object'],
  ['what is no field', { dataMethod: 'jsonTemplate', jsonTemplate: '{"secret":"x"}' }, 'secret'],
])('puts at the result path why it refuses %s, and makes none', async (_, config, part) => {
  expect(await create(config, { list: [] })).toEqual({
    error: { type: 'Validation', message: expect.stringContaining(part) },
  })
  expect(await run.app.collection('accessKeys').count()).toBe(0)
})

test('without a result path nothing is written, and the flow goes on', async () => {
  const { payload, output } = await run.visit('CreateAccessKeyNode', { nameTemplate: 'x' })
  expect({ payload, output }).toEqual({ payload: {}, output: 0 })
})
