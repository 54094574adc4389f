import { Refusal, type TagPair } from '../../nodes/services/listing.ts'
import type { GroupCriteria, Groups, GroupTree, GroupView } from '../../nodes/services/people.ts'
import { parseQuery } from '../query.ts'
import type { GroupDocument, UserDocument } from '../store/documents/people.ts'
import { newId } from '../store/id.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import { matching } from '../tenancy/batch.ts'
import type { TenancyRule } from '../tenancy/rule.ts'
import { tenancyWrite } from '../tenancy/write.ts'
import { type Checked, readBody, refused } from './check.ts'
import { groupFields } from './group-fields.ts'
import { toGroupViews } from './group-views.ts'
import { listPage, tagFilter } from './listing.ts'
import { byName } from './user-views.ts'
import { again, mergeTagMap, refusing } from './writing.ts'

const sortFields = { name: 'name', id: 'id', creationDate: 'creationDate', lastUpdated: 'lastUpdated' }

/** Groups, with what flows reach through the API node. */
export interface GroupResource extends Groups {
  get(id: string): Promise<GroupView | undefined>
}

export function openGroups({ app, tenancy }: { app: AppStore; tenancy: TenancyRule }): GroupResource {
  const collection = app.collection('groups')

  async function existing(groupId: string): Promise<GroupDocument> {
    const group = await collection.get(groupId.trim().toLowerCase())
    if (group === undefined) throw new Refusal('NotFound', `Expected the id of a group, got "${groupId}"`)
    return group
  }

  async function viewOf(group: GroupDocument): Promise<GroupView> {
    return (await toGroupViews(app, [group]))[0]!
  }

  async function get(groupId: string): Promise<GroupView | undefined> {
    const group = await collection.get(groupId.trim().toLowerCase())
    return group && (await viewOf(group))
  }

  async function member(idOrEmail: string): Promise<UserDocument> {
    const user = await tenancy.user(idOrEmail)
    if (user === undefined)
      throw new Refusal('Validation', `Expected the id or e-mail address of a user as member, got "${idOrEmail}"`)
    return user
  }

  return {
    get,

    async find(criteria, request) {
      const filter = await filterOf(criteria, tenancy)
      return await listPage(collection, filter, { request, sortFields, view: (groups) => toGroupViews(app, groups) })
    },

    async create(body) {
      const { experienceUserIds = [], experienceEndpointIds = [], ...given } = readBody(body, groupFields, 'a group')
      if (given.name === undefined) throw refused('name', 'text of 1 to 255 characters', undefined)
      const groupId = newId()
      const document = { ...emptyGroup, ...given, name: given.name, id: groupId }
      await again(async () => {
        const members = await Promise.all(experienceUserIds.map(member))
        await refusing(
          tenancyWrite(app, [
            { insert: 'groups', document },
            ...once(members.flatMap((user) => membership(user, groupId, true))),
            ...(await endpointChanges(app, groupId, experienceEndpointIds)),
          ]),
          'The group exists already',
        )
      })
      return await viewOf(await existing(groupId))
    },

    async update(groupId, patch, { mergeTags, membersToAdd, membersToRemove, membersReplacement } = {}) {
      const { experienceUserIds, experienceEndpointIds, ...given } = readBody(patch, groupFields, 'a group')
      const replacement = membersReplacement ?? experienceUserIds
      return await again(async () => {
        const group = await existing(groupId)
        const change = { ...given, ...tagsOf(group, given, mergeTags) }
        const operations: WriteOperation[] = [
          { update: 'groups', id: group.id, change, revision: group.revision },
          ...once([
            ...(replacement ? await replaceMembers(group.id, replacement) : []),
            ...(await changeMembers(group.id, membersToAdd, membersToRemove)),
          ]),
          ...(experienceEndpointIds ? await endpointChanges(app, group.id, experienceEndpointIds) : []),
        ]
        await refusing(tenancyWrite(app, operations), 'The group exists already')
        return await viewOf(await existing(group.id))
      })
    },

    async remove(groupId) {
      const group = await collection.get(groupId.trim().toLowerCase())
      if (group === undefined) return false
      await tenancyWrite(app, [{ remove: 'groups', id: group.id }])
      return true
    },

    async summary(startId) {
      const start = startId?.trim().toLowerCase() ?? ''
      if (start === '') return treeOf(await all(collection.each()), { id: '(root)', name: '(root)' }, undefined)
      const group = await collection.get(start)
      if (group === undefined) return undefined
      return treeOf(await all(matching(collection, { list: 'ancestorIds', has: [start] })), group, start)
    },
  }

  async function replaceMembers(groupId: string, wanted: string[]): Promise<WriteOperation[]> {
    const members = await Promise.all(present(wanted).map(member))
    const kept = new Set(members.map((user) => user.id))
    const operations = members.flatMap((user) => membership(user, groupId, true))
    for await (const user of matching(app.collection('users'), { list: 'experienceGroupIds', has: [groupId] })) {
      if (!kept.has(user.id)) operations.push(...membership(user, groupId, false))
    }
    return operations
  }

  async function changeMembers(
    groupId: string,
    toAdd: string[] = [],
    toRemove: string[] = [],
  ): Promise<WriteOperation[]> {
    const added = await Promise.all(present(toAdd).map(member))
    const ids = new Set(added.map((user) => user.id))
    // Who is no user is no member: nothing is to be removed.
    const removed = (await Promise.all(present(toRemove).map(tenancy.user))).filter((user) => user !== undefined)
    return [
      ...added.flatMap((user) => membership(user, groupId, true)),
      ...removed.filter((user) => !ids.has(user.id)).flatMap((user) => membership(user, groupId, false)),
    ]
  }
}

const emptyGroup = { ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: [] }

function tagsOf(
  group: GroupDocument,
  given: Checked<typeof groupFields>,
  mergeTags: readonly TagPair[] | undefined,
): { groupTags?: Record<string, string> } {
  return mergeTags ? { groupTags: mergeTagMap(given.groupTags ?? group.groupTags, mergeTags, 'groupTags') } : {}
}

function membership(user: UserDocument, groupId: string, wanted: boolean): WriteOperation[] {
  if (user.experienceGroupIds.includes(groupId) === wanted) return []
  const others = user.experienceGroupIds.filter((one) => one !== groupId)
  const experienceGroupIds = wanted ? [...others, groupId] : others
  return [{ update: 'users', id: user.id, change: { experienceGroupIds }, revision: user.revision }]
}

/** Someone may be named by id and by address. */
function once(operations: WriteOperation[]): WriteOperation[] {
  return [...new Map(operations.map((one) => ['id' in one ? one.id : '', one])).values()]
}

/** Endpoints that are to be restricted to the group, and those that no longer are. */
async function endpointChanges(app: AppStore, groupId: string, wanted: string[]): Promise<WriteOperation[]> {
  const operations: WriteOperation[] = []
  const missing = new Set(wanted)
  const change = (endpoint: { id: string; revision: number }, experienceGroupIds: string[]) =>
    operations.push({
      update: 'endpoints',
      id: endpoint.id,
      change: { experienceGroupIds },
      revision: endpoint.revision,
    })
  for await (const endpoint of matching(app.collection('endpoints'), { list: 'experienceGroupIds', has: [groupId] })) {
    if (!missing.delete(endpoint.id))
      change(
        endpoint,
        endpoint.experienceGroupIds.filter((one) => one !== groupId),
      )
  }
  for (const endpoint of await app.collection('endpoints').getMany([...missing])) {
    missing.delete(endpoint.id)
    change(endpoint, [...endpoint.experienceGroupIds, groupId])
  }
  const [unknown] = missing
  if (unknown !== undefined)
    throw new Refusal('Validation', `Expected "experienceEndpointIds" to name endpoints, got "${unknown}"`)
  return operations
}

async function filterOf(criteria: GroupCriteria, tenancy: TenancyRule): Promise<Filter> {
  switch (criteria.by) {
    case 'id':
      return { field: 'id', op: 'eq', value: criteria.id.trim().toLowerCase() }
    case 'name':
      return criteria.name === '' ? { any: [] } : { field: 'name', op: 'eq', value: criteria.name }
    case 'allTags':
      return tagFilter('groupTags', criteria.tags, 'all')
    case 'anyTags':
      return tagFilter('groupTags', criteria.tags, 'any')
    case 'query':
      return await parseQuery('group', criteria.query, tenancy.queryWorld)
  }
}

/** `groups` in any order; those whose parent is `top` are the children of the root. */
function treeOf(groups: GroupDocument[], root: { id: string; name: string }, top: string | undefined): GroupTree {
  const children = new Map<string | undefined, GroupTree[]>()
  const listOf = (parentId: string | undefined) => {
    const list = children.get(parentId) ?? []
    children.set(parentId, list)
    return list
  }
  for (const { id: groupId, name, parentId } of groups.sort(byName)) {
    listOf(parentId).push({ id: groupId, name, children: listOf(groupId) })
  }
  return { id: root.id, name: root.name, children: listOf(top) }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

function present(members: string[]): string[] {
  return [...new Set(members.filter((one) => one.trim() !== ''))]
}
