import type { Scope } from './scope.ts'

/** What every document has. `revision` starts at 1 and grows by one with each write. Times are milliseconds since the epoch. */
export interface Document {
  /** 24 hex characters. */
  id: string
  revision: number
  creationDate: number
  lastUpdated: number
}

export interface Tag {
  key: string
  value: string
}

export interface UserDocument extends Document {
  email: string
  /** The e-mail address, folded: what is unique. */
  emailKey: string
  firstName?: string
  lastName?: string
  userTags: Record<string, string>
  experienceGroupIds: string[]
  /** argon2id in PHC form; undefined: no password opens this account. */
  passwordHash?: string
  passwordLastUpdated?: number
  /** When an import last set the password: equal to `passwordLastUpdated` as long as nobody has chosen another since. */
  passwordImportedAt?: number
  lastLogin?: number
  /** Tokens issued before are void. */
  tokenCutoff?: number
}

export interface GroupDocument extends Document {
  name: string
  description?: string
  parentId?: string
  /** Root first; without the group itself. Kept by tenancy. */
  ancestorIds: string[]
  groupTags: Record<string, string>
  deviceIds: string[]
  deviceTags: Partial<Tag>[]
  deviceQueryJson?: string
  /** What a device must have for its tags or the query to matter here. Derived; kept by tenancy (tenancy/anchors.ts). */
  anchors?: string[]
}

/**
 * The one document that each write of who sees what updates, so that two such writes never cross unseen. Kept by tenancy
 * (tenancy/write.ts).
 */
export interface TenancyDocument extends Document {
  writes: number
}

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

export interface StaticReply {
  type: 'page' | 'redirect'
  value: string
  statusCode?: number
}

/** Part of an experience version. */
export interface VersionedDocument extends Document {
  /** Name of the experience version. */
  version: string
  /** The document of `develop` that this is the snapshot of: what names that one means this one here. */
  copyOf?: string
}

export interface EndpointDocument extends VersionedDocument {
  method: string
  route: string
  access: 'public' | 'authenticated' | 'group' | 'device'
  enabled: boolean
  description?: string
  endpointTags: Record<string, string>
  experienceGroupIds: string[]
  deviceIdTemplate?: string
  staticReply?: StaticReply
  unauthorizedReply?: StaticReply
}

export interface ViewDocument extends VersionedDocument {
  name: string
  viewType: 'page' | 'layout' | 'component'
  body: string
  description?: string
  viewTags: Record<string, string>
  layoutId?: string
  headers?: Record<string, string>
}

export interface GlobalValue {
  key: string
  /** JSON text. */
  json: string
  description?: string
  cloudOnly?: boolean
}

export interface ExperienceVersionDocument extends Document {
  version: string
  description?: string
  endpointDefaultCors: boolean
  allowedCorsOrigins?: string[]
  globals: GlobalValue[]
  responseHeaders?: Record<string, string>
  notFoundReply?: StaticReply
  unauthorizedReply?: StaticReply
}

/** A flow, and in `content` its develop copy (cloud, custom node) exactly as it was written. */
export interface FlowDocument extends Document {
  name: string
  flowClass: 'cloud' | 'experience' | 'customNode' | 'edge' | 'embedded'
  description?: string
  enabled: boolean
  defaultVersionId?: string
  content: FlowContent
}

/** A named snapshot of a flow, or what the flow is in one experience version (`version` is then that version's name). */
export interface FlowVersionDocument extends Document {
  flowId: string
  version: string
  name?: string
  description?: string
  enabled: boolean
  content: FlowContent
}

/** The published keys: triggers, nodes, globals, customNodeConfig, ... and any other, untouched. */
export interface FlowContent {
  triggers: unknown[]
  nodes: unknown[]
  globals: unknown[]
  [key: string]: unknown
}

export interface FileDocument extends Document {
  /** Path from the root of the application's files, with a leading slash. */
  path: string
  contentType: string
  sizeBytes: number
  private: boolean
  /** Key of its content in the blobs. */
  blob: string
  /** SHA-256 of the content, hex: the ETag. */
  sha256: string
  /** Who wrote it last, where that is known. */
  authorType?: string
  authorId?: string
}

/** The one document about the application itself; its id is the application's id. */
export interface ApplicationDocument extends Document {
  name: string
  description?: string
  globals: GlobalValue[]
  /** Signs tokens, links and streams of this application. */
  secret: string
  blobUrlTTL?: number
  readme?: string
}

/** Where an imported document came from: placeholder or natural key of the bundle -> id, so that a second import updates. */
export interface OriginDocument extends Document {
  kind: string
  key: string
  targetId: string
  /** SHA-256 of what was imported, hex: what is as it was needs no second import. */
  hash?: string
  /** The ids that its list of groups or devices held: those that are there beside them were added by hand. */
  listed?: string[]
}

/** The record of one run, written after it ended. */
export interface RunDocument extends Document {
  flowId: string
  flowVersion: string
  triggerType: string
  status: 'done' | 'failed'
  milliseconds: number
  visits: unknown[]
  error?: { code: string; name: string; message: string; nodeId?: string; nodeType?: string }
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

/**
 * Work on the queue. Its `revision` is the fence: a worker writes with the revision that it knows, so that one whose job was
 * taken over is refused. Waiting jobs have `dueAt`, running ones `leaseUntil`, the others neither.
 */
export interface JobDocument extends Document {
  kind: string
  /** The idempotency key: one job of an application for each; the id where none was given. */
  key: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'canceled'
  /** JSON, at most 1 MB of text. */
  input: unknown
  output?: unknown
  progress: JobProgress
  /** How often it was started. */
  attempts: number
  /** How often it may be started; undefined: as the worker that has it says for its kind. */
  mostAttempts?: number
  dueAt?: number
  leaseUntil?: number
  /** Which of the application's places for running jobs it has: unique, so that no more run at a time than there are. */
  slot?: string
  /** A name of this start alone, by which its worker knows the job again when someone asked for its end. */
  startId?: string
  startedAt?: number
  endedAt?: number
  error?: { code: string; message: string }
  /** Set while it runs: its worker stops at the next chance. */
  cancelRequested?: boolean
  requestedBy: { type: string; id: string }
}

export interface JobProgress {
  completed: number
  /** Undefined: not known yet. */
  total?: number
  /** A word or sentence for a person. */
  status?: string
}

/** When a timer trigger fires next. Made, changed and removed as flows say; kept so that one process fires it. */
export interface ScheduleDocument extends Document {
  /** Flow id and trigger key. */
  key: string
  /** Changes with the settings of the trigger: the schedule then starts anew. */
  stamp: string
  nextAt: number
}

/** An address that other systems call. Absent settings stand as their defaults. */
export interface WebhookDocument extends Document {
  name: string
  description?: string
  /** Secret: the part of the address that opens it. */
  token: string
  /** SHA-256 of the token, hex: what it is looked up by. */
  tokenHash: string
  enabled: boolean
  /** Of the answer to a call that waits for no reply. */
  responseCode: number
  verificationType: 'none' | 'facebook' | 'fitbit' | 'twilio' | 'alexa'
  verificationCode: string
  waitForReply: boolean
  /** Both empty: nobody is asked. */
  basicAuthUsername: string
  basicAuthPassword: string
  isWebsocket: boolean
  castBuffersAs: 'array' | 'binary' | 'utf8' | 'base64' | 'hex'
  annotateMultipart: boolean
}

/** A table of the author's own columns. Its rows are documents of `dataTableRows`. */
export interface DataTableDocument extends Document {
  name: string
  description?: string
  columns: DataColumn[]
}

export interface DataColumn {
  /** What its values stand under in `cells`: never that of another column, of this table or another. */
  key: string
  name: string
  dataType: 'string' | 'number' | 'boolean'
  constraint: 'unique' | 'required' | 'optional'
  defaultValue?: string | number | boolean
}

export interface DataTableRowDocument extends Document {
  tableId: string
  /**
   * Values by the key of their column, null for none. Under `c` and `u`, followed by the id of the table: when the row was made and
   * last changed (milliseconds since the epoch), so that rows of one table are found in this order, too.
   */
  cells: Record<string, string | number | boolean | null>
  /** The id that the row had in the folder that it was imported from. */
  importedId?: string
}

/** Keeps a value of a unique column for one row: its id is made of both, so that there is no second. */
export interface DataTableKeyDocument extends Document {
  tableId: string
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

/** What brokers of other processes have to do; kept for a minute. */
export interface MqttMessageDocument extends Document {
  /** The process that has written, and done, it. */
  from: string
  /** `publish`: to whoever has subscribed to `topic`. `end`: connections of `deviceId` that began before `session` did. */
  kind: 'publish' | 'end'
  topic?: string
  /** Base64. */
  payload?: string
  deviceId?: string
  session?: string
  startedAt?: number
}

/** Work to be done once for each of many resources, in the published form (reference: data-export-and-jobs 4). */
export interface ResourceJobDocument extends Document, ResourceJobSettings {
  name: string
  description?: string
  resourceType: 'device' | 'dataTableRow' | 'experienceGroup' | 'experienceUser'
  /** A template that gives the JSON of a query. */
  queryJson: string
  dataTableId?: string
  /** JSON text. */
  defaultContext: string
  lastExecutionRequested?: number
}

/** Times are milliseconds. */
export interface ResourceJobSettings {
  maxIterationConcurrency: 1 | 10
  iterationDelay: number
  iterationTimeout: number
  retryOnTimeout: boolean
  retryOnFailure: boolean
  maxIterationRetries: number
  retryDelay: number
}

/** One execution of a resource job, by the settings that the job had. Its `revision` is the fence of its steps. */
export interface ResourceExecutionDocument extends Document, ResourceJobSettings {
  jobId: string
  name: string
  resourceType: ResourceJobDocument['resourceType']
  dataTableId?: string
  status: 'inProgress' | 'canceling' | 'completed' | 'errored' | 'canceled'
  context: Record<string, unknown>
  query: unknown
  /** JSON text. */
  accumulator?: string
  /** How many resources there were; undefined: they are being listed. */
  total?: number
  startedAt: number
  lastStartAt?: number
  completedAt?: number
  summary?: Record<'succeeded' | 'failed' | 'timedOut' | 'inProgress' | 'remaining', number>
  /** Why no resources could be listed. */
  error?: string
  /** Of the run that executed it: how many lie before. */
  depth: number
  sourceType: string
  sourceId: string
  cancelSourceType?: string
  cancelSourceId?: string
}

/** One resource of an execution. Its id is made of both. */
export interface ResourceIterationDocument extends Document {
  executionId: string
  resourceId: string
  position: number
  state: 'waiting' | 'running' | 'succeeded' | 'failed' | 'timedOut'
  /** How often it was started. */
  attempt: number
  notBefore: number
  startedAt?: number
  /** While it runs. */
  deadline?: number
  completedAt?: number
  message?: string
}

/** The collections of an application, by name. */
export interface Documents {
  application: ApplicationDocument
  users: UserDocument
  groups: GroupDocument
  tenancy: TenancyDocument
  devices: DeviceDocument
  recipes: RecipeDocument
  endpoints: EndpointDocument
  views: ViewDocument
  experienceVersions: ExperienceVersionDocument
  flows: FlowDocument
  flowVersions: FlowVersionDocument
  files: FileDocument
  origins: OriginDocument
  runs: RunDocument
  events: EventDocument
  jobs: JobDocument
  schedules: ScheduleDocument
  webhooks: WebhookDocument
  dataTables: DataTableDocument
  dataTableRows: DataTableRowDocument
  dataTableKeys: DataTableKeyDocument
  accessKeys: AccessKeyDocument
  deviceSessions: DeviceSessionDocument
  deviceCommands: DeviceCommandDocument
  mqttMessages: MqttMessageDocument
  resourceJobs: ResourceJobDocument
  resourceExecutions: ResourceExecutionDocument
  resourceIterations: ResourceIterationDocument
}
export type CollectionName = keyof Documents

/** How a collection is kept. Only fields named here can be filtered and sorted by (id, creationDate and lastUpdated always). */
export interface CollectionPlan {
  /** Fields with one value: text is ordered folded (case-insensitive), then by id. */
  fields: readonly string[]
  /** Fields that hold a list of texts: filtered with `has`. */
  lists?: readonly string[]
  /** Fields that hold tags, as Tag[] or as an object of texts: filtered with `tag`. */
  tags?: readonly string[]
  /**
   * A field that holds an object of single values by keys of the document's own: filtered with `cell` and sorted by. A key is 1 to
   * 40 lower-case letters and digits, and all documents that have it have the same value in the field `of`.
   */
  cells?: { field: string; of: string }
  /** Combinations of fields that no two documents share. */
  unique?: readonly (readonly string[])[]
  /** A write to it changes what the application is made of: `revision()` of the application grows. */
  definition?: boolean
}

export const collections: Record<CollectionName, CollectionPlan> = {
  application: { fields: ['name'], definition: true },
  users: {
    fields: ['email', 'emailKey', 'firstName', 'lastName', 'lastLogin', 'passwordLastUpdated'],
    lists: ['experienceGroupIds'],
    tags: ['userTags'],
    unique: [['emailKey']],
  },
  groups: {
    fields: ['name', 'parentId'],
    lists: ['ancestorIds', 'deviceIds', 'anchors'],
    tags: ['groupTags', 'deviceTags'],
  },
  tenancy: { fields: [] },
  devices: {
    fields: ['name', 'deviceClass', 'parentId', 'gatewayId', 'connection.connected', 'connection.time'],
    lists: ['groupIds', 'attributes.name'],
    tags: ['tags'],
  },
  recipes: { fields: ['name'] },
  endpoints: {
    fields: ['version', 'method', 'route'],
    lists: ['experienceGroupIds'],
    unique: [['version', 'method', 'route']],
    definition: true,
  },
  views: { fields: ['version', 'name', 'viewType'], unique: [['version', 'viewType', 'name']], definition: true },
  experienceVersions: { fields: ['version'], unique: [['version']], definition: true },
  flows: { fields: ['name', 'flowClass'], definition: true },
  flowVersions: { fields: ['flowId', 'version'], unique: [['flowId', 'version']], definition: true },
  files: { fields: ['path', 'private'], unique: [['path', 'private']], definition: true },
  origins: { fields: ['kind', 'key', 'targetId'], unique: [['kind', 'key']] },
  runs: { fields: ['flowId', 'status'] },
  events: { fields: ['level', 'state', 'subject', 'deviceId', 'sourceType', 'sourceId'], tags: ['eventTags'] },
  jobs: {
    fields: ['kind', 'key', 'slot', 'status', 'dueAt', 'leaseUntil', 'endedAt', 'requestedBy.type', 'requestedBy.id'],
    unique: [['key'], ['slot']],
  },
  schedules: { fields: ['key', 'nextAt'], unique: [['key']] },
  webhooks: { fields: ['name', 'tokenHash'], unique: [['tokenHash']] },
  dataTables: { fields: ['name'] },
  dataTableRows: { fields: ['tableId'], cells: { field: 'cells', of: 'tableId' } },
  dataTableKeys: { fields: ['tableId'] },
  accessKeys: {
    fields: ['key', 'status', 'name', 'filterType', 'addressFilterType'],
    lists: ['deviceIds'],
    unique: [['key']],
  },
  deviceSessions: { fields: ['deviceId', 'broker', 'startedAt', 'endedAt'] },
  deviceCommands: { fields: ['deviceId', 'name', 'time'] },
  mqttMessages: { fields: ['kind'] },
  resourceJobs: { fields: ['name', 'resourceType', 'lastExecutionRequested'] },
  resourceExecutions: { fields: ['jobId', 'status', 'completedAt'] },
  resourceIterations: { fields: ['executionId', 'state', 'position', 'notBefore', 'deadline'] },
}

/** A host name (slug or domain) and what it opens. */
export interface Host {
  name: string
  scope: Scope
  /** Experience version served there; undefined: nothing. */
  version?: string
}
