import type {
  AccessKeyDocument,
  DeviceCommandDocument,
  DeviceDocument,
  DeviceSessionDocument,
  EventDocument,
  MqttMessageDocument,
  RecipeDocument,
} from './documents/devices.ts'
import type {
  ApplicationDocument,
  CredentialDocument,
  EndpointDocument,
  ExperienceVersionDocument,
  FileDocument,
  OriginDocument,
  ViewDocument,
  WebhookDocument,
} from './documents/experience.ts'
import type { FlowDocument, FlowVersionDocument, RunDocument, ScheduleDocument } from './documents/flows.ts'
import type {
  JobDocument,
  ResourceExecutionDocument,
  ResourceIterationDocument,
  ResourceJobDocument,
} from './documents/jobs.ts'
import type { GroupDocument, TenancyDocument, UserDocument } from './documents/people.ts'
import type { DataTableDocument, DataTableKeyDocument, DataTableRowDocument } from './documents/tables.ts'
import type { Scope } from './scope.ts'

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
  credentials: CredentialDocument
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
  /** Among the fields: those that hold a time, by which documents of all applications are found (`Store.due`). */
  due?: readonly string[]
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
    due: ['dueAt', 'leaseUntil'],
  },
  schedules: { fields: ['key', 'nextAt'], unique: [['key']], due: ['nextAt'] },
  webhooks: { fields: ['name', 'tokenHash'], unique: [['tokenHash']] },
  credentials: { fields: ['name', 'type'], unique: [['name']] },
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
