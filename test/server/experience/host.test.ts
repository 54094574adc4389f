import { setImmediate } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { hostNameOf, openHosts } from '../../../server/experience/host.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'

const one = { tenant: 'one', application: 'a'.repeat(24) }
const two = { tenant: 'two', application: 'b'.repeat(24) }
let store: Store

beforeAll(async () => {
  store = await openTestStore()
  const application = { name: 'App', globals: [], secret: 's' }
  for (const scope of [one, two]) {
    await store
      .app(scope)
      .collection('application')
      .insert({ ...application, id: scope.application })
  }
  await store.hosts.put({ name: 'generators', scope: one, version: 'v1' })
  await store.hosts.put({ name: 'portal.acme.example', scope: two, version: 'develop' })
  await store.hosts.put({ name: '*.wild.example', scope: two, version: 'v2' })
  await store.hosts.put({ name: 'parked', scope: two })
  // Of the form of an id: that of another application, of none, and of two.
  for (const name of [one.application, 'd'.repeat(24)]) await store.hosts.put({ name, scope: two, version: 'develop' })
  for (const tenant of ['one', 'two']) {
    const id = 'e'.repeat(24)
    await store
      .app({ tenant, application: id })
      .collection('application')
      .insert({ ...application, id })
  }
})

const names: [header: string | undefined, name: string | undefined][] = [
  ['Generators.Localhost:3000', 'generators.localhost'],
  ['generators.localhost.', 'generators.localhost'],
  ['127.0.0.1:3000', '127.0.0.1'],
  [undefined, undefined],
  ['', undefined],
  ['a b', undefined],
  ['a/b', undefined],
  ['a@b.localhost', undefined],
  ['[::1]:3000', undefined],
  ['a.localhost:99999999', undefined],
  ['a.localhost:3000@evil', undefined],
  ['..', undefined],
  ['__proto__.localhost', undefined],
  [`${'a'.repeat(300)}.localhost`, undefined],
]
test.each(names)('the Host header %j names %j', (header, name) => {
  expect(hostNameOf(header)).toBe(name)
})

describe('find', () => {
  const hosts: [header: string, found: { tenant: string; version: string } | undefined][] = [
    ['generators.localhost:3000', { tenant: 'one', version: 'v1' }],
    ['GENERATORS.localhost', { tenant: 'one', version: 'v1' }],
    [`${one.application}.localhost`, { tenant: 'one', version: 'develop' }],
    [`${two.application}.localhost`, { tenant: 'two', version: 'develop' }],
    [`${'c'.repeat(24)}.localhost`, undefined],
    [`${'d'.repeat(24)}.localhost`, undefined],
    [`${'e'.repeat(24)}.localhost`, undefined],
    ['portal.acme.example', { tenant: 'two', version: 'develop' }],
    ['x.wild.example', { tenant: 'two', version: 'v2' }],
    ['x.y.wild.example', undefined],
    ['wild.example', undefined],
    ['parked.localhost', undefined],
    ['generators', undefined],
    ['generators.other', undefined],
    ['x.generators.localhost', undefined],
    ['portal.acme.example.localhost', undefined],
    ['localhost', undefined],
    ['constructor.localhost', undefined],
  ]
  test.each(hosts)('%s', async (header, found) => {
    const host = await openHosts({ store, baseDomain: 'localhost', now: () => 0 }).find(header)
    expect(host && { tenant: host.scope.tenant, version: host.version }).toEqual(found)
    if (host) expect(host.store.scope).toEqual(host.scope)
  })

  test('a host that moves is seen in the next turn of the event loop', async () => {
    const finder = openHosts({ store, baseDomain: 'localhost', now: () => 0 })
    await store.hosts.put({ name: 'moving', scope: one, version: 'v1' })
    expect(await finder.find('moving.localhost')).toMatchObject({ version: 'v1' })
    await store.hosts.put({ name: 'moving', scope: one, version: 'v2' })
    await setImmediate()
    expect(await finder.find('moving.localhost')).toMatchObject({ version: 'v2' })
    await store.hosts.remove('moving', one)
    await setImmediate()
    expect(await finder.find('moving.localhost')).toBeUndefined()
  })

  test('made-up application ids read the list of applications once a second', async () => {
    let reads = 0
    let time = 0
    const counting = {
      ...store,
      hosts: store.hosts,
      app: store.app.bind(store),
      applications: () => {
        reads++
        return store.applications()
      },
    }
    const finder = openHosts({ store: counting, baseDomain: 'localhost', now: () => time })
    for (let i = 0; i < 20; i++) await finder.find(`${String(i).padStart(24, '0')}.localhost`)
    expect(reads).toBe(1)
    time = 1000
    await finder.find(`${'d'.repeat(24)}.localhost`)
    expect(reads).toBe(2)
  })
})
