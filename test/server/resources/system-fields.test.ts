import { beforeEach, expect, test } from 'vitest'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld
beforeEach(async () => {
  world = await openTestWorld()
})

const make = (system: unknown) =>
  world.devices.create(
    { name: 'Floor', deviceClass: 'system', attributes: [{ name: 'sum', dataType: 'number', system }] },
    {},
  )
const child = { name: 'level', mode: 'all' }
const id = '6521f7b20c1d4e8a9b3c5d71'

test.each([
  [{ aggregation: 'SUM', aggregationOptions: [], childAttributes: [child] }],
  [
    {
      aggregation: 'STD_DEV',
      childAttributes: [{ ...child, mode: 'whitelist', deviceIds: [id], deviceTags: [{ key: 'kind' }] }],
    },
  ],
  [
    {
      aggregation: 'COUNT',
      childAttributes: [{ ...child, mode: 'blacklist', deviceTags: [{ key: 'kind', value: '' }] }],
    },
  ],
])('the rule of a system is kept: %j', async (system) => {
  expect(await make(system)).toMatchObject({ attributes: [{ name: 'sum', system }] })
})

test('an attribute without a rule has none', async () => {
  expect((await make(null)).attributes).toEqual([{ name: 'sum', dataType: 'number', attributeTags: {} }])
})

test.each<[unknown, string]>([
  ['SUM', 'an object'],
  [{ aggregation: 'MODE' }, 'FIRST, LAST'],
  [{ aggregation: 'TIMEATVALUE' }, 'aggregation'],
  [{ aggregation: 'toString' }, 'aggregation'],
  [{ aggregation: 'SUM', aggregationOptions: [{ keyTemplate: 'value' }] }, 'no option'],
  [{ aggregation: 'SUM', childAttributes: 'level' }, 'a list'],
  [{ aggregation: 'SUM', childAttributes: [{ mode: 'all' }] }, 'name'],
  [{ aggregation: 'SUM', childAttributes: [{ name: 'level' }] }, 'mode'],
  [{ aggregation: 'SUM', childAttributes: [{ ...child, mode: 'some' }] }, 'whitelist'],
  [{ aggregation: 'SUM', childAttributes: [{ ...child, deviceIds: ['x'] }] }, 'deviceIds'],
  [{ aggregation: 'SUM', childAttributes: [{ ...child, deviceTags: [{ tag: 'x' }] }] }, 'tag'],
  [{ aggregation: 'SUM', childAttributes: Array(257).fill(child) }, 'at most 256'],
  [{ aggregation: 'SUM', colour: 1 }, 'colour'],
])('a rule that is none is refused: %j', async (system, part) => {
  await expect(make(system)).rejects.toMatchObject({ type: 'Validation', message: expect.stringContaining(part) })
  expect(await world.app.collection('devices').count()).toBe(0)
})
