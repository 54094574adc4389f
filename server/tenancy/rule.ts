import type { Tenancy } from '../../nodes/services/people.ts'
import type { QueryWorld } from '../query.ts'
import type { UserDocument } from '../store/documents/people.ts'
import { isId } from '../store/id.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { chunks, matching } from './batch.ts'
import { emailKeyOf } from './members.ts'
import { systemsBelow } from './systems.ts'

/** The rule of tenancy over what tenancyWrite keeps. Nothing is remembered from one question to the next. */
export interface TenancyRule extends Tenancy {
  /** 24 hex characters are an id, anything else an e-mail address. Undefined for blank and unknown. */
  user(idOrEmail: string): Promise<UserDocument | undefined>
  /** The devices of a user's or a group's world. Blank and unknown: none. */
  devicesOfUser(idOrEmail: string): Promise<Filter>
  devicesOfGroup(groupId: string): Filter
  /** Groups that associate the device directly, groups above these, and the direct members of both, each once, by id. */
  whoCanSee(deviceId: string): Promise<{ direct: string[]; above: string[]; userIds: string[] }>
  /** The users who can see the device. Blank and unknown: none. */
  usersWhoSee(deviceId: string): Promise<Filter>
  /** Devices of the group itself, and with those of all groups below it. */
  deviceCounts(groupId: string): Promise<{ direct: number; total: number }>
  /** What queries look up. */
  queryWorld: QueryWorld
}

const nobody: Filter = { any: [] }

export function openTenancy(app: AppStore): TenancyRule {
  const users = app.collection('users')
  const groups = app.collection('groups')
  const devices = app.collection('devices')

  async function user(idOrEmail: string): Promise<UserDocument | undefined> {
    const text = textOf(idOrEmail)
    if (text === '') return undefined
    if (/^[0-9a-f]{24}$/i.test(text)) return await users.get(text.toLowerCase())
    return await users.first({ field: 'emailKey', op: 'eq', value: emailKeyOf(text) })
  }

  function devicesOfGroups(ids: readonly string[]): Filter {
    return ids.length === 0 ? nobody : { within: ids }
  }

  function devicesOfGroup(groupId: string): Filter {
    const id = idOf(groupId)
    return isId(id) ? devicesOfGroups([id]) : nobody
  }

  async function devicesOfUser(idOrEmail: string): Promise<Filter> {
    return devicesOfGroups((await user(idOrEmail))?.experienceGroupIds ?? [])
  }

  async function groupsWithDevice(deviceId: string): Promise<{ direct: string[]; above: string[] }> {
    const direct = (await devices.get(idOf(deviceId)))?.groupIds ?? []
    const above = new Set<string>()
    for (const part of chunks(direct, 1_000)) {
      for (const group of await groups.getMany(part)) for (const ancestor of group.ancestorIds) above.add(ancestor)
    }
    for (const id of direct) above.delete(id)
    return { direct: [...direct], above: [...above].sort() }
  }

  async function usersWhoSee(deviceId: string): Promise<Filter> {
    const { direct, above } = await groupsWithDevice(deviceId)
    return { list: 'experienceGroupIds', has: [...direct, ...above] }
  }

  return {
    user,
    devicesOfUser,
    devicesOfGroup,
    usersWhoSee,

    async verify({ device, subject, kind }) {
      const id = idOf(device)
      if (!isId(id)) return false
      const world = kind === 'experienceGroup' ? devicesOfGroup(subject) : await devicesOfUser(subject)
      return 'within' in world && (await devices.matches(id, world))
    },

    async verifyGroup({ user: idOrEmail, group: groupId }) {
      const id = idOf(groupId)
      if (!isId(id)) return false
      const direct = (await user(idOrEmail))?.experienceGroupIds ?? []
      if (direct.length === 0) return false
      const group = await groups.get(id)
      return group !== undefined && [group.id, ...group.ancestorIds].some((one) => direct.includes(one))
    },

    async whoCanSee(deviceId) {
      const userIds: string[] = []
      for await (const one of matching(users, await usersWhoSee(deviceId))) userIds.push(one.id)
      return { ...(await groupsWithDevice(deviceId)), userIds }
    },

    async deviceCounts(groupId) {
      const id = idOf(groupId)
      if (!isId(id)) return { direct: 0, total: 0 }
      return {
        direct: await devices.count({ list: 'groupIds', has: [id] }),
        total: await devices.count({ within: [id] }),
      }
    },

    queryWorld: {
      groupsOfUser: async (id) => (await users.get(id))?.experienceGroupIds ?? [],
      groupsOfGroup: async (id) => (isId(id) ? [id] : []),
      systemsBelow: (id) => systemsBelow(app, id),
      groupsOfEndpoint: async (id) => (await app.collection('endpoints').get(id))?.experienceGroupIds ?? [],
    },
  }
}

// In capitals an id is the same id, wherever it is asked for.
function idOf(value: unknown): string {
  return textOf(value).toLowerCase()
}

// Templates may give anything at run time, whatever the types say.
function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
