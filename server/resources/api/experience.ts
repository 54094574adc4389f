import { Refusal } from '../../../nodes/services/listing.ts'
import { anId, body, type Calls, call, found, fromJson, needed, success, truth, words } from './call.ts'
import { answerOf, listParams, pageOf, patternQuery } from './lists.ts'

export const experienceUsers: Calls = {
  get: call(
    { ...listParams, experienceGroupId: anId, includeAncestorGroups: truth, query: fromJson },
    async (world, params) => {
      const { experienceGroupId: group, includeAncestorGroups, query } = params
      const groups = group === undefined ? undefined : await groupsOf(group, includeAncestorGroups === true)
      const inGroups =
        group === 'none'
          ? [{ experienceGroupId: { $eq: null } }]
          : group === 'any'
            ? [{ experienceGroupId: { $ne: null } }]
            : groups === undefined
              ? []
              : [{ experienceGroupId: { $in: groups } }]
      const narrowed = [...inGroups, patternQuery(params, ['email', 'firstName', 'lastName'])]
      const criteria = { by: 'query' as const, query: query ?? { $and: narrowed } }
      return answerOf(await world.users.find(criteria, pageOf(params)), world, params)

      async function groupsOf(id: string, withAncestors: boolean): Promise<string[]> {
        if (!withAncestors || id === 'any' || id === 'none') return [id]
        const [found] = (await world.groups.find({ by: 'id', id }, { perPage: 1 })).items
        return [id, ...((found?.ancestorIds as string[] | undefined) ?? [])]
      }
    },
  ),
  post: call({ experienceUser: body }, async ({ users }, { experienceUser: given }) => {
    return await users.create(needed(given, 'experienceUser'))
  }),
}

/** An id: an address is no name of a user in the API. */
function userId(id: string | undefined): string {
  const given = needed(id, 'experienceUserId')
  if (/^[0-9a-f]{24}$/.test(given)) return given
  throw new Refusal('NotFound', 'Experience user was not found')
}

export const experienceUser: Calls = {
  get: call({ experienceUserId: anId }, async ({ users }, { experienceUserId }) => {
    return found(await users.get(userId(experienceUserId)), 'Experience user')
  }),
  patch: call({ experienceUserId: anId, experienceUser: body }, async ({ users }, params) => {
    return await users.update(userId(params.experienceUserId), needed(params.experienceUser, 'experienceUser'))
  }),
  delete: call({ experienceUserId: anId }, async ({ users }, { experienceUserId }) => {
    if (await users.remove(userId(experienceUserId))) return success
    throw new Refusal('NotFound', 'Experience user was not found')
  }),
}

export const experienceGroups: Calls = {
  get: call({ ...listParams, query: fromJson }, async (world, params) => {
    const criteria = { by: 'query' as const, query: params.query ?? patternQuery(params, ['name']) }
    return answerOf(await world.groups.find(criteria, pageOf(params)), world, params)
  }),
  post: call({ experienceGroup: body }, async ({ groups }, { experienceGroup: given }) => {
    return await groups.create(needed(given, 'experienceGroup'))
  }),
}

export const experienceGroup: Calls = {
  get: call(
    { experienceGroupId: anId, includeDirectDeviceCount: truth, includeTotalDeviceCount: truth },
    async ({ groups, devices }, params) => {
      const id = needed(params.experienceGroupId, 'experienceGroupId')
      const group = found((await groups.find({ by: 'id', id }, { perPage: 1 })).items[0], 'Experience group')
      if (params.includeDirectDeviceCount) {
        throw new Refusal('Validation', 'Expected no "includeDirectDeviceCount": it is not counted here')
      }
      if (!params.includeTotalDeviceCount) return group
      const { totalCount } = await devices.find({ by: 'group', groupId: id }, { perPage: 0 }, {})
      return { ...group, totalDeviceCount: totalCount }
    },
  ),
  patch: call({ experienceGroupId: anId, experienceGroup: body }, async ({ groups }, params) => {
    const id = needed(params.experienceGroupId, 'experienceGroupId')
    return await groups.update(id, needed(params.experienceGroup, 'experienceGroup'))
  }),
  delete: call({ experienceGroupId: words }, async ({ groups }, { experienceGroupId }) => {
    if (await groups.remove(needed(experienceGroupId, 'experienceGroupId'))) return success
    throw new Refusal('NotFound', 'Experience group was not found')
  }),
}
