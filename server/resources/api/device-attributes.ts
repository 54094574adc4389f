import { Refusal } from '../../../nodes/services/listing.ts'
import { readBody, refused, tagMap, text } from '../check.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, success, words } from './call.ts'

type Attribute = Record<string, unknown> & { name: string; dataType: string }

const listed = { deviceId: anId, sortField: words, sortDirection: words, filterField: words, filter: words }
const one = { deviceId: anId, name: words }

export const deviceAttributes: Calls = {
  get: call(listed, async (world, params) => {
    const { sortField = 'name', sortDirection = 'asc', filterField = 'name', filter = '' } = params
    for (const [place, field] of Object.entries({ sortField, filterField })) {
      if (field !== 'name' && field !== 'dataType') throw refused(place, 'name or dataType', field)
    }
    const { id, attributes } = await deviceOf(world, params.deviceId)
    const key = (attribute: Attribute, field: string) => String(attribute[field]).toLowerCase()
    const wanted = filter.replace(/^\*+|\*+$/g, '').toLowerCase()
    const fits = (value: string) =>
      (filter.startsWith('*') ? value.endsWith(wanted) || (filter.endsWith('*') && value.includes(wanted)) : false) ||
      (filter.endsWith('*') ? !filter.startsWith('*') && value.startsWith(wanted) : value === wanted)
    const items = attributes.filter((attribute) => filter === '' || fits(key(attribute, filterField)))
    const sign = sortDirection === 'desc' ? -1 : 1
    items.sort((a, b) => sign * (key(a, sortField) < key(b, sortField) ? -1 : 1))
    const views = items.map((attribute) => viewOf(world, id, attribute))
    const whose = { deviceId: id, applicationId: world.app.scope.application }
    return { items: views, count: views.length, sortField, sortDirection, filterField, filter, ...whose }
  }),
  post: call({ deviceId: anId, deviceAttribute: body }, async (world, params) => {
    const attribute = needed(params.deviceAttribute, 'deviceAttribute')
    const { id, attributes } = await deviceOf(world, params.deviceId)
    if (attributes.some(({ name }) => name === attribute.name)) {
      throw new Refusal('AlreadyExists', `The device has an attribute "${String(attribute.name).slice(0, 80)}" already`)
    }
    const after = await write(world, id, [...attributes, attribute as Attribute])
    return viewOf(world, id, attributeOf(after, String(attribute.name)))
  }),
}

// The type stays: values of another would be no values of the attribute.
const patchFields = {
  contentType: text(0, 64),
  description: text(0, 32_767),
  attributeTags: tagMap,
  name: text(1, 255),
}

export const deviceAttribute: Calls = {
  get: call(one, async (world, { deviceId, name }) => {
    const { id, attributes } = await deviceOf(world, deviceId)
    return viewOf(world, id, attributeOf(attributes, needed(name, 'name')))
  }),
  patch: call({ ...one, deviceAttribute: body }, async (world, { deviceId, name, deviceAttribute: given }) => {
    const { name: renamed, ...patch } = readBody(needed(given, 'deviceAttribute'), patchFields, 'an attribute')
    const { id, attributes } = await deviceOf(world, deviceId)
    const before = attributeOf(attributes, needed(name, 'name'))
    if (renamed !== undefined && renamed !== before.name) throw refused('name', `"${before.name}", as it is`, renamed)
    const after = await write(
      world,
      id,
      attributes.map((attribute) => (attribute === before ? { ...attribute, ...patch } : attribute)),
    )
    return viewOf(world, id, attributeOf(after, before.name))
  }),
  delete: call(one, async (world, { deviceId, name }) => {
    const { id, attributes } = await deviceOf(world, deviceId)
    const gone = attributeOf(attributes, needed(name, 'name'))
    await write(
      world,
      id,
      attributes.filter((attribute) => attribute !== gone),
    )
    return success
  }),
}

async function deviceOf({ devices }: ApiWorld, deviceId: string | undefined) {
  const device = found(await devices.get(needed(deviceId, 'deviceId'), {}), 'Device')
  return { id: String(device.id), attributes: device.attributes as Attribute[] }
}

async function write({ devices }: ApiWorld, id: string, attributes: Attribute[]): Promise<Attribute[]> {
  return (await devices.update(id, { attributes }, {})).attributes as Attribute[]
}

function attributeOf(attributes: readonly Attribute[], wanted: string): Attribute {
  return found(
    attributes.find(({ name }) => name === wanted),
    'Device attribute',
  )
}

function viewOf({ app }: ApiWorld, deviceId: string, attribute: Attribute) {
  return { ...attribute, deviceId, applicationId: app.scope.application }
}
