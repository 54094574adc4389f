import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { AppStore, Filter, Store, WriteOperation } from '../../../server/store/port.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { openDatabase } from '../../../server/store/sqlite-database.ts'
import { openPlacesKeeper } from '../../../server/store/sqlite-places.ts'
import { declaredPlans } from '../../../server/store/sqlite-plan.ts'
import { migrate } from '../../../server/store/sqlite-schema.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { idOf, own, strangers } from './adapters.ts'

const stores: Store[] = []
afterAll(async () => {
  for (const store of stores) await store.close()
})

/** Two processes on one file, as far as the file can tell, and one that keeps nothing in memory: what it says is right. */
async function openThree(): Promise<{ here: Store; there: Store; oracle: Store }> {
  const file = join(await temporaryFolder(), 'store.db')
  const open = async (options: object = {}) => {
    const store = await openSqlite({ file, places: { restMs: 0, ...options } })
    stores.push(store)
    return store
  }
  return { here: await open(), there: await open(), oracle: await open({ mostBytes: 0 }) }
}

const groupIds = [1, 2, 3, 4, 5].map(idOf)
const deviceIds = [101, 102, 103, 104, 105, 106].map(idOf)

function insertOf(id: string, fields: object): WriteOperation {
  if (groupIds.includes(id)) {
    const group = { id, name: 'g', ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: [], ...fields }
    return { insert: 'groups', document: group }
  }
  const device = {
    id,
    name: `d${id.at(-1)}`,
    deviceClass: 'standalone',
    tags: [],
    attributes: [],
    groupIds: [],
    ...fields,
  }
  return { insert: 'devices', document: device }
}

/** Everything that asks for places, as text. */
async function answersOf(store: Store, given: readonly string[]): Promise<string> {
  const answers: unknown[] = []
  for (const scope of [own, strangers[0]]) {
    const devices = store.app(scope).collection('devices')
    const within: Filter = { within: given }
    const named: Filter = { field: 'name', op: 'ne', value: 'd3' }
    for (const filter of [
      within,
      { not: within },
      { all: [within, named] },
      { any: [within, { within: [groupIds[4]!] }] },
    ]) {
      const sort = { field: 'name', direction: 'desc' } as const
      answers.push(
        (await devices.find({ filter, sort })).map(({ id }) => id),
        await devices.count(filter),
      )
      const each: string[] = []
      for await (const { id } of devices.each(filter)) each.push(id)
      answers.push(each)
      for (const id of deviceIds) answers.push(await devices.matches(id, filter))
    }
  }
  return JSON.stringify(answers)
}

const some = fc.uniqueArray(fc.constantFrom(...groupIds), { maxLength: 3 })
const step = fc.record({
  by: fc.constantFrom('here' as const, 'here' as const, 'here' as const, 'there' as const),
  stranger: fc.boolean(),
  fails: fc.boolean(),
  writes: fc.array(
    fc.oneof(
      fc.record({ id: fc.constantFrom(...groupIds), groups: some, gone: fc.constant(false) }),
      fc.record({ id: fc.constantFrom(...deviceIds), groups: some, gone: fc.boolean() }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
  asked: some,
})

test('what one process writes, writes half or takes back, every process sees at its next question', async () => {
  const three = await openThree()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      for (const { by, stranger, fails, writes, asked } of steps) {
        const app = three[by].app(stranger ? strangers[0] : own)
        const there = new Set<string>()
        for (const id of [...groupIds, ...deviceIds]) if (await isThere(app, id)) there.add(id)
        const operations = writes.flatMap(({ id, groups, gone }): WriteOperation[] => {
          const isGroup = groupIds.includes(id)
          const change = isGroup ? { ancestorIds: groups } : { groupIds: groups }
          const collection = isGroup ? 'groups' : 'devices'
          if (gone) return there.delete(id) ? [{ remove: collection, id }] : []
          if (there.has(id)) return [{ update: collection, id, change } as WriteOperation]
          there.add(id)
          return [insertOf(id, change)]
        })
        // The last of them cannot be done, so none is.
        if (fails) operations.push({ update: 'groups', id: idOf(404), change: { name: 'x' } })
        const written = app.write(operations)
        if (fails) await expect(written).rejects.toMatchObject({ code: 'missing' })
        else await written
        const right = await answersOf(three.oracle, asked)
        expect(await answersOf(three.here, asked)).toBe(right)
        expect(await answersOf(three.there, asked)).toBe(right)
      }
    }),
    { numRuns: 40 },
  )
}, 120_000)

async function isThere(app: AppStore, id: string): Promise<boolean> {
  return (await app.collection(groupIds.includes(id) ? 'groups' : 'devices').get(id)) !== undefined
}

/** 1,500 groups in a chain of ten and 12,000 devices: more than is read at once. */
async function fill(store: Store): Promise<void> {
  const operations: WriteOperation[] = []
  const group = { name: 'g', groupTags: {}, deviceIds: [], deviceTags: [] }
  for (let n = 0; n < 1_500; n += 1) {
    const ancestorIds = Array.from({ length: n % 10 }, (_, at) => idOf(10_000 + n - (n % 10) + at))
    operations.push({ insert: 'groups', document: { ...group, id: idOf(10_000 + n), ancestorIds } })
  }
  const device = { deviceClass: 'standalone', tags: [], attributes: [] }
  for (let n = 0; n < 12_000; n += 1) {
    const own = [idOf(10_000 + (n % 1_500)), ...(n % 5 === 0 ? [idOf(10_000 + ((n * 7) % 1_500))] : [])]
    const document = { ...device, id: idOf(100_000 + n), name: `Device ${(n * 7919) % 10_007}`, groupIds: own }
    operations.push({ insert: 'devices', document })
  }
  await store.app(own).write(operations)
}

test('answers rightly while places are still being read, whatever is written meanwhile', {
  timeout: 60_000,
}, async () => {
  const { here, oracle } = await openThree()
  await fill(oracle)
  const devices = here.app(own).collection('devices')
  const right = oracle.app(own).collection('devices')
  const filter: Filter = { within: Array.from({ length: 40 }, (_, n) => idOf(10_000 + n * 10)) }
  const sort = { field: 'name', direction: 'asc' } as const
  for (let n = 0; n < 12; n += 1) {
    // One that was read, one that was not, and one of each that goes; a group gets others above it.
    for (const at of [n, 11_999 - n]) {
      await devices.update(idOf(100_000 + at), { groupIds: [idOf(10_000 + n * 10 + 3)] })
      await devices.remove(idOf(100_000 + at + (at < 100 ? 50 : -50)))
    }
    await here
      .app(own)
      .collection('groups')
      .update(idOf(10_009 + n * 100), { ancestorIds: [idOf(10_000)] })
    expect(await devices.find({ filter, sort, limit: 100 })).toEqual(await right.find({ filter, sort, limit: 100 }))
    for (const at of [n, 20 * n, 11_999 - n]) {
      expect(await devices.matches(idOf(100_000 + at), filter)).toBe(await right.matches(idOf(100_000 + at), filter))
    }
    if (n % 3 === 2) expect(await devices.count(filter)).toBe(await right.count(filter))
  }
})

test('takes no more memory than it may, however much is written to what it keeps', async () => {
  const database = openDatabase({ file: join(await temporaryFolder(), 'store.db') })
  const layouts = migrate(database, declaredPlans)
  const keeper = openPlacesKeeper({ database, layouts, mostBytes: 100_000, restMs: 0 })
  for (const app of [1, 2, 3])
    database.run('INSERT INTO apps (app, tenant, application) VALUES (?, ?, ?)', [app, 't', `${app}`])
  const isKept = (app: number) => keeper.reading(app, (view) => view !== undefined)
  expect([isKept(1), isKept(2), isKept(3)]).toEqual([true, true, true])
  const empty = keeper.bytes()
  const grow = (app: number, devices: number) =>
    database.transaction(() => {
      for (let row = 1; row <= devices; row += 1) {
        keeper.wrote(app, layouts.get('devices')!, { id: idOf(row), row, after: { groupIds: [idOf(row % 10)] } })
      }
    })
  grow(1, 10_000)
  expect(keeper.bytes()).toBeGreaterThan(empty + 40_000)
  grow(2, 10_000)
  expect(keeper.bytes()).toBeLessThanOrEqual(100_000)
  grow(3, 100_000)
  expect(keeper.bytes()).toBeLessThanOrEqual(100_000)
  database.close()
})

test('keeps what fits into memory, and answers for applications that do not', { timeout: 60_000 }, async () => {
  const file = join(await temporaryFolder(), 'store.db')
  const open = async (mostBytes: number) => {
    const store = await openSqlite({ file, places: { mostBytes, restMs: 0 } })
    stores.push(store)
    return store
  }
  const store = await open(600_000)
  const oracle = await open(0)
  await fill(store)
  const within: Filter = { within: [idOf(10_000)] }
  const right = await oracle.app(own).collection('devices').count(within)
  expect(right).toBeGreaterThan(50)
  const small = store.app(strangers[0])
  await small.write([insertOf(groupIds[0]!, {}), insertOf(deviceIds[0]!, { groupIds: [groupIds[0]!] })])
  for (let n = 0; n < 10; n += 1) {
    expect(await store.app(own).collection('devices').count(within)).toBe(right)
    expect(await small.collection('devices').count({ within: [groupIds[0]!] })).toBe(1)
  }
})
