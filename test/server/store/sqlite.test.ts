import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { openTestStore, temporaryFolder } from '../../helpers/store.ts'

const scope = { tenant: 't1', application: 'a1' }
const device = {
  name: 'Pump',
  deviceClass: 'standalone',
  tags: [{ key: 'site', value: 'North' }],
  attributes: [],
  groupIds: [],
}

test('keeps documents over closing and opening', async () => {
  const file = join(await temporaryFolder(), 'data', 'store.db')
  const first = await openSqlite({ file })
  const inserted = await first.app(scope).collection('devices').insert(device)
  await first.close()
  const second = await openSqlite({ file })
  expect(await second.app(scope).collection('devices').get(inserted.id)).toEqual(inserted)
  await second.close()
})

test('finds by field, tag and order', async () => {
  const devices = (await openTestStore()).app(scope).collection('devices')
  const pump = await devices.insert(device)
  const valve = await devices.insert({ ...device, name: 'Éclair valve', tags: [] })
  const another = await devices.insert({ ...device, name: 'eclipse', deviceClass: 'gateway' })
  expect(await devices.find({ sort: { field: 'name', direction: 'asc' } })).toEqual([another, pump, valve])
  expect(await devices.find({ filter: { field: 'deviceClass', op: 'eq', value: 'gateway' } })).toEqual([another])
  expect(await devices.find({ filter: { tag: 'tags', key: { in: ['site'] } } })).toHaveLength(2)
})
