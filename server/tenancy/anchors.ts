import type { DeviceDocument } from '../store/documents/devices.ts'
import type { Filter } from '../store/port.ts'
import { type Associator, isPair } from './association.ts'

/**
 * Anchors answer "which groups could associate this device?" by look-up: a group keeps the texts of which a device must have
 * at least one, a device has the texts below. A group whose query gives no such text keeps `anyDevice` and is always asked.
 */
export const anyDevice = '*'
/** Kept besides by groups whose query depends on the tree of systems. */
export const systemTree = '/'

const mostAnchors = 2_000

/** All texts under which a group may wait for this device. */
export function anchorsOfDevice(device: DeviceDocument): string[] {
  const anchors = [anyDevice, idAnchor(device.id), fieldAnchor('name', device.name)]
  if (device.parentId !== undefined) anchors.push(fieldAnchor('parentId', device.parentId))
  if (device.gatewayId !== undefined) anchors.push(fieldAnchor('gatewayId', device.gatewayId))
  for (const { key, value } of device.tags)
    anchors.push(tagAnchor(key, value), tagAnchor(key), tagAnchor(undefined, value))
  return [...new Set(anchors)]
}

export function anchorsOfGroup(associator: Associator): string[] {
  const { group, query, treeQuery } = associator
  const anchors = new Set(group.deviceIds.map(idAnchor))
  for (const pair of group.deviceTags)
    if (isPair(pair)) anchors.add(tagAnchor(pair.key || undefined, pair.value || undefined))
  if (query !== undefined)
    for (const anchor of (treeQuery ? undefined : anchorsOf(query)) ?? [anyDevice]) anchors.add(anchor)
  if (treeQuery) anchors.add(systemTree)
  return [...anchors]
}

/** Undefined when a device without any particular text may match; an empty list when none matches at all. */
function anchorsOf(filter: Filter): string[] | undefined {
  if ('all' in filter) return smallest(filter.all.map(anchorsOf))
  if ('any' in filter) return union(filter.any.map(anchorsOf))
  if ('not' in filter) return 'all' in filter.not && filter.not.all.length === 0 ? [] : undefined
  if ('tag' in filter) return anchorsOfTag(filter)
  if ('field' in filter) return anchorsOfField(filter)
  return undefined
}

function anchorsOfTag({ key, value }: Extract<Filter, { tag: string }>): string[] | undefined {
  const keys = key !== undefined && 'in' in key ? key.in : undefined
  const values = value !== undefined && 'in' in value ? value.in : undefined
  if (keys !== undefined && values !== undefined)
    return bounded(keys.flatMap((k) => values.map((v) => tagAnchor(k, v))))
  if (keys !== undefined) return bounded(keys.map((k) => tagAnchor(k)))
  return values === undefined ? undefined : bounded(values.map((v) => tagAnchor(undefined, v)))
}

function anchorsOfField(filter: Extract<Filter, { field: string }>): string[] | undefined {
  if (filter.op === 'eq' && !filter.ignoreCase) return anchorsOfValues(filter.field, [filter.value])
  return filter.op === 'in' ? anchorsOfValues(filter.field, filter.value) : undefined
}

function anchorsOfValues(field: string, values: readonly unknown[]): string[] | undefined {
  if (!values.every((value) => typeof value === 'string')) return undefined
  if (field === 'id') return bounded(values.map(idAnchor))
  if (field !== 'name' && field !== 'parentId' && field !== 'gatewayId') return undefined
  return bounded(values.map((value) => fieldAnchor(field, value)))
}

function smallest(parts: (string[] | undefined)[]): string[] | undefined {
  const known = parts.filter((part) => part !== undefined)
  return known.sort((a, b) => a.length - b.length)[0]
}

function union(parts: (string[] | undefined)[]): string[] | undefined {
  return parts.some((part) => part === undefined) ? undefined : bounded(parts.flatMap((part) => part ?? []))
}

function bounded(anchors: string[]): string[] | undefined {
  return anchors.length > mostAnchors ? undefined : anchors
}

function idAnchor(id: string): string {
  return `i${id}`
}

function fieldAnchor(field: 'name' | 'parentId' | 'gatewayId', value: string): string {
  return `${field[0]}${value}`
}

function tagAnchor(key?: string, value?: string): string {
  return `t${JSON.stringify([key ?? null, value ?? null])}`
}
