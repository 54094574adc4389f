import {
  anything,
  flag,
  jsonText,
  keyPattern,
  listOf,
  mapOf,
  oneOf,
  type Rule,
  reference,
  ruled,
  shape,
  text,
  whole,
} from './rules.ts'

/** A kind of resource: its published name, its word in placeholders, and the rules of its fields. */
export interface Kind {
  name: KindName
  /** The TYPE of a placeholder. */
  token: string
  /** False: resources are counted and left out; references to them still get an id. */
  supported: boolean
  /** Resources nest in `children`. */
  tree: boolean
  fields: Record<string, Rule>
  required: readonly string[]
  /** Fields that are not in `fields` are kept. */
  open: boolean
}

export type KindName =
  | 'Application'
  | 'DeviceTree'
  | 'DeviceRecipe'
  | 'ExperienceGroupTree'
  | 'ExperienceUser'
  | 'ExperienceVersion'
  | 'ExperienceView'
  | 'ExperienceEndpoint'
  | 'Flow'
  | 'FlowVersion'
  | 'ExperienceFlowVersion'
  | 'Webhook'
  | 'ResourceJob'
  | 'DataTable'
  | UnsupportedName
type UnsupportedName = 'Dashboard' | 'Notebook' | 'Integration' | 'ApplicationCertificateAuthority'

/** The kind that a `resourceType` names; undefined for a word that is not known. */
export function kindOf(resourceType: unknown): Kind | undefined {
  if (typeof resourceType !== 'string') return undefined
  return kinds.find((kind) => kind.name === resourceType || aliases[kind.name] === resourceType)
}

const aliases: Partial<Record<KindName, string>> = { DeviceTree: 'Device', ExperienceGroupTree: 'ExperienceGroup' }

const name = text({ min: 1, max: 255 })
const description = text({ max: 32_767 })
const tagMap = mapOf(text({ min: 1, max: 255 }))
const tagKey = text({ max: 255, pattern: keyPattern })
const tagValue = text({ min: 1, max: 255 })
const reply = shape(
  { type: oneOf('page', 'redirect'), value: text({ min: 1, max: 32_767 }), statusCode: whole(100, 599) },
  ['type', 'value'],
)
const globals = listOf(
  shape({ key: text({ max: 255, pattern: keyPattern }), json: jsonText(32_767), cloudOnly: flag, description }, [
    'key',
    'json',
  ]),
  100,
)
const attribute = shape(
  {
    name: tagKey,
    dataType: oneOf('number', 'string', 'boolean', 'gps', 'blob'),
    description,
    contentType: text({ max: 64 }),
    attributeTags: tagMap,
    system: anything,
  },
  ['name', 'dataType'],
)
const column = shape(
  {
    name: text({
      max: 255,
      pattern: /^(?!(?:id|createdAt|updatedAt|__proto__|constructor|prototype)$)[0-9a-zA-Z_-]+$/,
    }),
    dataType: oneOf('string', 'number', 'boolean'),
    constraint: oneOf('unique', 'required', 'optional'),
    defaultValue: anything,
  },
  ['name', 'dataType', 'constraint'],
)
const deviceClass = oneOf('standalone', 'gateway', 'peripheral', 'floating', 'edgeCompute', 'system', 'embedded')
const deviceFields = {
  name,
  description,
  deviceClass,
  attributes: listOf(attribute, 256),
  tags: listOf(shape({ key: tagKey, value: tagValue }, ['key', 'value']), 100),
  parentId: reference,
  gatewayId: reference,
  systemInterval: whole(5, 3600),
  keepDuplicates: flag,
}
const flowFields = { name, description, enabled: flag, triggers: anything, nodes: anything, globals: anything }
const version = text({ min: 1, max: 255 })

const oneOrTen = ruled({ enum: [1, 10] }, (value, pointer, fail) => {
  if (value !== 1 && value !== 10) fail(pointer, `Expected 1 or 10, got ${JSON.stringify(value)}`)
})

/** Every kind of the format, in the order of an import. */
export const kinds: readonly Kind[] = [
  kind('Application', 'application', {
    required: ['name'],
    fields: {
      name,
      description: text({ max: 1024 }),
      globals,
      blobUrlTTL: whole(3600, 604_800),
      readmePath: text({ max: 1024 }),
      ...anyOf('filesPath', 'imagePath', 'authorName', 'authorUrl', 'keywords', 'endpointSlug', 'endpointDefaultCors'),
    },
  }),
  kind('DataTable', 'dataTable', {
    required: ['name'],
    fields: { name, description, columns: listOf(column, 100) },
  }),
  kind('DeviceRecipe', 'deviceRecipe', {
    required: ['name'],
    fields: { ...deviceFields, deviceName: name, deviceDescription: description },
  }),
  kind('DeviceTree', 'device', { tree: true, required: ['name'], fields: deviceFields }),
  kind('ExperienceGroupTree', 'experienceGroup', {
    tree: true,
    required: ['name'],
    fields: {
      name,
      description,
      parentId: reference,
      groupTags: tagMap,
      deviceIds: listOf(reference, 1000),
      deviceTags: listOf(shape({ key: tagKey, value: tagValue }), 100),
      deviceQueryJson: jsonText(8192),
    },
  }),
  kind('ExperienceUser', 'experienceUser', {
    required: ['email'],
    fields: {
      email: text({ max: 1024, pattern: /^[^\s@]+@[^\s@]+$/ }),
      firstName: text({ max: 1024 }),
      lastName: text({ max: 1024 }),
      userTags: tagMap,
      experienceGroupIds: listOf(reference, 1000),
      password: text({ min: 8, max: 2048 }),
    },
  }),
  kind('ExperienceVersion', 'experienceVersion', {
    required: ['version'],
    fields: {
      version,
      description,
      endpointDefaultCors: flag,
      allowedCorsOrigins: listOf(text({ min: 8, max: 270 }), 100),
      globals,
      responseHeaders: mapOf(text({ min: 1, max: 1024 }), /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/),
      notFoundReply: reply,
      unauthorizedReply: reply,
    },
  }),
  kind('ExperienceView', 'experienceView', {
    required: ['name', 'viewType'],
    fields: {
      name,
      description,
      version,
      viewType: oneOf('page', 'layout', 'component'),
      viewTags: tagMap,
      layoutId: reference,
      headers: mapOf(text({ min: 1, max: 255 })),
      body: text({ max: 131_072 }),
    },
  }),
  kind('Webhook', 'webhook', {
    required: ['name'],
    fields: {
      name,
      description,
      token: reference,
      enabled: flag,
      responseCode: whole(100, 599),
      verificationType: oneOf('none', 'facebook', 'fitbit', 'twilio', 'alexa'),
      verificationCode: text({ max: 32_767 }),
      waitForReply: flag,
      basicAuthUsername: text({ max: 255 }),
      basicAuthPassword: text({ max: 255 }),
      isWebsocket: flag,
      castBuffersAs: oneOf('array', 'binary', 'utf8', 'base64', 'hex'),
      annotateMultipart: flag,
    },
  }),
  kind('ResourceJob', 'resourceJob', {
    required: ['name', 'resourceType'],
    fields: {
      name,
      description,
      resourceType: oneOf('device', 'dataTableRow', 'experienceGroup', 'experienceUser'),
      queryJson: text({ max: 8192 }),
      dataTableId: text({ max: 255 }),
      maxIterationConcurrency: oneOrTen,
      iterationDelay: whole(0, 60_000),
      iterationTimeout: whole(60_000, 900_000),
      retryOnTimeout: flag,
      retryOnFailure: flag,
      maxIterationRetries: whole(1, 5),
      retryDelay: whole(0, 30_000),
      defaultContext: jsonText(32_767),
    },
  }),
  kind('Flow', 'flow', {
    open: true,
    required: ['name'],
    fields: { ...flowFields, flowClass: oneOf('cloud', 'customNode', 'edge', 'embedded') },
  }),
  kind('FlowVersion', 'flowVersion', {
    open: true,
    required: ['flowId', 'version'],
    fields: { ...flowFields, flowId: reference, version },
  }),
  kind('ExperienceEndpoint', 'experienceEndpoint', {
    required: ['method', 'route'],
    fields: {
      version,
      method: oneOf('delete', 'get', 'options', 'patch', 'post', 'put'),
      route: text({ min: 1, max: 1024, pattern: /^\// }),
      access: oneOf('public', 'authenticated', 'group', 'device'),
      enabled: flag,
      description,
      endpointTags: tagMap,
      experienceGroupIds: listOf(reference, 1000),
      deviceIdTemplate: text({ max: 255 }),
      staticReply: reply,
      unauthorizedReply: reply,
    },
  }),
  kind('ExperienceFlowVersion', 'flowVersion', {
    open: true,
    required: ['flowId', 'name'],
    fields: { ...flowFields, flowId: reference, version },
  }),
  kind('Dashboard', 'dashboard', { supported: false }),
  kind('Notebook', 'notebook', { supported: false }),
  kind('Integration', 'integration', { supported: false }),
  kind('ApplicationCertificateAuthority', 'applicationCertificateAuthority', { supported: false }),
]

/** Fields that every resource may have and that say nothing about itself. */
export const envelopeFields = ['id', 'exportHash', 'localFilename', 'children']

function kind(kindName: KindName, token: string, rest: Partial<Kind>): Kind {
  const { supported = true, tree = false, fields = {}, required = [], open = !supported } = rest
  return { name: kindName, token, supported, tree, fields, required, open }
}

function anyOf(...names: string[]): Record<string, Rule> {
  return Object.fromEntries(names.map((one) => [one, anything]))
}
