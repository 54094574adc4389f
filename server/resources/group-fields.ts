import type { Tag } from '../store/documents/document.ts'
import { type Check, id, ids, isObject, keyText, listOf, orNothing, refused, tagMap, tagValue, text } from './check.ts'

const tagPair: Check<Partial<Tag>> = (value, place) => {
  if (!isObject(value)) throw refused(place, '{ key, value }, { key } or { value }', value)
  const { key, value: one } = value
  const pair = {
    ...(key === undefined || key === null || key === '' ? {} : { key: keyText(key, `${place}.key`) }),
    ...(one === undefined || one === null || one === '' ? {} : { value: tagValue(one, `${place}.value`) }),
  }
  if (Object.keys(pair).length === 0) throw refused(place, 'a pair with a key or a value', value)
  return pair
}

/** The text of a query; a query that is not text yet is written as JSON. Tenancy checks what it says. */
const queryText: Check<string> = (value, place) => text(0, 8192)(isObject(value) ? JSON.stringify(value) : value, place)

/** What may be written of a group. Tenancy checks what queries and parents say. */
export const groupFields = {
  name: text(1, 255),
  description: text(0, 32_767),
  parentId: orNothing(id),
  groupTags: tagMap,
  deviceIds: ids(1000),
  deviceTags: listOf(tagPair, 100),
  deviceQueryJson: orNothing(queryText),
  experienceUserIds: ids(1000),
  experienceEndpointIds: ids(1000),
}
