import { Refusal } from '../../../nodes/services/listing.ts'
import { routeConflicts } from '../../experience/match.ts'
import type { EndpointDocument } from '../../store/documents/experience.ts'
import { newId } from '../../store/id.ts'
import type { Filter } from '../../store/port.ts'
import { tenancyWrite } from '../../tenancy/write.ts'
import { flag, ids, oneOf, orNothing, readBody, refused, tagMap, text } from '../check.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, success, words } from './call.ts'
import { patternFilter } from './lists.ts'
import { reply } from './versions.ts'

const fields = {
  ...{ description: orNothing(text(0, 32_767)), route: text(1, 1_024), enabled: flag, endpointTags: tagMap },
  method: oneOf(['delete', 'get', 'options', 'patch', 'post', 'put']),
  access: oneOf(['public', 'authenticated', 'group', 'device']),
  ...{ deviceIdTemplate: orNothing(text(0, 255)), staticReply: orNothing(reply), unauthorizedReply: orNothing(reply) },
  experienceGroupIds: ids(1_000),
}

const sortFields = ['order', 'method', 'route', 'id', 'creationDate', 'lastUpdated'] as const
const listParams = {
  ...{ sortField: oneOf(sortFields), sortDirection: oneOf(['asc', 'desc']), filterField: words, filter: words },
  ...{ experienceGroupId: anId, version: words },
}

export const experienceEndpoints: Calls = {
  get: call(listParams, async (world, params) => {
    const { sortField = 'order', sortDirection = 'asc', version = 'develop', experienceGroupId } = params
    const { filter = '', filterField = '' } = params
    const field = sortField === 'order' ? 'route' : sortField
    const all: Filter[] = [
      { field: 'version', op: 'eq', value: version },
      patternFilter({ filter: params.filter, filterField: params.filterField }, ['route', 'method']),
      ...(experienceGroupId ? [{ list: 'experienceGroupIds', has: [experienceGroupId] }] : []),
    ]
    const sort = { field, direction: sortDirection } as const
    const endpoints = await world.app.collection('endpoints').find({ filter: { all }, sort, limit: 10_000 })
    const items = await viewsOf(world, endpoints)
    const asked = { sortField, sortDirection, filter, filterField, version }
    return { items, count: items.length, ...asked, applicationId: world.app.scope.application }
  }),
  post: call({ experienceEndpoint: body }, async (world, params) => {
    const given = readBody(needed(params.experienceEndpoint, 'experienceEndpoint'), fields, 'an experience endpoint')
    const { method, route, ...others } = given
    if (method === undefined) throw refused('method', 'one of delete, get, options, patch, post, put', undefined)
    if (route === undefined) throw refused('route', 'text of 1 to 1024 characters', undefined)
    await checkRoute(world, { method, route })
    const id = newId()
    const defaults = { enabled: true, access: 'public' as const, endpointTags: {}, experienceGroupIds: [] }
    const document = { ...defaults, ...others, id, method, route, version: 'develop' }
    await refusing(tenancyWrite(world.app, [{ insert: 'endpoints', document }]), taken)
    return await viewOf(world, await existing(world, id))
  }),
}

const taken = 'Expected a method and route that no endpoint has'
const one = { experienceEndpointId: anId }

export const experienceEndpoint: Calls = {
  get: call({ ...one, version: words }, async (world, { experienceEndpointId, version = 'develop' }) => {
    const named = await existing(world, experienceEndpointId)
    const original = named.copyOf ?? named.id
    if (named.version === version) return await viewOf(world, named)
    // An id means the endpoint of develop; in another version its snapshot.
    for await (const endpoint of world.app
      .collection('endpoints')
      .each({ field: 'version', op: 'eq', value: version })) {
      if (endpoint.copyOf === original || endpoint.id === original) return await viewOf(world, endpoint)
    }
    return found(undefined, 'Experience endpoint')
  }),
  patch: call({ ...one, experienceEndpoint: body }, async (world, params) => {
    const change = readBody(needed(params.experienceEndpoint, 'experienceEndpoint'), fields, 'an experience endpoint')
    const before = await changeable(world, params.experienceEndpointId)
    const { method = before.method, route = before.route } = change
    if (method !== before.method || route !== before.route) await checkRoute(world, { method, route }, before.id)
    await refusing(tenancyWrite(world.app, [{ update: 'endpoints', id: before.id, change }]), taken)
    return await viewOf(world, await existing(world, before.id))
  }),
  delete: call(one, async (world, { experienceEndpointId }) => {
    const { id } = await changeable(world, experienceEndpointId)
    await tenancyWrite(world.app, [{ remove: 'endpoints', id }])
    return success
  }),
}

/** Throws Refusal for a route that cannot be read, and for one that fits the same requests as another of develop. */
async function checkRoute({ app }: ApiWorld, wanted: { method: string; route: string }, own?: string): Promise<void> {
  const all: Filter[] = [
    { field: 'version', op: 'eq', value: 'develop' },
    { field: 'method', op: 'eq', value: wanted.method },
  ]
  const others = await app.collection('endpoints').find({ filter: { all }, limit: 10_000 })
  const problems = routeConflicts([...others.filter(({ id }) => id !== own), wanted])
  const problem = problems.find(({ endpoints }) => endpoints.includes(wanted))
  if (problem !== undefined) throw new Refusal('Validation', problem.message)
}

async function existing({ app }: ApiWorld, id: string | undefined): Promise<EndpointDocument> {
  return found(await app.collection('endpoints').get(needed(id, 'experienceEndpointId')), 'Experience endpoint')
}

/** A version with a name is a snapshot. */
async function changeable(world: ApiWorld, id: string | undefined): Promise<EndpointDocument> {
  const endpoint = await existing(world, id)
  if (endpoint.version === 'develop') return endpoint
  const expected = `an endpoint of develop (those of "${endpoint.version}" stay as they are)`
  throw refused('experienceEndpointId', expected, endpoint.id)
}

async function viewOf(world: ApiWorld, endpoint: EndpointDocument) {
  return (await viewsOf(world, [endpoint]))[0]!
}

/** With the names of their groups, which are read in one go. */
async function viewsOf({ app }: ApiWorld, endpoints: readonly EndpointDocument[]) {
  const groupIds = [...new Set(endpoints.flatMap(({ experienceGroupIds }) => experienceGroupIds))].slice(0, 1_000)
  const names = new Map((await app.collection('groups').getMany(groupIds)).map(({ id, name }) => [id, name]))
  return endpoints.map((document) => {
    const { id, revision: _, copyOf: _c, creationDate, lastUpdated, experienceGroupIds, ...fields } = document
    const experienceGroups = experienceGroupIds.map((group) => ({ id: group, name: names.get(group) ?? '' }))
    const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
    return { id, experienceEndpointId: id, applicationId: app.scope.application, ...fields, experienceGroups, ...dates }
  })
}
