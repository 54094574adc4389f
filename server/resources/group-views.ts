import type { GroupView } from '../../nodes/services/people.ts'
import type { GroupDocument } from '../store/documents/people.ts'
import type { AppStore } from '../store/port.ts'
import { chunks, matching } from '../tenancy/batch.ts'
import { isoOf } from './listing.ts'

/** Groups as flows see them, in the given order. Members and endpoints of all of them are read in one go. */
export async function toGroupViews(app: AppStore, groups: readonly GroupDocument[]): Promise<GroupView[]> {
  const ids = groups.map((group) => group.id)
  const users = await namedBy(app, 'users', ids)
  const endpoints = await namedBy(app, 'endpoints', ids)
  return groups.map((group) => ({
    id: group.id,
    experienceGroupId: group.id,
    applicationId: app.scope.application,
    name: group.name,
    description: group.description ?? '',
    parentId: group.parentId ?? null,
    ancestorIds: [...group.ancestorIds],
    experienceUserIds: users.get(group.id) ?? [],
    experienceEndpointIds: endpoints.get(group.id) ?? [],
    groupTags: { ...group.groupTags },
    deviceIds: [...group.deviceIds],
    deviceTags: group.deviceTags.map((pair) => ({ ...pair })),
    deviceQueryJson: group.deviceQueryJson ?? null,
    creationDate: isoOf(group.creationDate),
    lastUpdated: isoOf(group.lastUpdated),
  }))
}

/** Per group the ids of users or endpoints that name it, by id. */
async function namedBy(app: AppStore, name: 'users' | 'endpoints', groupIds: string[]): Promise<Map<string, string[]>> {
  const found = new Map(groupIds.map((groupId) => [groupId, [] as string[]]))
  for (const has of chunks(groupIds, 500)) {
    const naming: AsyncIterable<{ id: string; experienceGroupIds: string[] }> =
      name === 'users'
        ? matching(app.collection('users'), { list: 'experienceGroupIds', has })
        : matching(app.collection('endpoints'), { list: 'experienceGroupIds', has })
    for await (const one of naming) {
      for (const groupId of one.experienceGroupIds) if (has.includes(groupId)) found.get(groupId)?.push(one.id)
    }
  }
  return found
}
