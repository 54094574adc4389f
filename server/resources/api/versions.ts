import type { ExperienceVersionDocument, StaticReply, ViewDocument } from '../../store/documents/experience.ts'
import { type Check, flag, isObject, listOf, oneOf, orNothing, readBody, refused, text, whole } from '../check.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, words } from './call.ts'
import { globalList } from './globals.ts'
import { commonSort, listOf as listFrom, listParams } from './lists.ts'

const reply: Check<StaticReply> = (value, place) => {
  const fields = { type: oneOf(['page', 'redirect']), value: text(1, 32_767), statusCode: whole(100, 599) }
  const { type, value: target, statusCode } = readBody(value, fields, `a reply (${place})`)
  if (type === undefined || target === undefined) throw refused(place, '{ type, value }', value)
  return { type, value: target, ...(statusCode === undefined ? {} : { statusCode }) }
}

const headers: Check<Record<string, string>> = (value, place) => {
  if (!isObject(value) || Object.keys(value).length > 10) throw refused(place, 'an object of at most 10 headers', value)
  const entries = Object.entries(value).map(([name, one]) => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw refused(`${place} name`, 'the name of a header', name)
    const content = text(1, 1_024)(one, `${place}.${name}`)
    // What is not printable would end the header.
    if (/[^\t\x20-\x7e]/.test(content)) throw refused(`${place}.${name}`, 'printable text', content)
    return [name, content]
  })
  return Object.fromEntries(entries)
}

const versionFields = {
  description: text(0, 32_767),
  endpointDefaultCors: flag,
  allowedCorsOrigins: listOf(text(8, 270), 100),
  globals: globalList,
  responseHeaders: headers,
  notFoundReply: orNothing(reply),
  unauthorizedReply: orNothing(reply),
}

function versionView(world: ApiWorld, document: ExperienceVersionDocument) {
  const { id, revision: _, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { id, experienceVersionId: id, applicationId: world.app.scope.application, ...fields, ...dates }
}

function viewView(world: ApiWorld, document: ViewDocument) {
  const { id, revision: _, copyOf: _c, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { id, experienceViewId: id, applicationId: world.app.scope.application, ...fields, ...dates }
}

/** By its name, or by its id. */
async function existing({ app }: ApiWorld, idOrName: string | undefined): Promise<ExperienceVersionDocument> {
  const wanted = needed(idOrName, 'experienceVersionIdOrName')
  const versions = app.collection('experienceVersions')
  const named = await versions.first({ field: 'version', op: 'eq', value: wanted })
  return found(named ?? (await versions.get(wanted.toLowerCase())), 'Experience version')
}

const { name: _name, ...datesAndId } = commonSort

export const experienceVersions: Calls = {
  get: call(listParams, async (world, params) => {
    return await listFrom(world, 'experienceVersions', {
      ...{ asked: params, filters: ['version'], sortFields: { version: 'version', ...datesAndId } },
      view: (document) => versionView(world, document),
    })
  }),
}

export const experienceVersion: Calls = {
  get: call({ experienceVersionIdOrName: words }, async (world, params) => {
    return versionView(world, await existing(world, params.experienceVersionIdOrName))
  }),
  patch: call({ experienceVersionIdOrName: words, experienceVersion: body }, async (world, params) => {
    const given = needed(params.experienceVersion, 'experienceVersion')
    const change = readBody(given, versionFields, 'an experience version')
    const { id } = await existing(world, params.experienceVersionIdOrName)
    const update = world.app.collection('experienceVersions').update(id, change)
    return versionView(world, await refusing(update, 'The version exists already'))
  }),
}

export const experienceViews: Calls = {
  get: call(
    { ...listParams, viewType: oneOf(['page', 'layout', 'component']), version: words },
    async (world, params) => {
      const { viewType, version = 'develop' } = params
      const all = [
        { field: 'version', op: 'eq' as const, value: version },
        ...(viewType === undefined ? [] : [{ field: 'viewType', op: 'eq' as const, value: viewType }]),
      ]
      return await listFrom(world, 'views', {
        ...{ asked: params, filters: ['name'], sortFields: commonSort, also: { all } },
        view: (document) => viewView(world, document),
      })
    },
  ),
}

export const experienceView: Calls = {
  get: call({ experienceViewId: anId, version: words }, async (world, { experienceViewId, version }) => {
    const views = world.app.collection('views')
    const named = found(await views.get(needed(experienceViewId, 'experienceViewId')), 'Experience view')
    if (version === undefined || named.version === version) return viewView(world, named)
    // An id means the view of develop; in another version its snapshot.
    const original = named.copyOf ?? named.id
    for await (const one of views.each({ field: 'version', op: 'eq', value: version })) {
      if (one.copyOf === original || one.id === original) return viewView(world, one)
    }
    return found(undefined, 'Experience view')
  }),
}
