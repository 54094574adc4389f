import { expect, test } from 'vitest'
import { openTestWorld } from '../resources/world.ts'

test('an id in capitals is the same id, in lists as in checks', async () => {
  const { devices, groups, users, tenancy } = await openTestWorld()
  const pump = await devices.create({ name: 'pump', tags: [{ key: 'site', value: 'a' }] }, {})
  const site = await groups.create({ name: 'site', deviceTags: [{ key: 'site', value: 'a' }] })
  const body = { email: 'user1@example.com', password: 'correct horse', experienceGroupIds: [site.id] }
  const user = await users.create(body)
  const device = pump.id.toUpperCase()
  const subject = user.id.toUpperCase()
  expect(await tenancy.verify({ device, subject, kind: 'experienceUser' })).toBe(true)
  expect(await tenancy.verify({ device, subject: site.id.toUpperCase(), kind: 'experienceGroup' })).toBe(true)
  expect(await tenancy.verifyGroup({ user: subject, group: site.id.toUpperCase() })).toBe(true)
  expect(await devices.find({ by: 'user', idOrEmail: subject }, {}, {})).toMatchObject({ totalCount: 1 })
  expect(await devices.find({ by: 'group', groupId: site.id.toUpperCase() }, {}, {})).toMatchObject({ totalCount: 1 })
  expect(await tenancy.whoCanSee(device)).toEqual({ direct: [site.id], above: [], userIds: [user.id] })
})
