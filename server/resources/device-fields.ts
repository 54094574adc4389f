import type { Payload } from '../../engine/payload.ts'
import type { DeviceMerge } from '../../nodes/services/devices.ts'
import { Refusal, type TagPair } from '../../nodes/services/listing.ts'
import type { AttributeDefinition, DeviceDocument, RecipeDocument } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import {
  type Check,
  type Checked,
  flag,
  id,
  isObject,
  keyText,
  listOf,
  oneOf,
  orNothing,
  readBody,
  refused,
  tagList,
  tagMap,
  tagValue,
  text,
  whole,
} from './check.ts'
import { systemRule } from './system-fields.ts'

export const deviceClasses = [
  'standalone',
  'gateway',
  'peripheral',
  'floating',
  'edgeCompute',
  'embedded',
  'system',
] as const

const attributeFields = {
  name: keyText,
  dataType: oneOf(['number', 'string', 'boolean', 'gps', 'blob']),
  contentType: text(0, 64),
  description: text(0, 32_767),
  attributeTags: tagMap,
  system: orNothing(systemRule),
}

/** A list of attributes, or an object of them by name; each name once. */
const attributeList: Check<AttributeDefinition[]> = (value, place) => {
  const given = isObject(value)
    ? Object.entries(value).map(([name, one]) => (isObject(one) ? { ...one, name } : one))
    : value
  const attributes = listOf(attribute, 256)(given, place)
  const seen = new Set<string>()
  for (const { name } of attributes) {
    if (seen.has(name)) throw new Refusal('Validation', `Expected each attribute once, got "${name}" twice`)
    seen.add(name)
  }
  return attributes
}

const attribute: Check<AttributeDefinition> = (value, place) => {
  const {
    name,
    dataType,
    attributeTags = {},
    contentType,
    ...rest
  } = readBody(value, attributeFields, `an attribute (${place})`)
  if (name === undefined) throw refused(`${place}.name`, 'the name of an attribute', undefined)
  if (dataType === undefined) throw refused(`${place}.dataType`, 'number, string, boolean, gps or blob', undefined)
  return { name, dataType, attributeTags, ...rest, ...(dataType === 'blob' && contentType ? { contentType } : {}) }
}

export const deviceFields = {
  name: text(1, 255),
  description: text(0, 32_767),
  deviceClass: oneOf(deviceClasses),
  tags: tagList,
  attributes: attributeList,
  gatewayId: orNothing(id),
  parentId: orNothing(id),
  systemInterval: whole(5, 3600),
  keepDuplicates: flag,
}
export type DeviceFields = Checked<typeof deviceFields>

/** Reads the body of a create or an update. Throws Refusal. */
export function readDevice(body: Payload): DeviceFields {
  return readBody(body, deviceFields, 'a device')
}

/** The given fields over those of a recipe: tags by key, attributes by name, everything else whole. */
export function overRecipe(given: DeviceFields, recipe: RecipeDocument): DeviceFields {
  const { deviceName, deviceDescription, name: _name, description: _description, ...template } = recipe.template
  const known = Object.entries({ ...template, name: deviceName, description: deviceDescription }).filter(
    ([key, value]) => Object.hasOwn(deviceFields, key) && value !== null && value !== undefined,
  )
  const base = readDevice(Object.fromEntries(known))
  const made: Tag = { key: 'DeviceRecipe', value: recipe.name }
  const own = given.tags ?? []
  const inherited = (base.tags ?? []).filter((tag) => tag.key !== made.key && !own.some(({ key }) => key === tag.key))
  const attributes = new Map([...(base.attributes ?? []), ...(given.attributes ?? [])].map((one) => [one.name, one]))
  return {
    ...base,
    ...given,
    tags: [...inherited, ...own.filter((tag) => tag.key !== made.key), made],
    attributes: [...attributes.values()],
  }
}

/** A pair with a value takes the place of all tags of its key, one without removes them. Other tags stay. */
export function mergeTags(tags: readonly Tag[], pairs: readonly TagPair[]): Tag[] {
  const keys = new Set(pairs.map(({ key }) => key))
  const set = pairs.flatMap(({ key, value }) =>
    key && value ? [{ key: keyText(key, 'tags key'), value: tagValue(value, `tags.${key.slice(0, 80)}`) }] : [],
  )
  return tagList([...tags.filter((tag) => !keys.has(tag.key)), ...set], 'tags')
}

/** Merged by name; one that is named without a type is removed. What is not given of an attribute stays as it is. */
export function mergeAttributes(
  attributes: readonly AttributeDefinition[],
  changes: NonNullable<DeviceMerge['mergeAttributes']>,
): AttributeDefinition[] {
  const merged = new Map(attributes.map((one) => [one.name, one]))
  for (const { name, dataType, contentType } of changes) {
    const before = merged.get(name)
    if (dataType === undefined || dataType === '') merged.delete(name)
    else
      merged.set(name, attribute({ ...before, name, dataType, ...(contentType ? { contentType } : {}) }, 'attributes'))
  }
  return attributeList([...merged.values()], 'attributes')
}

/** What follows of the class: fields that it has not are left out. Throws Refusal for a class that cannot be changed to. */
export function byClass(fields: DeviceFields, before?: DeviceDocument): DeviceFields {
  const deviceClass = fields.deviceClass ?? before?.deviceClass ?? 'standalone'
  if (before !== undefined && (before.deviceClass === 'system') !== (deviceClass === 'system')) {
    throw new Refusal('Validation', 'The class of a device cannot change to or from system. Make another device.')
  }
  const result = { ...fields }
  if (deviceClass !== 'system') {
    delete result.systemInterval
    delete result.keepDuplicates
  }
  if (deviceClass !== 'peripheral') {
    if (fields.gatewayId !== undefined) {
      throw new Refusal('Validation', `Expected "gatewayId" only for a peripheral, got it for the class ${deviceClass}`)
    }
    if (before?.gatewayId !== undefined) result.gatewayId = undefined
  }
  return result
}
