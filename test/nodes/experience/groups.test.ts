import { expect, test } from 'vitest'
import { groupCreate } from '../../../nodes/experience/group-create.ts'
import { groupDelete } from '../../../nodes/experience/group-delete.ts'
import { groupGet } from '../../../nodes/experience/group-get.ts'
import { groupSummary } from '../../../nodes/experience/group-summary.ts'
import { groupUpdate } from '../../../nodes/experience/group-update.ts'
import { type Listing, Refusal } from '../../../nodes/services/listing.ts'
import type { GroupTree, GroupView } from '../../../nodes/services/people.ts'
import { listingOf, noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const north: GroupView = { id: 'g1', name: 'North' }

test('creates a group with its query as text', async () => {
  const create = noting<unknown[], GroupView>(north)
  await runNode(groupCreate, {
    config: {
      nameTemplate: 'North',
      parentIdTemplate: '',
      deviceQueryJsonTemplate: '{"$nor":[]}',
      groupTagTemplates: [{ keyTemplate: 'a', valueTemplate: 'b' }],
    },
    use: { groups: { create: create.method } },
  })
  expect(create.calls).toEqual([[{ name: 'North', deviceQueryJson: '{"$nor":[]}', groupTags: { a: 'b' } }]])
})

test.each([true, false])('deletes a group and says whether there was one: %s', async (found) => {
  const remove = noting<unknown[], boolean>(found)
  const config = { groupIdTemplate: ' {{working.id}} ', resultPath: 'out' }
  const { payload } = await runNode(groupDelete, {
    config,
    payload: { working: { id: 'g1' } },
    use: { groups: { remove: remove.method } },
  })
  expect(remove.calls).toEqual([['g1']])
  expect(payload.out).toBe(found)
})

test('updates members and tags; the word null makes a root', async () => {
  const update = noting<unknown[], GroupView>(north)
  await runNode(groupUpdate, {
    config: {
      groupIdTemplate: 'g1',
      parentIdTemplate: 'null',
      membersToAdd: ['user1@example.com', ''],
      groupTags: [{ keyTemplate: 'a' }],
    },
    use: { groups: { update: update.method } },
  })
  const options = { membersToAdd: ['user1@example.com'], membersToRemove: [], mergeTags: [{ key: 'a' }] }
  expect(update.calls).toEqual([['g1', { parentId: null }, options]])
})

test('a replacement of members stands alone', async () => {
  const update = noting<unknown[], GroupView>(new Refusal('Validation', 'A circle'))
  const config = { groupIdTemplate: 'g1', membersReplacement: ['u1'], membersToAdd: ['u2'], resultPath: 'out' }
  const { payload } = await runNode(groupUpdate, { config, use: { groups: { update: update.method } } })
  expect(update.calls[0]?.[2]).toEqual({ membersReplacement: ['u1'], mergeTags: [] })
  expect(payload.out).toEqual({ error: { type: 'Validation', message: 'A circle' } })
})

test.each([
  [{ idTemplate: ' g1 ' }, { by: 'id', id: 'g1' }],
  [
    { findMethod: 'name', idTemplate: 'North' },
    { by: 'name', name: 'North' },
  ],
  [
    { findMethod: 'findByAllTags', groupTags: [{ keyTemplate: 'a' }] },
    { by: 'allTags', tags: [{ key: 'a' }] },
  ],
  [
    { findMethod: 'findByAnyTags', tags: [{ keyTemplate: 'a' }] },
    { by: 'anyTags', tags: [{ key: 'a' }] },
  ],
  [
    { findMethod: 'query', queryTemplate: '{"parentId":null}' },
    { by: 'query', query: { parentId: null } },
  ],
])('finds with %j', async (config, criteria) => {
  const find = noting<unknown[], Listing<GroupView>>(listingOf([north]))
  const { payload } = await runNode(groupGet, {
    config: { resultPath: 'out', ...config },
    use: { groups: { find: find.method } },
  })
  expect(find.calls[0]?.[0]).toEqual(criteria)
  expect(payload.out).toEqual(north)
})

test('the summary of an unknown group is null', async () => {
  const summary = noting<unknown[], GroupTree | undefined>(undefined)
  const config = { idTemplate: 'nope', resultPath: 'tree' }
  const { payload } = await runNode(groupSummary, { config, use: { groups: { summary: summary.method } } })
  expect(summary.calls).toEqual([['nope']])
  expect(payload.tree).toBeNull()
})
