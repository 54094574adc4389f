import { createVersion, deleteVersion } from '../../experience/versions.ts'
import type { ExperienceVersionDocument, StaticReply } from '../../store/documents/experience.ts'
import { type Check, flag, isObject, listOf, oneOf, orNothing, readBody, refused, text, whole } from '../check.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, body, type Calls, call, found, needed, success, words } from './call.ts'
import { globalList } from './globals.ts'
import { commonSort, listOf as listFrom, listParams } from './lists.ts'

export const reply: Check<StaticReply> = (value, place) => {
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

const newFields = {
  ...{ ...versionFields, description: text(0, 32_767), version: text(1, 255), sourceVersionIdOrName: text(1, 255) },
  // Which hosts show a version is not for its flows to say.
  ...{ domainIds: none, slugIds: none },
}

function none(value: unknown, place: string): undefined {
  if (Array.isArray(value) && value.length === 0) return undefined
  throw refused(place, 'empty: an administrator points hosts at versions', value)
}

function versionView(world: ApiWorld, document: ExperienceVersionDocument) {
  const { id, revision: _, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { id, experienceVersionId: id, applicationId: world.app.scope.application, ...fields, ...dates }
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
  post: call({ experienceVersion: body }, async (world, params) => {
    const given = readBody(needed(params.experienceVersion, 'experienceVersion'), newFields, 'an experience version')
    const {
      version,
      sourceVersionIdOrName: source = 'develop',
      description,
      domainIds: _d,
      slugIds: _s,
      ...settings
    } = given
    if ((await existing(world, source)).version !== 'develop') {
      throw refused('sourceVersionIdOrName', '"develop", of which all versions are made', source)
    }
    const made = await createVersion(world, {
      version: needed(version, 'version'),
      description: description || undefined,
    })
    const versions = world.app.collection('experienceVersions')
    if (Object.keys(settings).length > 0) await refusing(versions.update(made.id, settings), '')
    return versionView(world, await existing(world, made.id))
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
  delete: call({ experienceVersionIdOrName: words }, async (world, params) => {
    const { version } = await existing(world, params.experienceVersionIdOrName)
    await deleteVersion(world, version)
    return success
  }),
}
