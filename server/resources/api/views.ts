import { Refusal } from '../../../nodes/services/listing.ts'
import { checkView } from '../../experience/views.ts'
import type { ViewDocument } from '../../store/documents/experience.ts'
import { type Check, oneOf, orNothing, readBody, refused, tagMap, text } from '../check.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, success, words } from './call.ts'
import { commonSort, listOf, listParams } from './lists.ts'

const viewTypes = oneOf(['page', 'layout', 'component'])
const mostBytes = 131_072

const bytes: Check<string> = (value, place) => {
  const given = text(0, mostBytes)(value, place)
  if (Buffer.byteLength(given) <= mostBytes) return given
  throw refused(place, `text of at most ${mostBytes} bytes`, given)
}

const headers = (value: unknown, place: string): Record<string, string> => {
  const { 'content-type': type } = readBody(value, { 'content-type': text(1, 255) }, place)
  if (type !== undefined && /[^\t\x20-\x7e]/.test(type)) throw refused(`${place}.content-type`, 'printable text', type)
  return type === undefined ? {} : { 'content-type': type }
}

const patchFields = {
  ...{ name: text(1, 255), description: orNothing(text(0, 32_767)), layoutId: orNothing(anId), body: bytes },
  ...{ viewTags: tagMap, headers: orNothing(headers) },
}

export const experienceViews: Calls = {
  get: call({ ...listParams, viewType: viewTypes, version: words }, async (world, params) => {
    const { viewType, version = 'develop' } = params
    const all = [
      { field: 'version', op: 'eq' as const, value: version },
      ...(viewType === undefined ? [] : [{ field: 'viewType', op: 'eq' as const, value: viewType }]),
    ]
    return await listOf(world, 'views', {
      ...{ asked: params, filters: ['name'], sortFields: commonSort, also: { all } },
      view: (document) => viewOf(world, document),
    })
  }),
  post: call({ experienceView: body }, async (world, params) => {
    const fields = { ...patchFields, viewType: viewTypes }
    const given = readBody(needed(params.experienceView, 'experienceView'), fields, 'an experience view')
    const { name, viewType, body: content = '', viewTags = {} } = given
    if (name === undefined) throw refused('name', 'text of 1 to 255 characters', undefined)
    if (viewType === undefined) throw refused('viewType', 'one of page, layout, component', undefined)
    const rest = await forType(world, viewType, given)
    const document = { ...rest, name, viewType, body: content, viewTags, version: 'develop' }
    const views = world.app.collection('views')
    return viewOf(world, await refusing(views.insert(document), taken))
  }),
}

const taken = 'Expected a name that no view of this type has'
const one = { experienceViewId: anId }

export const experienceView: Calls = {
  get: call({ ...one, version: words }, async (world, { experienceViewId, version }) => {
    const named = await existing(world, experienceViewId)
    if (version === undefined || named.version === version) return viewOf(world, named)
    // An id means the view of develop; in another version its snapshot.
    const original = named.copyOf ?? named.id
    for await (const view of world.app.collection('views').each({ field: 'version', op: 'eq', value: version })) {
      if (view.copyOf === original || view.id === original) return viewOf(world, view)
    }
    return found(undefined, 'Experience view')
  }),
  patch: call({ ...one, experienceView: body }, async (world, { experienceViewId, experienceView: given }) => {
    const patch = readBody(needed(given, 'experienceView'), patchFields, 'an experience view')
    const before = await changeable(world, experienceViewId)
    const change = await forType(world, before.viewType, patch)
    return viewOf(world, await refusing(world.app.collection('views').update(before.id, change), taken))
  }),
  delete: call(one, async (world, { experienceViewId }) => {
    await world.app.collection('views').remove((await changeable(world, experienceViewId)).id)
    return success
  }),
}

async function existing({ app }: ApiWorld, id: string | undefined): Promise<ViewDocument> {
  return found(await app.collection('views').get(needed(id, 'experienceViewId')), 'Experience view')
}

/** A version with a name is a snapshot. */
async function changeable(world: ApiWorld, id: string | undefined): Promise<ViewDocument> {
  const view = await existing(world, id)
  if (view.version === 'develop') return view
  throw refused('experienceViewId', `a view of develop (those of "${view.version}" stay as they are)`, view.id)
}

/** The fields that a view of the type has: only pages have a layout and headers. Throws Refusal for a body that is no template of it. */
async function forType<F extends { body?: string; layoutId?: string; headers?: Record<string, string> }>(
  { app }: ApiWorld,
  viewType: ViewDocument['viewType'],
  fields: F,
): Promise<F> {
  const wrong = fields.body ? checkView(fields.body, viewType) : undefined
  if (wrong !== undefined) throw new Refusal('Validation', `The body is no ${viewType}: ${wrong.message}`)
  if (viewType !== 'page') {
    const { layoutId: _l, headers: _h, ...rest } = fields
    return rest as F
  }
  const { layoutId } = fields
  const layout = layoutId === undefined ? undefined : await app.collection('views').get(layoutId)
  if (layoutId === undefined || (layout?.viewType === 'layout' && layout.version === 'develop')) return fields
  throw refused('layoutId', 'the id of a layout of develop', layoutId)
}

function viewOf(world: ApiWorld, document: ViewDocument) {
  const { id, revision: _, copyOf: _c, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { id, experienceViewId: id, applicationId: world.app.scope.application, ...fields, ...dates }
}
