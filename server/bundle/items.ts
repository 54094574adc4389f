import type { Document } from '../store/documents/document.ts'
import type { CollectionName, Documents } from '../store/documents.ts'
import { fold } from '../store/fold.ts'
import { versionOf } from './check.ts'
import type { KindName } from './kinds.ts'
import type { Bundle, Resource } from './read.ts'
import { isReference } from './references.ts'
import type { TreeFile } from './tree.ts'

/** The fields of a document that are not the store's own. */
export type Fields<N extends CollectionName> = Omit<Documents[N], keyof Document>

/** The collections that an import fills, in the order in which their ids are found: parents before what names them. */
export const importedCollections = [
  'dataTables',
  'recipes',
  'devices',
  'groups',
  'users',
  'experienceVersions',
  'views',
  'webhooks',
  'resourceJobs',
  'flows',
  'flowVersions',
  'endpoints',
  'files',
] as const
export type ImportedCollection = (typeof importedCollections)[number]

/** One document to be: where it comes from in the bundle, and how it is found again in the store. */
export interface Item {
  collection: ImportedCollection
  /** Its key among the origins: the placeholder, or what names it where it has none. */
  key: string
  /** The text that other resources write in the place of its id. */
  token?: string
  resource?: Resource
  asset?: { path: string; private: boolean; file: TreeFile }
  parent?: Item
  /** The flow of a version. */
  flow?: Item
  /** The name of an experience version that no resource describes. */
  version?: string
  /** The fields by which a document is the same one; `idOf` gives the id of another item. */
  natural(idOf: (item: Item) => string): Record<string, string | boolean | undefined>
}

/** The documents that a bundle describes, and those that it only implies. */
export function itemsOf(bundle: Bundle): Item[] {
  const items: Item[] = []
  const byResource = new Map<Resource, Item>()
  const flows = new Map<string, Item>()
  const add = (item: Omit<Item, 'key'> & { name: string }): Item => {
    const { name, ...rest } = item
    const added: Item = { ...rest, key: item.token ?? `=${name}` }
    items.push(added)
    if (item.resource) byResource.set(item.resource, added)
    return added
  }
  for (const resource of bundle.resources) {
    const collection = collectionOf[resource.kind.name]
    if (collection === undefined || collection === 'flowVersions') continue
    const token = isReference(resource.value.id) ? resource.value.id : undefined
    const parent = resource.parent && byResource.get(resource.parent)
    const { natural, name } = identityOf(resource, parent)
    const item = add({ collection, resource, parent, natural, name, token })
    if (collection === 'flows' && token !== undefined) flows.set(token, item)
  }
  for (const resource of bundle.resources) {
    if (collectionOf[resource.kind.name] !== 'flowVersions') continue
    const { value } = resource
    const flowToken = String(value.flowId)
    const flow = flows.get(flowToken) ?? add({ ...implicitFlow(resource), token: flowToken })
    flows.set(flowToken, flow)
    const version = versionOf(resource)
    const token = isReference(value.id) ? value.id : undefined
    const natural: Item['natural'] = (idOf) => ({ flowId: idOf(flow), version })
    add({ collection: 'flowVersions', resource, flow, natural, token, name: `${flow.key} ${version}` })
  }
  for (const version of impliedVersions(bundle)) {
    add({ collection: 'experienceVersions', version, name: version, natural: () => ({ version }) })
  }
  for (const asset of bundle.assets) {
    const { path, private: hidden } = asset
    add({
      collection: 'files',
      asset,
      name: `${hidden ? 'private ' : ''}${path}`,
      natural: () => ({ path, private: hidden }),
    })
  }
  return items
}

const collectionOf: Partial<Record<KindName, ImportedCollection>> = {
  DeviceRecipe: 'recipes',
  DeviceTree: 'devices',
  ExperienceGroupTree: 'groups',
  ExperienceUser: 'users',
  ExperienceVersion: 'experienceVersions',
  ExperienceView: 'views',
  ExperienceEndpoint: 'endpoints',
  Webhook: 'webhooks',
  ResourceJob: 'resourceJobs',
  DataTable: 'dataTables',
  Flow: 'flows',
  FlowVersion: 'flowVersions',
  ExperienceFlowVersion: 'flowVersions',
}

function identityOf(resource: Resource, parent: Item | undefined): Pick<Item, 'natural'> & { name: string } {
  const { kind, value } = resource
  const text = (key: string) => String(value[key])
  const fixed = (fields: Record<string, string>) => ({ natural: () => fields, name: Object.values(fields).join(' ') })
  switch (kind.name) {
    case 'ExperienceUser':
      return fixed({ emailKey: fold(text('email')) })
    case 'ExperienceVersion':
      return fixed({ version: text('version') })
    case 'ExperienceView':
      return fixed({ version: versionOf(resource), viewType: text('viewType'), name: text('name') })
    case 'ExperienceEndpoint':
      return fixed({ version: versionOf(resource), method: text('method'), route: text('route') })
    case 'Flow':
      return fixed({ name: text('name'), flowClass: typeof value.flowClass === 'string' ? value.flowClass : 'cloud' })
    case 'DeviceTree':
    case 'ExperienceGroupTree': {
      const name = text('name')
      return {
        natural: (idOf) => ({ name, parentId: parent && idOf(parent) }),
        name: parent ? `${parent.key}/${name}` : name,
      }
    }
    default:
      return fixed({ name: text('name') })
  }
}

function implicitFlow(resource: Resource): Omit<Item, 'key'> & { name: string } {
  const name = String(resource.value.name)
  return {
    collection: 'flows',
    resource,
    natural: () => ({ name, flowClass: 'experience' }),
    name: `experience ${name}`,
  }
}

/** The names of the experience versions that a bundle holds, `develop` always among them. */
export function versionsIn(bundle: Bundle): Set<string> {
  const versions = new Set(['develop'])
  for (const resource of bundle.resources) {
    if (/^Experience(Version|View|Endpoint|FlowVersion)$/.test(resource.kind.name)) versions.add(versionOf(resource))
  }
  return versions
}

function impliedVersions(bundle: Bundle): Set<string> {
  const versions = versionsIn(bundle)
  for (const { kind, value } of bundle.resources)
    if (kind.name === 'ExperienceVersion') versions.delete(String(value.version))
  return versions
}
