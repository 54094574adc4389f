import ipaddr from 'ipaddr.js'
import type { AccessKeyDocument, DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore } from '../store/port.ts'
import { covers, deviceTopicOf, isCustom, isFilter, isTopic, overlaps } from './topics.ts'

/** A device that has logged in, and the key it has shown. */
export interface Login {
  app: AppStore
  device: DeviceDocument
  key: AccessKeyDocument
}

const connecting = ['standalone', 'gateway', 'edgeCompute', 'embedded']

/** True when the device may connect with this key from this address. */
export function mayConnect({ device, key }: Pick<Login, 'device' | 'key'>, address: string): boolean {
  return (
    key.status === 'active' && connecting.includes(device.deviceClass) && selects(key, device) && isFrom(key, address)
  )
}

/** What a device may publish to a topic: its message is state of `device`, is the application's own, or is of no use. */
export type PublishRight = { as: 'state'; device: DeviceDocument } | { as: 'custom' } | { as: 'ignored' }

/** Undefined: not allowed. */
export async function publishRight(login: Login, topic: string): Promise<PublishRight | undefined> {
  if (!isTopic(topic)) return undefined
  if (isCustom(topic)) return mayPublish(login.key, topic) ? { as: 'custom' } : undefined
  const named = deviceTopicOf(topic)
  if (named === undefined) return undefined
  if (named.purpose === 'state') {
    const device = await reached(login, named.deviceId)
    return device && { as: 'state', device }
  }
  const ofAgent = login.device.deviceClass === 'edgeCompute' && named.deviceId === login.device.id
  return ofAgent && named.purpose.startsWith('fromAgent/') ? { as: 'ignored' } : undefined
}

/** True when the device may subscribe to a topic or filter. */
export async function maySubscribe(login: Login, filter: string): Promise<boolean> {
  if (!isFilter(filter)) return false
  if (isCustom(filter)) return mayHear(login.key, filter)
  const named = deviceTopicOf(filter)
  return named?.purpose === 'command' && (await reached(login, named.deviceId)) !== undefined
}

/** The device whose own topics are open to who has logged in; undefined alike for a foreign one and one that does not exist. */
async function reached({ app, device, key }: Login, deviceId: string): Promise<DeviceDocument | undefined> {
  if (deviceId === device.id) return device
  const isGateway = device.deviceClass === 'gateway' || device.deviceClass === 'edgeCompute'
  if (!isGateway && key.filterType !== 'all') return undefined
  const other = await app.collection('devices').get(deviceId)
  if (other === undefined) return undefined
  const below = other.deviceClass === 'peripheral' && other.gatewayId === device.id
  if (isGateway && (below || other.deviceClass === 'floating')) return other
  return key.filterType === 'all' && selects(key, other) ? other : undefined
}

function selects({ deviceIds, deviceTags }: AccessKeyDocument, device: DeviceDocument): boolean {
  if (deviceIds.length === 0 && deviceTags.length === 0) return true
  if (deviceIds.includes(device.id)) return true
  return deviceTags.some(({ key, value }) =>
    device.tags.some((tag) => (key === undefined || tag.key === key) && (value === undefined || tag.value === value)),
  )
}

function mayPublish({ filterType, pubTopics }: AccessKeyDocument, topic: string): boolean {
  if (filterType === 'all') return true
  const listed = pubTopics.some((pattern) => covers(pattern, topic))
  return filterType === 'whitelist' ? listed : filterType === 'blacklist' && !listed
}

function mayHear({ filterType, subTopics }: AccessKeyDocument, filter: string): boolean {
  if (filterType === 'all') return true
  if (filterType === 'whitelist') return subTopics.some((pattern) => covers(pattern, filter))
  // What it would hear of a refused topic by a wildcard is refused, too.
  return filterType === 'blacklist' && !subTopics.some((pattern) => overlaps(pattern, filter))
}

function isFrom({ addressFilterType, addresses }: AccessKeyDocument, address: string): boolean {
  if (addressFilterType === 'all') return true
  const listed = ipaddr.isValid(address) && addresses.some((range) => isIn(ipaddr.process(address), range))
  return addressFilterType === 'whitelist' ? listed : !listed
}

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, range: string): boolean {
  const text = range.includes('/') ? range : `${range}/${ipaddr.parse(range).kind() === 'ipv4' ? 32 : 128}`
  const [network, bits] = ipaddr.parseCIDR(text)
  return network.kind() === address.kind() && address.match(network, bits)
}
