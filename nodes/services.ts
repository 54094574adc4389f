import type { Plan } from '../engine/compile.ts'
import type { InputField } from '../engine/custom-node.ts'
import type { NodePlace, VisitPlace } from '../engine/node.ts'
import type { Payload } from '../engine/payload.ts'

/** Everything that a node may ask for. A node names what it needs; nothing else reaches it. All are bound to one run. */
export interface Services {
  clock: Clock
  debug: DebugLog
  values: FlowValues
  functions: Functions
  http: HttpClient
  connections: Connections
  credentials: Credentials
  mail: Mail
  sms: Sms
  devices: Devices
  commands: Commands
  mqtt: Mqtt
  users: Users
  groups: Groups
  tenancy: Tenancy
  events: Events
  dataTables: DataTables
  // Device imports join it with their node.
  jobs: Jobs
  files: Files
  resourceJobs: ResourceJobs
  api: Api
  reply: Replies
  customNodes: CustomNodes
  flows: Flows
}

export interface Clock {
  /** Now, in milliseconds since the epoch. */
  now(): number
  /** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}

export type DebugLevel = 'verbose' | 'info' | 'warn' | 'error'

export interface DebugLog {
  /** Records a message with a snapshot of `value`, taken now. Never throws. `path`: where it is read from. */
  write(entry: { node: VisitPlace; level: DebugLevel; message: string; value?: unknown; path?: string }): void
}

/** Key-value storage of the flow that runs: durable, shared by all its runs and versions. A value is up to 16 KB of JSON. */
export interface FlowValues {
  get(key: string): Promise<unknown>
  /** All entries as an object. */
  all(): Promise<Payload>
  /** Undefined removes the key. Throws `value.too-large` above 16 KB. */
  set(key: string, value: unknown): Promise<void>
  /** Removes the key; gives the value that it had. */
  remove(key: string): Promise<unknown>
  /** Adds atomically (missing counts as 0); gives the new value. Throws `value.not-number` when a non-number is stored. */
  add(key: string, amount: number): Promise<number>
  /**
   * Atomic change of what a node remembers from run to run, apart from the values above. `change` may be asked again when another
   * run was faster; `after` undefined forgets. Dates come back as ISO text. Throws `value.too-large` above 16 KB.
   */
  transition<T>(key: string, change: (before: unknown) => { after: unknown; result: T }): Promise<T>
}

export interface Functions {
  /** Runs a script with `payload` = value, outside this process; its console lines go to the debug log. */
  run(call: { script: string; value: unknown; node: VisitPlace; signal: AbortSignal }): Promise<unknown>
}

export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  body?: string | Uint8Array
  timeoutMs: number
  followRedirects: boolean
  verifyTls: boolean
  /** PEM texts. */
  caCert?: string
  clientCert?: { cert: string; key: string }
  signal: AbortSignal
}

export interface HttpClient {
  /** Sends a request through the egress guard. Any answer is a response; throws FlowError `http.*` when there is none. */
  send(request: HttpRequest): Promise<HttpResponse>
}

export interface HttpResponse {
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  body: Uint8Array
}

/** TLS of a connection; texts in PEM form. Without `ca` the authorities of the system count. */
export interface ConnectionTls {
  verify: boolean
  ca?: string
  cert?: string
  key?: string
}

export interface RedisRequest {
  /** One server, or members of a cluster. */
  hosts: { host: string; port: number }[]
  cluster: boolean
  /** Blank: the default user. */
  user: string
  /** Blank: none. */
  password: string
  database: number
  tls: ConnectionTls | undefined
  command: string
  args: string[]
  signal: AbortSignal
}

export interface SqlRequest {
  system: 'pg' | 'mysql'
  host: string
  /** Default that of the system. */
  port: number | undefined
  user: string
  password: string
  /** Blank: that of the user. */
  database: string
  tls: ConnectionTls | undefined
  query: string
  signal: AbortSignal
}

export interface MongoRequest {
  uri: string
  collection: string
  method: MongoMethod
  /** Extended JSON, in the order of the method of the driver. */
  args: unknown[]
  signal: AbortSignal
}

export const mongoMethods = [
  ...(['count', 'find', 'findOne', 'insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne'] as const),
  ...(['deleteOne', 'deleteMany', 'distinct', 'aggregate', 'countDocuments', 'insert', 'update', 'remove'] as const),
] as const
export type MongoMethod = (typeof mongoMethods)[number]

/**
 * Databases of someone else. Only addresses that an HTTP request may reach are connected to. A question takes at most 30 seconds, its
 * answer is at most 10,000 rows and 5 MB. Connections are kept for the next run of the same application. All throw Refusal: Validation
 * for what the service refused, Unavailable when it cannot be reached.
 */
export interface Connections {
  /** The reply as Redis gave it. */
  redis(request: RedisRequest): Promise<unknown>
  /** The rows; undefined for a statement that has none. */
  sql(request: SqlRequest): Promise<Payload[] | undefined>
  /** What the method of the driver gives, as JSON: ids and dates as text. */
  mongo(request: MongoRequest): Promise<unknown>
}

export interface Mail {
  /**
   * Resolves when the mail is queued for good; it is then sent at most once, as soon as the mail server takes it. With `key`
   * (at most 200 characters) only the first mail of the flow that has it is sent. Throws Refusal when over the limit, or
   * without a valid address.
   */
  send(mail: { to: string[]; from?: string; subject: string; html: string; key?: string }): Promise<void>
}

export interface Sms {
  /**
   * Sends a text message to one number, as the server is set up to; resolves when it is taken. Throws Refusal when over the limit, for
   * what is no number, and when it cannot be sent.
   */
  send(sms: { to: string; text: string; signal: AbortSignal }): Promise<void>
}

/** A refused action on a resource, worded for the author: nodes put it at their result path as `{ error }`. */
export class Refusal extends Error {
  readonly type: 'NotFound' | 'Validation' | 'AlreadyExists' | 'RateLimit' | 'Unavailable' | 'Unauthorized'
  constructor(type: Refusal['type'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'Refusal'
    this.type = type
  }
}

/** A pair to match or to set; a side left out is a wildcard where pairs are matched, a removal where they are set. */
export interface TagPair {
  key?: string
  value?: string
}

export interface PageRequest {
  /** Zero-based; default 0. */
  page?: number
  /** Default 100, most 1000; 0 gives no items but the right total. */
  perPage?: number
  sortField?: string
  sortDirection?: 'asc' | 'desc'
  /** Nobody reads `totalCount`: it may then be only the number of items up to this page, which is much faster for large sets. */
  withoutCount?: boolean
}

export interface Listing<T> {
  items: T[]
  count: number
  totalCount: number
  page: number
  perPage: number
  sortField: string
  sortDirection: 'asc' | 'desc'
}

export type DeviceCriteria =
  | { by: 'id'; id: string }
  | { by: 'name'; name: string }
  | { by: 'allTags' | 'anyTags'; tags: TagPair[] }
  | { by: 'parent'; parentId: string }
  | { by: 'group'; groupId: string }
  | { by: 'user'; idOrEmail: string }
  /** An advanced query; undefined or `{}` is everything. */
  | { by: 'query'; query: unknown }

export interface DeviceShape {
  tagsAsObject?: boolean
  attributesAsObject?: boolean
  includeConnectionInfo?: boolean
  /** Adds `compositeState`: of all attributes, or of those named. */
  state?: true | string[]
}

/** A device as flows see it (reference/nodes-data.md 0.3); its shape depends on DeviceShape. */
export type DeviceView = Payload & { id: string; name: string }

export interface StateReport {
  deviceId: string
  /** Attribute name to value; cast to the attribute's type. Blank strings are skipped. */
  data: Payload
  /** Milliseconds since the epoch; default now. */
  time?: number
  meta?: unknown
}

export interface Devices {
  /** Blank or unknown ids give an empty listing, never everything. Throws Refusal for a query that is not valid. */
  find(criteria: DeviceCriteria, page: PageRequest, shape: DeviceShape): Promise<Listing<DeviceView>>
  /** `body` is the published create schema plus `recipeId`. Throws Refusal. */
  create(body: Payload, shape: DeviceShape): Promise<DeviceView>
  /** Whole arrays in `patch` replace; `mergeTags` and `mergeAttributes` merge per key. Throws Refusal. */
  update(id: string, patch: Payload, options: DeviceShape & DeviceMerge): Promise<DeviceView>
  /** Removes the device and its telemetry; devices below it go to the top. False when there was none. */
  remove(id: string): Promise<boolean>
  /** Stores what can be stored of each report and fires state triggers. Throws Refusal for an unknown device or when nothing is left. */
  report(reports: StateReport[]): Promise<void>
  /** History of attributes, oldest first. `resolution` 0 gives the raw points (at most 10,000 an attribute). */
  history(request: {
    deviceId: string
    attributes?: string[]
    start: number
    end: number
    resolution: number
    aggregation: string
  }): Promise<Record<string, { time: Date; value: unknown }[]>>
  /** What attributes of many devices were over a time. Throws Refusal for what cannot be asked, or would be too much work. */
  series(request: SeriesRequest): Promise<Series>
}

export interface Commands {
  /**
   * Sends a command to devices, each once, and gives their number. Who is not connected misses it. `time` in milliseconds since the
   * epoch, default now. Unknown ids are left out. Throws Refusal.
   */
  send(request: {
    ids?: readonly string[]
    criteria?: readonly DeviceCriteria[]
    name: string
    payload?: unknown
    time?: number
  }): Promise<number>
}

export interface Mqtt {
  /**
   * Publishes to the devices and flows of the application that listen to a topic; state of a device is stored as if it had reported
   * it. Throws Refusal for other topics of devices and for what is no topic, or too large.
   */
  publish(message: { topic: string; message: string }): Promise<void>
}

export interface SeriesRequest {
  /** Together at most 1,000 devices; unknown ids are left out. */
  devices: { ids?: readonly string[]; criteria?: readonly DeviceCriteria[] }
  /** At most 256. */
  attributes: readonly string[]
  /** Milliseconds since the epoch, excluded; default now. */
  end?: number
  /** Milliseconds before `end`. Undefined: of each device and attribute only the last value up to `end`, however old. */
  duration?: number
  /** Width of a bucket in milliseconds, counted from the start; the last one may be shorter. Default: one bucket for all. */
  resolution?: number
  /**
   * FIRST, LAST, COUNT, MAX, MIN, MEDIAN, MEAN, SUM, STD_DEV (of a population), TIMEATVALUE (milliseconds for which it was `value`), or
   * NONE: every point. Blank: MEAN of numbers, LAST of others. Those of numbers skip texts; true and false count as 1 and 0.
   */
  aggregation: string
  value?: unknown
  /** A series for each device. Else points of all devices are pooled; NONE is always for each. */
  perDevice: boolean
  order?: 'asc' | 'desc'
  /** NONE only: most points of a device, default and most 25,000. The newest are given with `desc`, else the oldest. */
  limit?: number
  signal?: AbortSignal
}

export interface Series {
  start: number | undefined
  end: number
  aggregation: string
  /** All devices that were asked, by id. */
  devices: { id: string; name: string; tags: Record<string, string[]> }[]
  /** One for each device, in the order of `devices`, or a single one for all. */
  groups: SeriesGroup[]
}

export interface SeriesGroup {
  deviceId: string | undefined
  /** Only buckets and attributes that have a value. `time`: start of the bucket; of a value that was chosen, `chosenAt`. */
  points: { time: number; data: Record<string, { value: number | string | boolean; chosenAt?: number }> }[]
  /** NONE only: there were more than `limit`. */
  limitExceeded: boolean
}

export interface DeviceMerge {
  mergeTags?: TagPair[]
  mergeAttributes?: { name: string; dataType?: string; contentType?: string }[]
}

/** A user as flows see it, without secrets (reference/nodes-experience.md, GetExperienceUserNode). */
export type UserView = Payload & { id: string; email: string }

export type UserCriteria = { by: 'tags'; tags: TagPair[] } | { by: 'query'; query: unknown }

export interface Users {
  /** Undefined for blank and unknown. 24 hex characters are an id, anything else an e-mail address. */
  get(idOrEmail: string): Promise<UserView | undefined>
  find(criteria: UserCriteria, page: PageRequest): Promise<Listing<UserView>>
  create(body: Payload): Promise<UserView>
  /** `mergeTags` merges per key; `experienceGroupIds` replaces; `invalidateTokens` ends all tokens. Throws Refusal. */
  update(
    idOrEmail: string,
    patch: Payload,
    options?: { mergeTags?: TagPair[]; invalidateTokens?: boolean },
  ): Promise<UserView>
  remove(idOrEmail: string): Promise<boolean>
  /** Users who can see the device: members of a group that it is associated with, or of one above. Unknown: none. */
  whoSee(deviceId: string, page: PageRequest): Promise<Listing<UserView>>
  /**
   * Undefined when the credentials do not fit; takes the same time whether or not the user exists. `byToken`: the given
   * token is still good, and said who it is.
   */
  authenticate(credentials: {
    mode: 'emailPassword' | 'token' | 'tokenEmail' | 'tokenEmailPassword'
    email: string
    password: string
    token: string
  }): Promise<{ user: UserView; byToken: boolean } | undefined>
  /**
   * A signed token; undefined when there is no such user. `ttlMs` undefined: never expires. Throws `config.type` for
   * extra data that is too large for a token.
   */
  issueToken(request: {
    idOrEmail: string
    ttlMs?: number
    invalidateExisting?: boolean
    treatAsLogin?: boolean
    extraData?: unknown
  }): Promise<string | undefined>
}

/** A group as flows see it (reference/nodes-experience.md, GetExperienceGroupNode). */
export type GroupView = Payload & { id: string; name: string }

export type GroupCriteria =
  | { by: 'id'; id: string }
  | { by: 'name'; name: string }
  | { by: 'allTags' | 'anyTags'; tags: TagPair[] }
  | { by: 'query'; query: unknown }

export interface GroupTree {
  id: string
  name: string
  children: GroupTree[]
}

export interface Groups {
  find(criteria: GroupCriteria, page: PageRequest): Promise<Listing<GroupView>>
  create(body: Payload): Promise<GroupView>
  update(
    id: string,
    patch: Payload,
    options?: {
      mergeTags?: TagPair[]
      membersToAdd?: string[]
      membersToRemove?: string[]
      membersReplacement?: string[]
    },
  ): Promise<GroupView>
  /** False when there was none. Groups below it move up to its parent; members, devices and endpoints stay, without it. */
  remove(id: string): Promise<boolean>
  /** The tree below a group, or the whole forest under `(root)`; undefined for an unknown id. Siblings by name. */
  summary(startId?: string): Promise<GroupTree | undefined>
}

export interface Tenancy {
  /** True when the device is part of the world of the user (id or e-mail) or group. Blank and unknown: false. */
  verify(question: { device: string; subject: string; kind: 'experienceUser' | 'experienceGroup' }): Promise<boolean>
  /** True when the user is a direct member of the group or of one above it. */
  verifyGroup(question: { user: string; group: string }): Promise<boolean>
}

export interface CookieChange {
  name: string
  /** Undefined removes the cookie. */
  value?: string
  path?: string
  maxAgeMs?: number
}

export type ReplyBody =
  | { kind: 'page'; pageId: string; layoutId?: string; data: unknown }
  | { kind: 'redirect'; location: string }
  /** Objects are sent as JSON, strings as they stand, undefined as an empty body. */
  | { kind: 'custom'; body: unknown }

export interface Reply {
  body: ReplyBody
  /** 100-599; undefined: 200, or 302 for a redirect. */
  status?: number
  headers: [name: string, value: string][]
  cookies: CookieChange[]
  sameSite?: 'none' | 'lax' | 'strict'
}

/** The settings of stored credentials, by their type, in the published words. */
export interface CredentialSettings {
  aws: { accessKeyId: string; secretAccessKey: string; region: string }
  certificateKeyPair: { certificate: string; privateKey: string }
  http: {
    /** The credential is for URLs that begin with it. */
    uriMatch: string
    authMethod: 'header' | 'queryParam' | 'basicAuth' | 'clientCertificate'
    /** Name of the header or parameter, the user, or the certificate. */
    publicValue?: string
    secretValue: string
  }
  jwt: { issuer?: string; algorithm: string; secret: string }
  mailgun: { apiKey: string }
  mongodb: { connectionUri: string }
  sendgrid: { apiKey: string }
  sql: {
    system: 'mssql' | 'mysql' | 'pg'
    host: string
    username: string
    password: string
    port?: number
    secureConnection?: boolean
    disableSSLVerification?: boolean
    caCertificate?: string
  }
  twilio: { accountSid: string; apiKeySid: string; apiKeySecret: string }
}

export type CredentialType = keyof CredentialSettings

export interface Credentials {
  /** Throws FlowError `credential.missing`, also for one of another type, and `credential.unreadable`. */
  get<T extends CredentialType>(name: string, type: T): Promise<CredentialSettings[T]>
}

export interface Replies {
  /**
   * Answers the request that waits under `replyId`; a no-op when it is already answered or unknown. Pages are rendered
   * now, with this run's globals; throws or rejects with FlowError `view.*` or `template.*` when that fails, and the request goes on
   * waiting. Without a promise it is done already.
   */
  send(replyId: string, reply: Reply, context: { payload: Payload; experienceVersion?: string }): Promise<void> | void
  /**
   * Sends a message to a WebSocket client of a webhook, by the `replyId` of its connection, whichever process holds it; a no-op
   * when it has gone or is unknown.
   */
  message(client: string, message: ClientMessage): Promise<void>
}

export interface ClientMessage {
  bytes: Uint8Array
  /** Else the bytes are a text in UTF-8. */
  binary: boolean
}

/** An event as flows see it (reference/nodes-data.md 6). */
export type EventView = Payload & { id: string; subject: string }

export type EventCriteria = { by: 'id'; id: string } | { by: 'query'; query: unknown }

export interface Events {
  /** Newest first by default. Throws Refusal for a query that is not valid. */
  find(criteria: EventCriteria, page: PageRequest): Promise<Listing<EventView>>
  /**
   * `body`: level, subject, state?, message?, deviceId?, data?, eventTags?, creationDate?, disableTagChangeTracking?. Fires event
   * triggers. Throws Refusal.
   */
  create(body: Payload): Promise<EventView>
  /**
   * Appends one entry to `updates`, in which `data` and `comment` stand; at most 1,000 are kept. `eventTags` are merged: one without
   * value is removed. Fires event triggers. Throws Refusal.
   */
  update(id: string, patch: Payload & { comment?: string }): Promise<EventView>
  /** Gives the number removed, at most 10,000: call again for more. Throws Refusal for a query that is not valid. */
  remove(criteria: EventCriteria): Promise<number>
}

/** A row as flows see it: its columns by name, null for none, with `createdAt` and `updatedAt` as ISO text. */
export type TableRow = Payload & { id: string; createdAt: string; updatedAt: string }

export type RowCriteria = { by: 'id'; id: string } | { by: 'query'; query: unknown }

export interface RowListing {
  items: TableRow[]
  count: number
  totalCount: number
  limit: number
  offset: number
  sortColumn: string
  sortDirection: 'asc' | 'desc'
  /** As it was understood: an object. */
  query: unknown
  dataTableId: string
  applicationId: string
}

/** The tables of an application, by id. Every method throws Refusal, NotFound for an unknown table. */
export interface DataTables {
  /**
   * Without `sortColumn` newest first. `limit` defaults to 1,000, most 10,000. `includeFields`: the columns to give, built-in ones among
   * them; default and empty: all. A listing and its rows are the caller's own.
   */
  rows(
    tableId: string,
    request: {
      query?: unknown
      sortColumn?: string
      sortDirection?: 'asc' | 'desc'
      limit?: number
      offset?: number
      includeFields?: readonly string[]
    },
  ): Promise<RowListing>
  /** Values are cast to the types of their columns; what is no column is left out. Fires triggers. */
  insert(tableId: string, row: unknown): Promise<TableRow>
  /** All or none, at most 5,000. Fires triggers. */
  insertMany(
    tableId: string,
    rows: readonly unknown[],
  ): Promise<{ createdAt: string; count: number; items: TableRow[] }>
  /**
   * Changes the columns that are given of the first row (by id) that fits; null clears. `upsert`: a row is made when none fits. Fires
   * triggers when something is another value than before.
   */
  update(tableId: string, criteria: RowCriteria, change: unknown, options?: { upsert?: boolean }): Promise<TableRow>
  /** Gives the number removed: at most `limit`, default all. Stops between steps with the signal. Fires triggers for 10,000 at most. */
  remove(tableId: string, criteria: RowCriteria, options?: { limit?: number; signal?: AbortSignal }): Promise<number>
}

/** A job as flows see it. */
export interface JobView {
  id: string
  kind: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'canceled'
  /** `total` is null as long as it is not known; `percent` 0 to 100, null likewise. */
  progress: { completed: number; total: number | null; percent: number | null; status: string }
  output: Payload | null
  error: { code: string; message: string } | null
  creationDate: string
  endedAt: string | null
}

export interface Jobs {
  /**
   * Starts to write an archive of the devices that a user or group sees, with their history. Only `requestedBy`, a user (id or
   * e-mail), can download it. As long as an export of this user is not done, it is the one that is given. `baseUrl`: where the
   * experience is reached, for the link in the mail. Throws Refusal, also when that one is of other devices.
   */
  exportData(request: {
    subject: { kind: 'experienceUser' | 'experienceGroup'; id: string }
    requestedBy: string
    baseUrl: string
    /** Milliseconds since the epoch; default everything up to now. */
    start?: number
    end?: number
    /** Default all. */
    attributes?: string[]
    /** Default: to the user who asked; false: no mail. */
    mail?: boolean
  }): Promise<JobView>
  /**
   * Starts to create or update devices from CSV text (header: name and optionally description, deviceClass, and any tag keys). `tags` are
   * set on each device; `matchTag`: a row whose value of this tag a device has updates that device. Throws Refusal.
   */
  importDevices(request: {
    csv: string
    requestedBy: string
    tags: TagPair[]
    matchTag?: string
    recipeId?: string
  }): Promise<JobView>
  /** Jobs that this user (id or e-mail) asked for; undefined for those of others and unknown ones alike. */
  get(id: string, requestedBy: string): Promise<JobView | undefined>
  /** Newest first, at most 100. */
  list(requestedBy: string, kind?: string): Promise<JobView[]>
  /** False when it has ended, is unknown or someone else's. */
  cancel(id: string, requestedBy: string): Promise<boolean>
}

/** A file as flows see it. `url` is on the hosts of the application, from their root; that of a private one is signed. */
export type FileView = Payload & {
  id: string
  type: 'file'
  _type: 'file' | 'privateFile'
  name: string
  /** Without a slash at its end, but for the root. */
  parentDirectory: string
  contentType: string
  fileSize: number
  url: string
}

export type FileCriteria = { private: boolean } & ({ path: string } | { id: string })

/** The files that pages and end users load. Every method throws Refusal, also for a path that no file can have. */
export interface Files {
  /** Undefined where there is none. `urlTtlSeconds`: life of the link to a private file, default 900. */
  get(criteria: FileCriteria, options?: { urlTtlSeconds?: number }): Promise<FileView | undefined>
  /** With its contents, at most 5 MB. */
  read(criteria: FileCriteria): Promise<{ file: FileView; content: Uint8Array } | undefined>
  /** Directories need not exist. `contentType` default: as the name says. At most 5 MB. Fires triggers. */
  write(file: {
    name: string
    parentDirectory: string
    private: boolean
    content: Uint8Array
    contentType?: string
    overwrite: boolean
    urlTtlSeconds?: number
  }): Promise<FileView>
  /** False when there was none. Fires triggers. */
  remove(criteria: FileCriteria): Promise<boolean>
}

/** Work that is done for one resource after the other, by flows that listen to it. Every method throws Refusal. */
export interface ResourceJobs {
  /** Begins an execution and does not wait. What is not given is as the job has it; `context` takes the place of all of its own. */
  execute(request: {
    jobId: string
    context?: unknown
    queryJson?: string
    dataTableId?: string
  }): Promise<{ success: true; executionId: string }>
  /**
   * Ends an iteration that runs, from whatever run. `message` is cut at 256 characters. `accumulator` is kept for the iterations after
   * it, where there is one at a time. Times are ISO text.
   */
  acknowledge(request: {
    iterationId: string
    success: boolean
    message?: string
    accumulator?: unknown
  }): Promise<{ success: boolean; startedAt: string; completedAt: string; message?: string; accumulator?: string }>
}

/** The published API, on this application alone. */
export interface Api {
  /**
   * The body of the answer. `params` by their published names; text stands for numbers, flags and JSON, too, and unknown ones are
   * left aside. Throws Refusal: NotFound also for calls that are not known, and for any other application.
   */
  call(request: { resource: string; action: string; params: Payload; application?: string }): Promise<unknown>
}

/** A custom node where it stands in a flow: everything that a call of it needs. */
export interface PlacedCustomNode {
  plan: Plan
  entry: readonly number[]
  /** What it asks its callers for. The same list as long as the version is the same. */
  fields: readonly InputField[]
  /** Of its nodes: its storage belongs to this place alone. */
  services: object
  /** The payload that a call begins with: nothing of the caller's is in it but these. */
  start(call: { data: Payload; time: unknown }): Payload
}

export interface CustomNodes {
  /**
   * The version (`default`, `develop` or a name) of a custom node of this application, for the node that calls it. Throws FlowError
   * `custom-node.missing`, or `custom-node.recursion` when that node stands inside it.
   */
  find(wanted: { id: string; version: string; node: NodePlace }): PlacedCustomNode
}

export interface Flows {
  /**
   * Presses a virtual button of a flow of this application, named by its key, `meta.uiId` or `meta.id`, and does not wait for the
   * run. `version`: `default`, `develop` or a name. Without `data` it is what stands at the button. With `dueAt` (milliseconds
   * since the epoch, at most a year from now) it is pressed then, and stays known if the server stops. Throws Refusal: NotFound,
   * Validation, or RateLimit for flows that start each other without an end.
   */
  press(request: {
    flow: string
    button: string
    version: string
    data?: unknown
    dueAt?: number
  }): Promise<{ runId: string }>
  /** Takes back what was to be pressed later. False when it has begun, or is unknown. */
  cancel(runId: string): Promise<boolean>
}
