import { beforeEach, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { type Firing, openFiring } from './firing.ts'

let world: Firing
let table: string

const columns = [
  { name: 'key', dataType: 'string', constraint: 'unique' },
  { name: 'n', dataType: 'number', constraint: 'optional' },
]
const everything = { insert: true, bulkInsert: true, update: true, delete: true }

beforeEach(async () => {
  world = await openFiring()
  table = (await rows().create({ name: 'Parts', columns })).id
})

const rows = () => world.as({ type: 'user', id: 'u1', name: 'Ann' }).dataTables
const trigger = (key: string, config: Payload = {}, next: string[] = []) => ({
  ...{ type: 'dataTable', key, config },
  outputIds: [next],
})
const listen = (key: string, config: Payload) => world.addFlow({ name: 'Listens', triggers: [trigger(key, config)] })
const started = async () => (await world.waiting()).map(({ data }) => data)

test('each change of rows starts a run with what was done, once it is stored', async () => {
  const flowId = await listen(table, everything)
  const row = await rows().insert(table, { key: 'a', n: 1 })
  const { items } = await rows().insertMany(table, [{ key: 'b' }, { key: 'c' }])
  const changed = await rows().update(table, { by: 'id', id: row.id }, { n: 2 })
  await rows().update(table, { by: 'query', query: { key: 'z' } }, { key: 'z' }, { upsert: true })
  await rows().remove(table, { by: 'query', query: { key: { $in: ['b', 'c'] } } })
  await world.work()
  const payloads = world.ended.map(({ outcome }) => outcome.payload)
  expect(payloads.map((payload) => payload?.data)).toEqual([
    { action: 'insert', newRow: row },
    { action: 'bulkInsert', count: 2, errorCount: 0, rowIds: items.map(({ id }) => id) },
    { action: 'update', newRow: changed, oldRow: row },
    { action: 'insert', newRow: expect.objectContaining({ key: 'z', n: null }) },
    { action: 'delete', oldRow: items[0] },
    { action: 'delete', oldRow: items[1] },
  ])
  for (const payload of payloads) {
    expect(payload).toMatchObject({
      ...{ triggerId: table, triggerType: 'dataTable', relayType: 'user', relayId: 'u1', flowId },
      time: new Date(world.clock.now),
    })
    expect(payload).not.toHaveProperty('device')
  }
})

test.each(['insert', 'bulkInsert', 'update', 'delete'])('only what is asked for is heard: %s', async (action) => {
  await listen(table, { [action]: true })
  const { id } = await rows().insert(table, { key: 'a' })
  await rows().insertMany(table, [{ key: 'b' }])
  await rows().update(table, { by: 'id', id }, { n: 1 })
  await rows().remove(table, { by: 'id', id })
  expect(await started()).toMatchObject([{ action }])
})

test('nothing is heard without a flag, of another table, of another application, or of what changed nothing', async () => {
  await listen(table, {})
  await listen('any', everything)
  await listen((await rows().create({ name: 'Other', columns })).id, everything)
  const { id } = await rows().insert(table, { key: 'a', n: 1 })
  await rows().remove(table, { by: 'id', id })
  await rows().insertMany(table, [])
  expect(await started()).toEqual([])
  await listen(table, everything)
  const row = await rows().insert(table, { key: 'a', n: 1 })
  await rows().update(table, { by: 'id', id: row.id }, { n: '1' })
  await rows().truncate(table)
  await rows().remove(table, { by: 'query', query: {} })
  expect(await started()).toMatchObject([{ action: 'insert' }])
})

test('nothing is heard of rows that were refused', async () => {
  await listen(table, everything)
  await rows().insert(table, { key: 'a' })
  await expect(rows().insertMany(table, [{ key: 'b' }, { key: 'a' }])).rejects.toMatchObject({ type: 'AlreadyExists' })
  await expect(rows().insert(table, { n: 'x' })).rejects.toMatchObject({ type: 'Validation' })
  expect(await started()).toHaveLength(1)
})

test('a flow that adds to the table that it listens to is stopped', async () => {
  const insert = (id: string) => ({
    ...{ id, type: 'DataTableInsertRowNode', meta: {}, outputIds: [[]] },
    config: { dataTableIdTemplate: table, dataMethod: 'jsonTemplate', rowJsonTemplate: '{"n":1}', resultPath: 'x' },
  })
  await world.addFlow({
    name: 'Rabbits',
    triggers: [trigger(table, everything, ['a', 'b'])],
    nodes: [insert('a'), insert('b')],
  })
  await rows().insert(table, { n: 0 })
  expect(await world.work()).toBe(31)
  expect(await rows().count(table)).toBe(63)
  for (let n = 0; n < 40; n++) await rows().insert(table, { n })
  expect(await started()).toHaveLength(40)
})

// FerretDB searches by reading everything: thousands of rows would take it minutes.
const slow = process.env.HEADGATE_TEST_STORE === 'mongo'

test.skipIf(slow)(
  'of many removed rows at most ten thousand are told',
  async () => {
    await listen(table, { delete: true })
    for (let n = 0; n < 3; n++)
      await rows().insertMany(
        table,
        Array.from({ length: 3_500 }, () => ({ n })),
      )
    expect(await rows().remove(table, { by: 'query', query: {} })).toBe(10_500)
    expect(await world.app.collection('jobs').count()).toBe(10_000)
    expect(await rows().count(table)).toBe(0)
  },
  60_000,
)
