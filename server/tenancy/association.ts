import { Refusal } from '../../nodes/services/listing.ts'
import { matchesFilter } from '../filter.ts'
import { parseQuery } from '../query.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import type { GroupDocument } from '../store/documents/people.ts'
import type { Filter } from '../store/port.ts'

/** A group with its device query read. */
export interface Associator {
  group: GroupDocument
  /** Undefined: no query, which matches nothing. */
  query?: Filter
  /** The query asks what lies below a system device: moving a system can change its answer for other devices. */
  treeQuery: boolean
}

/**
 * Reads the device query of a group. Throws Refusal `Validation` when it is no device query, or asks for users or groups.
 * `systemsBelow` gives a device and all systems below it.
 */
export async function readAssociator(
  group: GroupDocument,
  systemsBelow: (id: string) => Promise<readonly string[]>,
): Promise<Associator> {
  const text = group.deviceQueryJson
  if (text === undefined || text === null || text.trim() === '') return { group, treeQuery: false }
  if (text.length > 8192) {
    throw new Refusal('Validation', `Expected "deviceQueryJson" of at most 8192 characters, got ${text.length}`)
  }
  let treeQuery = false
  const query = await parseQuery('device', text, {
    systemsBelow(id) {
      treeQuery = true
      return systemsBelow(id)
    },
  })
  // Deciding who is in a group is a write of the device: the answer would change the question.
  if (mentions(query, 'lastUpdated')) {
    throw new Refusal('Validation', 'Query at lastUpdated: "lastUpdated" cannot be used in the query of a group')
  }
  return { group, query, treeQuery }
}

/** The rule: the device is listed, or has one of the tags, or matches the query. */
export function associates({ group, query }: Associator, device: DeviceDocument): boolean {
  if (group.deviceIds.includes(device.id)) return true
  if (group.deviceTags.some((pair) => device.tags.some((tag) => fits(pair, tag)))) return true
  return query !== undefined && matchesFilter(query, device)
}

/** The same rule as a filter of devices. */
export function associationFilter({ group, query }: Associator): Filter {
  const filters: Filter[] = []
  if (group.deviceIds.length > 0) filters.push({ field: 'id', op: 'in', value: group.deviceIds })
  for (const { key, value } of group.deviceTags.filter(isPair)) {
    filters.push({ tag: 'tags', ...(key ? { key: { in: [key] } } : {}), ...(value ? { value: { in: [value] } } : {}) })
  }
  if (query !== undefined) filters.push(query)
  return { any: filters }
}

/** A pair with both sides blank is ignored. */
export function isPair(pair: Partial<Tag>): boolean {
  return Boolean(pair.key) || Boolean(pair.value)
}

function mentions(filter: Filter, field: string): boolean {
  if ('all' in filter) return filter.all.some((one) => mentions(one, field))
  if ('any' in filter) return filter.any.some((one) => mentions(one, field))
  if ('not' in filter) return mentions(filter.not, field)
  return 'field' in filter && filter.field === field
}

function fits(pair: Partial<Tag>, tag: Tag): boolean {
  return isPair(pair) && (!pair.key || pair.key === tag.key) && (!pair.value || pair.value === tag.value)
}
