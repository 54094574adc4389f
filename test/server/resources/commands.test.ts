import { beforeEach, expect, test } from 'vitest'
import type { Order } from '../../../server/mqtt/relay.ts'
import { openCommands } from '../../../server/resources/commands.ts'
import { filterOf } from '../../../server/resources/devices.ts'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld
let published: Order[]
const ids: Record<string, string> = {}

beforeEach(async () => {
  world = await openTestWorld()
  published = []
  for (const name of ['a', 'b', 'c']) {
    ids[name] = (await world.devices.create({ name, tags: [{ key: 'site', value: name === 'c' ? 'y' : 'x' }] }, {})).id
  }
})

const commands = () =>
  openCommands({
    ...{ app: world.app, now: () => world.clock.now, actor: { type: 'flow', id: 'f1', depth: 0 } },
    filterOf: (criteria) => filterOf(criteria, world.tenancy),
    perform: async (_, orders) => void published.push(...orders),
  })

const topics = () => published.map((order) => ('topic' in order ? order.topic : '')).sort()
const topicsOf = (...names: string[]) => names.map((name) => `losant/${ids[name]}/command`).sort()

test('goes once to each device of the ids and of the criteria, and passes over those that are not there', async () => {
  const foreign = '6521f7b20c1d4e8a9b3c5d71'
  const to = [ids.a!, ` ${ids.a!.toUpperCase()} `, foreign, '', 'x', '$ne']
  const sent = await commands().send({
    ...{ ids: to, criteria: [{ by: 'anyTags', tags: [{ key: 'site', value: 'x' }] }] },
    ...{ name: 'go', payload: { n: 1 } },
  })
  expect(sent).toBe(2)
  expect(topics()).toEqual(topicsOf('a', 'b'))
  expect(await world.app.collection('deviceCommands').count()).toBe(2)
})

test('is a message of time, name and payload', async () => {
  await commands().send({ ids: [ids.a!], name: 'go', payload: { n: [1, null] } })
  await commands().send({ ids: [ids.a!], name: 'stop' })
  const time = { $date: new Date(world.clock.now).toISOString() }
  const messages = published.map((order) => JSON.parse(String((order as { payload: Buffer }).payload)))
  expect(messages).toEqual([
    { name: 'go', time, payload: { n: [1, null] } },
    { name: 'stop', time },
  ])
})

test('to nobody sends nothing', async () => {
  expect(await commands().send({ ids: [], criteria: [{ by: 'anyTags', tags: [] }], name: 'go' })).toBe(0)
  expect(published).toEqual([])
  expect(await world.app.collection('deviceCommands').count()).toBe(0)
})

test.each([
  ['', undefined, 'name'],
  ['x'.repeat(256), undefined, 'name'],
  ['go', 'x'.repeat(262_143), 'payload'],
])('is refused where its name is no name or its payload is large', async (name, payload, part) => {
  await expect(commands().send({ ids: [ids.a!], name, payload })).rejects.toMatchObject({
    ...{ type: 'Validation', message: expect.stringContaining(part) },
  })
  expect(published).toEqual([])
})
