import { beforeAll, expect, test } from 'vitest'
import type { DeviceDocument } from '../../../server/store/documents/devices.ts'
import type { AppStore, Filter, WriteOperation } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { idOf, own } from './adapters.ts'

const amount = 17_000
let app: AppStore
let everyone: DeviceDocument[]

// More than is looked at in one step, or even in a long walk; half of them without a value in most fields.
beforeAll(async () => {
  app = (await openTestStore()).app(own)
  const operations: WriteOperation[] = []
  for (let n = 0; n < amount; n += 1) {
    const document = {
      ...{ id: idOf(100_000 + n), name: `${n % 4 === 3 ? 'Z' : 'A'} ${(n * 7919) % 997}`, deviceClass: 'standalone' },
      ...{ tags: [{ key: 'site', value: n % 4 === 3 ? 'last' : 'first' }], attributes: [], groupIds: [] },
      ...(n % 2 === 0 ? { connection: { connected: (n % 3 === 0 ? 1 : 0) as 0 | 1, time: (n * 31) % 5_003 } } : {}),
      creationDate: (n * 131) % 1_009,
    }
    operations.push({ insert: 'devices', document })
  }
  await app.write(operations)
  everyone = []
  for await (const one of app.collection('devices').each()) everyone.push(one)
}, 60_000)

const sorts: Record<string, (device: DeviceDocument) => string | number | undefined> = {
  name: ({ name }) => name.toLowerCase(),
  creationDate: ({ creationDate }) => creationDate,
  'connection.time': ({ connection }) => connection?.time,
  'connection.connected': ({ connection }) => connection?.connected,
  id: () => '',
}
const filters: [what: string, filter: Filter, fits: (device: DeviceDocument) => boolean][] = [
  ['everything', { all: [] }, () => true],
  ['many', { field: 'name', op: 'contains', value: '9' }, ({ name }) => name.includes('9')],
  [
    'a class',
    {
      all: [
        { field: 'deviceClass', op: 'eq', value: 'standalone' },
        { field: 'name', op: 'contains', value: '8' },
      ],
    },
    ({ name }) => name.includes('8'),
  ],
  ['few', { field: 'name', op: 'endsWith', value: ' 77' }, ({ name }) => name.endsWith(' 77')],
  ['none', { field: 'name', op: 'contains', value: 'x' }, () => false],
  ['a site of the end', { tag: 'tags', key: { in: ['site'] }, value: { in: ['last'] } }, ({ name }) => name[0] === 'Z'],
]

for (const [what, filter, fits] of filters) {
  for (const [field, keyOf] of Object.entries(sorts)) {
    test(`gives pages of ${what} in the order of ${field}, both ways, however far they are`, {
      timeout: 60_000,
    }, async () => {
      const keyed = everyone.filter(fits).map((one) => ({ id: one.id, key: keyOf(one) }))
      const less = (a: string | number | undefined, b: string | number | undefined) =>
        a === undefined ? b !== undefined : b !== undefined && a < b
      keyed.sort((a, b) => (less(a.key, b.key) ? -1 : less(b.key, a.key) ? 1 : a.id < b.id ? -1 : 1))
      for (const direction of ['asc', 'desc'] as const) {
        const ids = keyed.map(({ id }) => id)
        if (direction === 'desc') ids.reverse()
        for (const skip of [0, 7, ids.length >> 1, ids.length - 30, ids.length - 10, ids.length + 5]) {
          if (skip < 0) continue
          const found = await app.collection('devices').find({ filter, sort: { field, direction }, skip, limit: 30 })
          expect(found.map(({ id }) => id)).toEqual(ids.slice(skip, skip + 30))
        }
      }
    })
  }
}

test('lets others have their turn while it looks for what is nowhere, and shows nothing twice that moves on', async () => {
  const devices = app.collection('devices')
  const [few, none] = ['few', 'none'].map((what) => filters.find(([one]) => one === what)![1]) as [Filter, Filter]
  let turns = 0
  let going = true
  const others = (async () => {
    for (; going; turns += 1) await new Promise(setImmediate)
  })()
  expect(await devices.find({ filter: none, sort: { field: 'name', direction: 'asc' } })).toEqual([])
  expect(turns).toBeGreaterThan(2)
  going = false
  await others
  // The first of them goes to the end while the walk is under way.
  const first = await devices.find({ filter: few, sort: { field: 'name', direction: 'asc' }, limit: 1 })
  const walk = devices.find({ filter: few, sort: { field: 'name', direction: 'asc' }, limit: 100 })
  await devices.update(first[0]!.id, { name: 'ZZ 77' })
  const found = (await walk).map(({ id }) => id)
  expect(new Set(found).size).toBe(found.length)
  await devices.update(first[0]!.id, { name: first[0]!.name })
})
