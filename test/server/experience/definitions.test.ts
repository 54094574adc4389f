import { setImmediate } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { type DefinitionCache, openDefinitions } from '../../../server/experience/definitions.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { addApplication, endpointOf } from './site.ts'

const viewOptions = () => ({ fileUrl: () => '', dashboard: () => '' })
let app: AppStore
let loads = 0
let cache: DefinitionCache

/** The application, counting how often its endpoints are read. */
function counting(store: AppStore): AppStore {
  return {
    ...store,
    revision: () => store.revision(),
    collection(name) {
      if (name === 'endpoints') loads++
      return store.collection(name)
    },
  }
}

beforeEach(async () => {
  loads = 0
  const store = await openTestStore()
  app = counting(await addApplication(store, { tenant: 't', application: 'a'.repeat(24) }, 'shop'))
  cache = openDefinitions({ viewOptions, most: 2 })
})

test('are loaded once for all who ask at once, and again only after a change', async () => {
  const [one, two] = await Promise.all([cache.of(app, 'develop'), cache.of(app, 'develop')])
  expect(one).toBe(two)
  await setImmediate()
  expect(await cache.of(app, 'develop')).toBe(one)
  expect(loads).toBe(1)
  await app.collection('users').insert({ email: 'a@b', emailKey: 'a@b', userTags: {}, experienceGroupIds: [] })
  await setImmediate()
  expect(await cache.of(app, 'develop')).toBe(one)
  await app.collection('endpoints').insert(endpointOf({ route: '/new' }))
  await setImmediate()
  const fresh = await cache.of(app, 'develop')
  expect(fresh!.router.match('get', '/new')).toBeDefined()
  expect(one!.router.match('get', '/new')).toBeUndefined()
})

test('hold one version only, with the globals of the application under its own', async () => {
  const settings = { endpointDefaultCors: false, globals: [{ key: 'brand', json: '{"a":1}' }] }
  await app.collection('experienceVersions').insert({ version: 'v1', ...settings })
  await app.collection('endpoints').insert(endpointOf({ route: '/one', version: 'v1' }))
  const one = await cache.of(app, 'v1')
  expect(one).toMatchObject({ version: 'v1', cors: false, globals: { brand: { a: 1 }, limit: 5 } })
  expect(one!.router.match('get', '/one')).toBeDefined()
  const develop = await cache.of(app, 'develop')
  expect(develop).toMatchObject({ cors: true, globals: { brand: 'Application', limit: 5 } })
  expect(develop!.router.match('get', '/one')).toBeUndefined()
})

test('of a version or application that does not exist are undefined', async () => {
  expect(await cache.of(app, 'v9')).toBeUndefined()
  const store = await openTestStore()
  expect(await cache.of(store.app({ tenant: 't', application: 'x' }), 'develop')).toBeUndefined()
})

test('those used last are kept', async () => {
  for (const version of ['v1', 'v2']) {
    await app.collection('experienceVersions').insert({ version, endpointDefaultCors: true, globals: [] })
  }
  for (const version of ['v1', 'v2', 'v1', 'develop']) await cache.of(app, version)
  loads = 0
  await cache.of(app, 'v1')
  expect(loads).toBe(0)
  await cache.of(app, 'v2')
  expect(loads).toBe(1)
})

test('a load that failed is tried again', async () => {
  let broken = true
  const failing: AppStore = {
    ...app,
    revision: () => app.revision(),
    collection(name) {
      if (broken) throw new Error('disk')
      return app.collection(name)
    },
  }
  await expect(cache.of(failing, 'develop')).rejects.toThrow('disk')
  broken = false
  await setImmediate()
  expect(await cache.of(failing, 'develop')).toBeDefined()
})
