import type { Document, Tag } from './document.ts'

export interface AttributeDefinition {
  name: string
  dataType: 'number' | 'string' | 'boolean' | 'gps' | 'blob'
  description?: string
  contentType?: string
  attributeTags: Record<string, string>
  system?: unknown
}

export interface DeviceDocument extends Document {
  name: string
  description?: string
  deviceClass: string
  tags: Tag[]
  attributes: AttributeDefinition[]
  parentId?: string
  gatewayId?: string
  systemInterval?: number
  keepDuplicates?: boolean
  connection?: { connected: 0 | 1; time: number }
  /** Groups that associate this device directly, by id, tag or query. Derived; kept by tenancy. */
  groupIds: string[]
}

export interface RecipeDocument extends Document {
  name: string
  description?: string
  /** The fields of the devices to make, in the published form. */
  template: Record<string, unknown>
}

/** Something out of the ordinary that happened, in the published form (reference: nodes-data 6). */
export interface EventDocument extends Document {
  level: 'info' | 'warning' | 'error' | 'critical'
  state: 'new' | 'acknowledged' | 'resolved'
  subject: string
  message?: string
  deviceId?: string
  data?: unknown
  eventTags: Record<string, string>
  /** Updates do not note which tags they changed. */
  disableTagChangeTracking?: boolean
  /** Who made it: a flow, a user, ... */
  sourceType: string
  sourceId: string
  sourceName?: string
  /** Oldest first. */
  updates: EventUpdate[]
}

export interface EventUpdate {
  creationDate: number
  comment?: string
  data?: unknown
  /** Where the update gave one. */
  state?: EventDocument['state']
  stateChange?: { new: string; old: string }
  levelChange?: { new: string; old: string }
  subjectChange?: { new: string; old: string }
  /** A side that is absent: no device. */
  deviceIdChange?: { new?: string; old?: string }
  /** By key; a side that is absent: no such tag. */
  tagsChange?: Record<string, { new?: string; old?: string }>
  sourceType: string
  sourceId: string
  sourceName?: string
}

/** What devices log in with. Absent settings stand as their defaults. */
export interface AccessKeyDocument extends Document {
  /** Public half. It begins with the application's id. */
  key: string
  /** SHA-256 of the secret, hex. */
  secretHash: string
  status: 'active' | 'inactive'
  name?: string
  description?: string
  /** The devices that may use it, by id or by one of the tags; both empty: all of the application. */
  deviceIds: string[]
  deviceTags: Partial<Tag>[]
  /** Topics that are no device's own: none, all, those of the lists, or all but those. */
  filterType: 'none' | 'all' | 'whitelist' | 'blacklist'
  pubTopics: string[]
  subTopics: string[]
  /** From where it may be used; `addresses` are IP addresses and CIDR ranges. */
  addressFilterType: 'all' | 'whitelist' | 'blacklist'
  addresses: string[]
}

/** A connection of a device. Without `endedAt` it is open, as long as its broker lives. */
export interface DeviceSessionDocument extends Document {
  deviceId: string
  /** Name of the broker that holds it: a new one for each start of a process. */
  broker: string
  address: string
  startedAt: number
  endedAt?: number
  disconnectReason?: string
  messagesFromClient?: number
  messagesToClient?: number
}

/** A command that was sent to a device, whether or not it was connected. */
export interface DeviceCommandDocument extends Document {
  deviceId: string
  name: string
  payload?: unknown
  /** Milliseconds since the epoch. */
  time: number
  sourceType: string
  sourceId: string
}

/** What brokers, and holders of WebSocket clients, of other processes have to do; kept for a minute. */
export interface MqttMessageDocument extends Document {
  /** The process that has written, and done, it. */
  from: string
  /**
   * `publish`: to whoever has subscribed to `topic`. `end`: connections of `deviceId` that began before `session` did.
   * `client-message`: to the WebSocket client of a webhook.
   */
  kind: 'publish' | 'end' | 'client-message'
  topic?: string
  /** Base64. */
  payload?: string
  deviceId?: string
  session?: string
  startedAt?: number
  client?: string
  binary?: boolean
}
