import type { AttributeDefinition, DeviceDocument } from '../store/documents/devices.ts'
import type { ViewDocument, WebhookDocument } from '../store/documents/experience.ts'
import type { FlowDocument, FlowVersionDocument } from '../store/documents/flows.ts'
import type { ResourceJobDocument } from '../store/documents/jobs.ts'
import type { GroupDocument } from '../store/documents/people.ts'
import type { AppStore } from '../store/port.ts'
import { type Everything, readEverything } from './everything.ts'
import type { KindName } from './kinds.ts'
import { fileNameMaker, placeholderMaker } from './names.ts'
import { printYaml, sortKeys } from './print.ts'
import type { HostUrls } from './references.ts'
import { tableCsv } from './tables.ts'
import { type Unsubstitution, unsubstitution } from './unsubstitute.ts'

/** An application as files in the published format, by path. Contents of `files/**` and rows of tables are read when they are asked for. */
export type ExportedFiles = Map<string, string | (() => Promise<Uint8Array>)>

/**
 * The application as a folder that `readBundle` reads again: the same documents with placeholders for ids. Passwords, state,
 * tokens and the secret are not exported. `hostUrls` are turned back into placeholders where they are given.
 */
export async function exportBundle(app: AppStore, options: { hostUrls?: HostUrls } = {}): Promise<ExportedFiles> {
  const all = await readEverything(app)
  const { ids, secrets } = placeholdersOf(all)
  const { application } = app.scope
  const texts = unsubstitution(ids, { application, secrets, hostUrls: options.hostUrls })
  const files: ExportedFiles = new Map()
  const writer = openWriter(files, texts)
  writeApplication(all, writer)
  writeTables(app, { all, writer, texts, files })
  writer.list(
    'deviceRecipes.yaml',
    'DeviceRecipe',
    all.recipes.map(({ id, name, description, template }) => ({ ...template, id, name, description })),
  )
  writer.list('devices.yaml', 'DeviceTree', nest(all.devices, deviceOf))
  writer.list('experience/groups.yaml', 'ExperienceGroupTree', nest(all.groups, groupOf))
  writer.list(
    'experience/users.yaml',
    'ExperienceUser',
    all.users.map(({ id, email, firstName, lastName, userTags, experienceGroupIds }) => ({
      id,
      email,
      firstName,
      lastName,
      userTags,
      experienceGroupIds,
    })),
  )
  writer.list('webhooks.yaml', 'Webhook', all.webhooks.map(webhookOf))
  writer.list('resourceJobs.yaml', 'ResourceJob', all.resourceJobs.map(resourceJobOf))
  writeFlows(all, writer)
  for (const version of all.experienceVersions) {
    const folder = writer.folder('experience', version.version)
    writeVersion(all, { ...version, folder }, writer)
  }
  for (const { path, private: hidden, blob } of all.files) {
    files.set(`${hidden ? 'privateFiles' : 'files'}${path}`, () => readBlob(app, blob))
  }
  return files
}

interface Writer {
  /** One file with all resources of a kind; none for none. */
  list(path: string, kind: KindName, resources: readonly object[]): void
  text(path: string, content: string): void
  /** A folder or file name in a folder, for the name of a resource. */
  folder(parent: string, name: string): string
}

function openWriter(files: ExportedFiles, texts: Unsubstitution): Writer {
  const makers = new Map<string, (name: string) => string>()
  return {
    list(path, kind, resources) {
      if (resources.length === 0) return
      const printed = resources.map((one) => (kind === 'Application' ? one : sortKeys(one)))
      files.set(path, printYaml({ resourceType: kind, resources: texts.value(printed), version: 1 }))
    },
    text: (path, content) => void files.set(path, texts.text(content)),
    folder(parent, name) {
      if (!makers.has(parent)) makers.set(parent, fileNameMaker())
      return `${parent}/${makers.get(parent)!(name)}`
    },
  }
}

function placeholdersOf(all: Everything): { ids: Map<string, string>; secrets: Map<string, string> } {
  const ids = new Map<string, string>()
  const placeholder = placeholderMaker()
  const name = (type: string, documents: readonly { id: string }[], nameOf: (one: never) => string) => {
    for (const one of documents) ids.set(one.id, placeholder(type, nameOf(one as never)))
  }
  for (const { targetId, key } of all.reserved) ids.set(targetId, key)
  ids.set(all.application.id, placeholder('application', all.application.name))
  name('dataTable', all.dataTables, (one: { name: string }) => one.name)
  name('deviceRecipe', all.recipes, (one: { name: string }) => one.name)
  name('device', all.devices, (one: { name: string }) => one.name)
  name('experienceGroup', all.groups, (one: { name: string }) => one.name)
  name('experienceUser', all.users, (one: { email: string }) => one.email)
  name('experienceVersion', all.experienceVersions, (one: { version: string }) => one.version)
  name('experienceView', all.views, (one: { name: string }) => one.name)
  name('experienceEndpoint', all.endpoints, (one: { method: string; route: string }) => `${one.method} ${one.route}`)
  name('flow', all.flows, (one: { name: string }) => one.name)
  name('flowVersion', all.flowVersions, (one: FlowVersionDocument) => one.name ?? one.version)
  name('webhook', all.webhooks, (one: { name: string }) => one.name)
  name('resourceJob', all.resourceJobs, (one: { name: string }) => one.name)
  const kept = new Map(all.reserved.map(({ targetId, key }) => [targetId, key]))
  const taken = new Set(kept.values())
  const tokenName = (webhook: string) => {
    for (;;) {
      const name = placeholder('webhookToken', webhook)
      if (!taken.has(name)) return name
    }
  }
  const secrets = new Map(all.webhooks.map(({ token, name }) => [token, kept.get(token) ?? tokenName(name)]))
  return { ids, secrets }
}

function writeApplication({ application }: Everything, writer: Writer): void {
  const { id, name, description, blobUrlTTL, globals, readme } = application
  const paths = readme === undefined ? {} : { readmePath: './README.md' }
  const resource = { id, name, description, ...paths, filesPath: './files', blobUrlTTL, globals }
  writer.list('application.yaml', 'Application', [
    Object.fromEntries(Object.entries(resource).filter(([, one]) => one !== undefined)),
  ])
  if (readme !== undefined) writer.text('README.md', readme)
}

// Rows are read when they are asked for: one table at a time is in memory.
function writeTables(
  app: AppStore,
  to: { all: Everything; writer: Writer; texts: Unsubstitution; files: ExportedFiles },
): void {
  for (const table of to.all.dataTables) {
    const { id, name, description } = table
    const columns = table.columns.map(({ key: _key, ...column }) => column)
    const path = to.writer.folder('dataTables', name)
    const localFilename = `./${path.slice('dataTables/'.length)}.csv`
    to.writer.list(`${path}.yaml`, 'DataTable', [{ id, name, description, columns, localFilename }])
    to.files.set(`${path}.csv`, async () => Buffer.from(await tableCsv(app, table, to.texts)))
  }
}

function writeFlows(all: Everything, writer: Writer): void {
  for (const flow of all.flows) {
    if (flow.flowClass === 'experience') continue
    writer.list(`${writer.folder(`workflows/${flow.flowClass}`, flow.name)}.yaml`, 'Flow', [flowOf(flow)])
  }
  for (const version of all.flowVersions) {
    if (all.flowById.get(version.flowId)?.flowClass === 'experience' || !all.flowById.has(version.flowId)) continue
    writer.list(`${writer.folder('workflowVersions', version.version)}.yaml`, 'FlowVersion', [versionOf(version)])
  }
}

function flowOf({ id, name, flowClass, description, enabled, content }: FlowDocument) {
  // Silence means disabled for a cloud flow and enabled for others.
  const said = enabled === (flowClass !== 'cloud') ? {} : { enabled }
  return { ...content, id, name, flowClass, description, ...said }
}

function versionOf({ id, flowId, version, name, description, enabled, content }: FlowVersionDocument) {
  return { ...content, id, flowId, version, name, description, enabled }
}

function writeVersion(
  all: Everything,
  version: Everything['experienceVersions'][number] & { folder: string },
  writer: Writer,
): void {
  const { folder, revision: _revision, creationDate: _made, lastUpdated: _changed, ...resource } = version
  const own = <T extends { version: string }>(documents: readonly T[]) =>
    documents.filter((one) => one.version === version.version)
  writer.list(`${folder}/version.yaml`, 'ExperienceVersion', [resource])
  const endpoints = own(all.endpoints).map(
    ({ revision: _r, creationDate: _c, lastUpdated: _l, copyOf: _o, ...endpoint }) => endpoint,
  )
  writer.list(`${folder}/endpoints.yaml`, 'ExperienceEndpoint', endpoints)
  for (const viewType of ['layout', 'page', 'component'] as const) {
    writeViews(
      own(all.views).filter((one) => one.viewType === viewType),
      `${folder}/${viewType}s`,
      writer,
    )
  }
  for (const flow of own(all.flowVersions)) {
    const parent = all.flowById.get(flow.flowId)
    if (parent?.flowClass !== 'experience') continue
    const resource = { ...versionOf(flow), name: flow.name ?? parent.name, enabled: flow.enabled && parent.enabled }
    writer.list(`${writer.folder(`${folder}/workflows`, resource.name)}.yaml`, 'ExperienceFlowVersion', [resource])
  }
}

function writeViews(views: readonly ViewDocument[], folder: string, writer: Writer): void {
  const resources = views.map(({ body, revision: _r, creationDate: _c, lastUpdated: _l, copyOf: _o, ...view }) => {
    const path = `${writer.folder(folder, view.name)}.hbs`
    writer.text(path, body)
    return { ...view, localFilename: `./${path.slice(folder.length + 1)}` }
  })
  writer.list(`${folder}/${folder.split('/').at(-1)}.yaml`, 'ExperienceView', resources)
}

function deviceOf(device: DeviceDocument) {
  const { id, name, description, deviceClass, tags, gatewayId, systemInterval, keepDuplicates } = device
  const attributes = device.attributes.map((one: AttributeDefinition) => ({ ...one }))
  return { id, name, description, deviceClass, tags, attributes, gatewayId, systemInterval, keepDuplicates }
}

// When it was last executed is of this server alone.
function resourceJobOf(job: ResourceJobDocument) {
  const { revision: _r, creationDate: _c, lastUpdated: _l, lastExecutionRequested: _e, ...resource } = job
  return resource
}

function webhookOf(webhook: WebhookDocument) {
  const { revision: _r, creationDate: _c, lastUpdated: _l, tokenHash: _h, enabled, ...resource } = webhook
  // Silence means enabled.
  return enabled ? resource : { ...resource, enabled }
}

function groupOf({ id, name, description, groupTags, deviceIds, deviceTags, deviceQueryJson }: GroupDocument) {
  return { id, name, description, groupTags, deviceIds, deviceTags, deviceQueryJson }
}

/** Documents as a forest: those whose parent is not there, or that lie in a circle, are roots. */
function nest<D extends { id: string; parentId?: string }>(
  documents: readonly D[],
  toResource: (one: D) => object,
): object[] {
  const below = Map.groupBy(documents, (one) => one.parentId)
  const ids = new Set(documents.map((one) => one.id))
  const done = new Set<string>()
  const grow = (one: D): object => {
    done.add(one.id)
    const children = (below.get(one.id) ?? []).filter((child) => !done.has(child.id))
    return { ...toResource(one), children: children.map(grow) }
  }
  const roots = documents.filter((one) => one.parentId === undefined || !ids.has(one.parentId)).map(grow)
  return [
    ...roots,
    ...documents.filter((one) => !done.has(one.id)).flatMap((one) => (done.has(one.id) ? [] : grow(one))),
  ]
}

async function readBlob(app: AppStore, key: string): Promise<Uint8Array> {
  const content = await app.blobs.read(key)
  if (content === undefined) throw new Error(`The blob ${key} of a file is missing`)
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}
