import { resourceJobDefaults } from '../resources/resource-job-fields.ts'
import type { AttributeDefinition } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import type { GlobalValue, StaticReply } from '../store/documents/experience.ts'
import type { FlowContent } from '../store/documents/flows.ts'
import type { DataColumn } from '../store/documents/tables.ts'
import { isId } from '../store/id.ts'
import { versionOf } from './check.ts'
import type { Fields, ImportedCollection, Item } from './items.ts'
import type { Resource } from './read.ts'
import type { Substitution } from './references.ts'
import { columnsOf, keyedColumns, rowsHash } from './tables.ts'

/** What an item becomes: the fields of its document, and `enabled` apart because a bundle may be silent about it. */
export interface Built {
  fields: Record<string, unknown>
  /** Data tables only: what tells one file of rows from another. */
  rows?: string
  /** Flows only: what the bundle says; undefined when it says nothing. */
  enabled?: boolean
}

export interface BuildContext {
  substitution: Substitution
  idOf(item: Item): string
  /** The id in `develop` of what a view or endpoint of another version is a copy of. */
  originalOf(item: Item): string | undefined
  /** The document as it is before the import. */
  currentOf(item: Item): Record<string, unknown> | undefined
}

/**
 * The document that an item describes, references replaced by ids. Only for a bundle that was checked without errors. Derived
 * fields (ancestorIds, groupIds) are empty: tenancy fills them. Files are built when their content is stored.
 */
export function build(item: Item, context: BuildContext): Built {
  const resource = item.resource
  if (resource === undefined) return { fields: builders.experienceVersions!({ version: item.version }, item, context) }
  const { children: _, ...own } = resource.value
  const value = context.substitution.value(own)
  if (item.collection === 'flows' || item.collection === 'flowVersions') return buildFlow(value, item, context)
  const rows = item.collection === 'dataTables' ? rowsHash(resource) : undefined
  return { fields: builders[item.collection]!(value, item, context), ...(rows === undefined ? {} : { rows }) }
}

type Value = Record<string, unknown>
type Builder = (value: Value, item: Item, context: BuildContext) => Value

const builders: { [N in ImportedCollection]?: Builder } = {
  dataTables: (value, item, { idOf, currentOf }): Fields<'dataTables'> & Value => ({
    name: text(value.name)!,
    description: text(value.description),
    columns: keyedColumns(columnsOf(value), idOf(item), currentOf(item)?.columns as DataColumn[] | undefined),
  }),
  devices: (value, item, { idOf }): Fields<'devices'> & Value => ({
    ...deviceFields(value),
    name: text(value.name)!,
    parentId: item.parent ? idOf(item.parent) : id(value.parentId),
    groupIds: [],
  }),
  recipes: (value): Fields<'recipes'> & Value => {
    const { name, description, id: _id, exportHash: _hash, ...template } = value
    return { name: text(name)!, description: text(description), template: present(template) }
  },
  groups: (value, item, { idOf }): Fields<'groups'> & Value => ({
    name: text(value.name)!,
    description: text(value.description),
    parentId: item.parent ? idOf(item.parent) : id(value.parentId),
    ancestorIds: [],
    groupTags: map(value.groupTags),
    deviceIds: list<string>(value.deviceIds).filter(isId),
    deviceTags: list<Partial<Tag>>(value.deviceTags).map(({ key, value: one }) => ({
      ...(key === undefined ? {} : { key }),
      ...(one === undefined ? {} : { value: one }),
    })),
    deviceQueryJson: text(value.deviceQueryJson),
  }),
  users: (value, item, { idOf }): Fields<'users'> & Value => ({
    email: text(value.email)!,
    emailKey: item.natural(idOf).emailKey as string,
    firstName: text(value.firstName),
    lastName: text(value.lastName),
    userTags: map(value.userTags),
    experienceGroupIds: list<string>(value.experienceGroupIds).filter(isId),
  }),
  experienceVersions: (value): Fields<'experienceVersions'> & Value => ({
    version: text(value.version)!,
    description: text(value.description),
    endpointDefaultCors: flag(value.endpointDefaultCors, true),
    allowedCorsOrigins: optional<string[]>(value.allowedCorsOrigins),
    globals: list<GlobalValue>(value.globals),
    responseHeaders: optional<Record<string, string>>(value.responseHeaders),
    notFoundReply: optional<StaticReply>(value.notFoundReply),
    unauthorizedReply: optional<StaticReply>(value.unauthorizedReply),
  }),
  views: (value, item, { substitution, originalOf }): Fields<'views'> & Value => {
    const viewType = value.viewType as 'page'
    return {
      version: versionOf(item.resource!),
      ...copyOf(originalOf(item)),
      name: text(value.name)!,
      viewType,
      body: item.resource!.text ? substitution.text(item.resource!.text.content) : (text(value.body) ?? ''),
      description: text(value.description),
      viewTags: map(value.viewTags),
      layoutId: viewType === 'page' ? optional<string>(value.layoutId) : undefined,
      headers: viewType === 'page' ? optional<Record<string, string>>(value.headers) : undefined,
    }
  },
  resourceJobs: (value): Fields<'resourceJobs'> & Value => {
    const whole = (key: keyof typeof resourceJobDefaults) => optional<number>(value[key])
    return {
      ...resourceJobDefaults,
      name: text(value.name)!,
      description: text(value.description),
      resourceType: value.resourceType as 'device',
      dataTableId: text(value.dataTableId),
      queryJson: text(value.queryJson) ?? resourceJobDefaults.queryJson,
      defaultContext: text(value.defaultContext) || resourceJobDefaults.defaultContext,
      maxIterationConcurrency: value.maxIterationConcurrency === 10 ? 10 : 1,
      iterationDelay: whole('iterationDelay') ?? resourceJobDefaults.iterationDelay,
      iterationTimeout: whole('iterationTimeout') ?? resourceJobDefaults.iterationTimeout,
      maxIterationRetries: whole('maxIterationRetries') ?? resourceJobDefaults.maxIterationRetries,
      retryDelay: whole('retryDelay') ?? resourceJobDefaults.retryDelay,
      retryOnTimeout: flag(value.retryOnTimeout, false),
      retryOnFailure: flag(value.retryOnFailure, false),
    }
  },
  // The token is of the application alone: an import gives it (webhook-tokens.ts).
  webhooks: (value): Omit<Fields<'webhooks'>, 'token' | 'tokenHash'> & Value => ({
    name: text(value.name)!,
    description: text(value.description),
    enabled: flag(value.enabled, true),
    responseCode: optional<number>(value.responseCode) ?? 200,
    verificationType: optional<'none'>(value.verificationType) ?? 'none',
    verificationCode: text(value.verificationCode) ?? '',
    waitForReply: flag(value.waitForReply, false),
    basicAuthUsername: text(value.basicAuthUsername) ?? '',
    basicAuthPassword: text(value.basicAuthPassword) ?? '',
    isWebsocket: flag(value.isWebsocket, false),
    castBuffersAs: optional<'array'>(value.castBuffersAs) ?? 'array',
    annotateMultipart: flag(value.annotateMultipart, false),
  }),
  endpoints: (value, item, { originalOf }): Fields<'endpoints'> & Value => ({
    version: versionOf(item.resource!),
    ...copyOf(originalOf(item)),
    method: text(value.method)!,
    route: text(value.route)!,
    access: (optional<'public'>(value.access) ?? 'public') as 'public',
    enabled: flag(value.enabled, true),
    description: text(value.description),
    endpointTags: map(value.endpointTags),
    experienceGroupIds: list<string>(value.experienceGroupIds),
    deviceIdTemplate: text(value.deviceIdTemplate),
    staticReply: optional<StaticReply>(value.staticReply),
    unauthorizedReply: optional<StaticReply>(value.unauthorizedReply),
  }),
}

function buildFlow(value: Value, item: Item, { idOf }: BuildContext): Built {
  const enabled = typeof value.enabled === 'boolean' ? value.enabled : undefined
  const content = contentOf(value, item.resource!)
  const description = text(value.description)
  if (item.collection === 'flowVersions') {
    const version = versionOf(item.resource!)
    const fields = { flowId: idOf(item.flow!), version, name: text(value.name), description, content }
    return { fields: { ...fields, enabled: enabled ?? true } satisfies Fields<'flowVersions'> }
  }
  const name = text(value.name)!
  if (item.resource!.kind.name === 'ExperienceFlowVersion') {
    return { fields: { name, flowClass: 'experience', content: { triggers: [], nodes: [], globals: [] } } }
  }
  return { fields: { name, flowClass: value.flowClass ?? 'cloud', description, content }, enabled }
}

// What says where a flow stands, not what it is. Everything else is kept as it was written.
const notContent = ['id', 'exportHash', 'flowId', 'name', 'description', 'enabled', 'version', 'flowClass']

function contentOf(value: Value, resource: Resource): FlowContent {
  const left = resource.kind.name === 'Flow' ? notContent.filter((key) => key !== 'version') : notContent
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !left.includes(key)))
  return { ...rest, triggers: list(value.triggers), nodes: list(value.nodes), globals: list(value.globals) }
}

function deviceFields(value: Value) {
  return {
    description: text(value.description),
    deviceClass: text(value.deviceClass) ?? 'standalone',
    tags: list<Tag>(value.tags).map((tag) => ({ key: tag.key, value: tag.value })),
    attributes: list<AttributeDefinition>(value.attributes).map((one) =>
      present({ ...one, attributeTags: map(one.attributeTags) }),
    ),
    gatewayId: id(value.gatewayId),
    systemInterval: optional<number>(value.systemInterval),
    keepDuplicates: optional<boolean>(value.keepDuplicates),
  }
}

// Left out, not undefined: what was made a copy here stays one though its original is gone.
function copyOf(id: string | undefined): { copyOf?: string } {
  return id === undefined ? {} : { copyOf: id }
}

function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== null)) as T
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function id(value: unknown): string | undefined {
  return isId(value) ? value : undefined
}

function flag(value: unknown, initial: boolean): boolean {
  return typeof value === 'boolean' ? value : initial
}

function list<T = unknown>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : []
}

function map(value: unknown): Record<string, string> {
  return (value ?? {}) as Record<string, string>
}

function optional<T>(value: unknown): T | undefined {
  return value === null ? undefined : (value as T | undefined)
}
