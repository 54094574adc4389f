import type { DeviceShape, DeviceView } from '../../nodes/services/devices.ts'
import type { AttributeDefinition, DeviceDocument } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import type { AppStore, LastValue } from '../store/port.ts'
import { isoOf } from './listing.ts'

/** Devices as flows see them, in the given order. The state of all of them is read in one go. */
export async function toDeviceViews(
  app: AppStore,
  devices: readonly DeviceDocument[],
  shape: DeviceShape,
): Promise<DeviceView[]> {
  const { state } = shape
  const ids = devices.map((device) => device.id)
  const last =
    state === undefined || ids.length === 0
      ? undefined
      : await app.telemetry.last(ids, state === true ? undefined : state)
  return devices.map((device) => ({
    ...toView(device, app.scope.application, shape),
    ...(state === undefined ? {} : { compositeState: toComposite(last?.get(device.id) ?? {}) }),
  }))
}

function toView(device: DeviceDocument, applicationId: string, shape: DeviceShape): DeviceView {
  const { id, name, deviceClass, parentId, gatewayId, systemInterval, keepDuplicates } = device
  return {
    id,
    deviceId: id,
    applicationId,
    name,
    description: device.description ?? '',
    deviceClass,
    tags: shape.tagsAsObject ? tagsAsObject(device.tags) : device.tags.map(({ key, value }) => ({ key, value })),
    attributes: shape.attributesAsObject
      ? Object.fromEntries(device.attributes.map((one) => [one.name, toAttribute(one)]))
      : device.attributes.map(toAttribute),
    creationDate: isoOf(device.creationDate),
    lastUpdated: isoOf(device.lastUpdated),
    ...(parentId === undefined ? {} : { parentId }),
    ...(gatewayId === undefined ? {} : { gatewayId }),
    ...(deviceClass === 'system'
      ? { systemInterval: systemInterval ?? 30, keepDuplicates: keepDuplicates ?? false }
      : {}),
    ...(shape.includeConnectionInfo ? { connectionInfo: connectionOf(device) } : {}),
  }
}

/** 1, 0, or null when never seen. */
function connectionOf({ connection }: DeviceDocument): { connected: 0 | 1 | null; time: string | null } {
  return connection === undefined
    ? { connected: null, time: null }
    : { connected: connection.connected, time: isoOf(connection.time) }
}

function toAttribute({ attributeTags, ...attribute }: AttributeDefinition) {
  return { ...attribute, attributeTags: { ...attributeTags } }
}

/** Always a list a key. */
export function tagsAsObject(tags: readonly Tag[]): Record<string, string[]> {
  const lists = new Map<string, string[]>()
  for (const { key, value } of tags) {
    const list = lists.get(key)
    if (list) list.push(value)
    else lists.set(key, [value])
  }
  return Object.fromEntries(lists)
}

function toComposite(last: Record<string, LastValue>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(last).map(([name, value]) => [name, { ...value, time: new Date(value.time) }]),
  )
}
