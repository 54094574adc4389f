import type { DeviceDocument } from '../../../server/store/documents/devices.ts'
import type { GroupDocument, UserDocument } from '../../../server/store/documents/people.ts'
import type { AppStore } from '../../../server/store/port.ts'

/** All documents of an application, with derived fields taken away: the rule must follow from the rest. */
export interface Facts {
  users: Map<string, UserDocument>
  groups: Map<string, GroupDocument>
  devices: Map<string, DeviceDocument>
}

export async function readFacts(app: AppStore): Promise<Facts> {
  const facts: Facts = { users: new Map(), groups: new Map(), devices: new Map() }
  for await (const one of app.collection('users').each()) facts.users.set(one.id, one)
  for await (const one of app.collection('groups').each()) {
    facts.groups.set(one.id, { ...one, ancestorIds: ['derived'], anchors: ['derived'] })
  }
  for await (const one of app.collection('devices').each()) facts.devices.set(one.id, { ...one, groupIds: ['derived'] })
  return facts
}

/** The group and all above it, by parents alone. */
export function upFrom(facts: Facts, id: string): string[] {
  const chain: string[] = []
  for (let group = facts.groups.get(id); group !== undefined; group = facts.groups.get(group.parentId ?? '')) {
    chain.push(group.id)
  }
  return chain
}

/** member*(u, g): a member of g or of an ancestor of g. */
export function isMember(facts: Facts, user: string, group: string): boolean {
  const direct = facts.users.get(user)?.experienceGroupIds ?? []
  return upFrom(facts, group).some((one) => direct.includes(one))
}

/** assoc(d, g): listed, or tagged, or matching the query. */
export function isAssociated(facts: Facts, device: DeviceDocument, group: GroupDocument): boolean {
  if (group.deviceIds.includes(device.id)) return true
  for (const { key, value } of group.deviceTags) {
    if (!key && !value) continue
    if (device.tags.some((tag) => (!key || tag.key === key) && (!value || tag.value === value))) return true
  }
  return Boolean(group.deviceQueryJson) && answers(JSON.parse(group.deviceQueryJson!), device, facts)
}

/** verify(u, d): some group has the user as member* and the device as associated. */
export function sees(facts: Facts, user: string, device: string): boolean {
  const one = facts.devices.get(device)
  return (
    one !== undefined &&
    [...facts.groups.values()].some((g) => isMember(facts, user, g.id) && isAssociated(facts, one, g))
  )
}

/** verify for a group: the group or one below it associates the device. */
export function groupSees(facts: Facts, group: string, device: string): boolean {
  const one = facts.devices.get(device)
  return (
    one !== undefined &&
    [...facts.groups.values()].some((g) => upFrom(facts, g.id).includes(group) && isAssociated(facts, one, g))
  )
}

type Query = { [key: string]: unknown }

/** The few forms of queries that the worlds use, read directly. */
function answers(query: Query, device: DeviceDocument, facts: Facts): boolean {
  return Object.entries(query).every(([key, value]) => {
    if (key === '$and') return (value as Query[]).every((one) => answers(one, device, facts))
    if (key === '$or')
      return (value as Query[]).length === 0 || (value as Query[]).some((one) => answers(one, device, facts))
    if (key === '$nor')
      return (value as Query[]).length > 0 && !(value as Query[]).some((one) => answers(one, device, facts))
    if (key === 'name') return device.name.startsWith((value as { $startsWith: string }).$startsWith)
    if (key === 'deviceClass') return device.deviceClass === value
    if (key === 'id') return device.id === value
    if (key === 'ancestorId') return isBelow(device, value as string, facts)
    if (key === 'tags') {
      const { $eq, $ne } = value as { $eq?: Pair; $ne?: Pair }
      return ($eq === undefined || hasTag(device, $eq)) && ($ne === undefined || !hasTag(device, $ne))
    }
    throw new Error(`The oracle does not know ${key}`)
  })
}

function isBelow(device: DeviceDocument, system: string, facts: Facts): boolean {
  for (let id = device.parentId; id !== undefined; id = facts.devices.get(id)?.parentId) if (id === system) return true
  return false
}

interface Pair {
  $tagKey?: string
  $tagValue?: string
}

function hasTag(device: DeviceDocument, { $tagKey, $tagValue }: Pair): boolean {
  return device.tags.some((tag) => (!$tagKey || tag.key === $tagKey) && (!$tagValue || tag.value === $tagValue))
}
