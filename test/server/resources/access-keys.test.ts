import { beforeEach, expect, test } from 'vitest'
import { type AccessKeys, applicationOfKey, openAccessKeys } from '../../../server/resources/access-keys.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { scope } from '../../helpers/application.ts'
import { openTestStore } from '../../helpers/store.ts'

let app: AppStore
let keys: AccessKeys

beforeEach(async () => {
  app = (await openTestStore()).app(scope)
  keys = openAccessKeys(app)
})

test('a key shows its secret once, and keeps only a hash of it', async () => {
  const made = await keys.create({ name: 'Pumps', deviceTags: [{ key: 'kind' }] })
  expect(made).toMatchObject({ name: 'Pumps', status: 'active', filterType: 'none', applicationId: scope.application })
  expect(applicationOfKey(made.key)).toBe(scope.application)
  expect(made.secret.length).toBeGreaterThan(40)
  const seen = JSON.stringify([await keys.get(made.id), await keys.list({}), await app.collection('accessKeys').find()])
  expect(seen).toContain(made.key)
  expect(seen).not.toContain(made.secret)
  expect(JSON.stringify([await keys.get(made.id), await keys.list({})])).not.toContain('secretHash')
  expect(await keys.authenticate(made.key, made.secret)).toMatchObject({ id: made.id })
  for (const [key, secret] of [
    [made.key, ''],
    [made.key, made.secret.slice(1)],
    [made.key.toUpperCase(), made.secret],
    ['', ''],
  ]) {
    expect(await keys.authenticate(key!, secret!)).toBeUndefined()
  }
})

test('a key is switched off and on, and removed', async () => {
  const { id } = await keys.create({})
  expect(await keys.update(id, { status: 'inactive', filterType: null, name: null })).toMatchObject({
    status: 'inactive',
  })
  expect(await keys.remove(id)).toBe(true)
  expect(await keys.remove(id)).toBe(false)
  await expect(keys.update(id, {})).rejects.toMatchObject({ type: 'NotFound' })
})

test.each<[string, object]>([
  ['an unknown field', { secret: 'mine' }],
  ['a key of its own', { key: 'mine' }],
  ['a rule that is none', { filterType: 'some' }],
  ['a topic of devices', { pubTopics: ['losant/x/state'] }],
  ['a topic of the broker', { subTopics: ['$SYS/#'] }],
  ['a filter that is none', { subTopics: ['a/#/b'] }],
  ['an address that is none', { addresses: ['example.com'] }],
  ['a range that is none', { addresses: ['10.0.0.0/99'] }],
  ['a tag without sides', { deviceTags: [{}] }],
  ['an id that is none', { deviceIds: ['x'] }],
])('a key with %s is refused', async (_what, body) => {
  await expect(keys.create(body)).rejects.toMatchObject({ type: 'Validation' })
  expect(await app.collection('accessKeys').count()).toBe(0)
})

test('which devices a key is for cannot be changed', async () => {
  const { id } = await keys.create({})
  await expect(keys.update(id, { deviceIds: [] })).rejects.toMatchObject({ type: 'Validation' })
})
