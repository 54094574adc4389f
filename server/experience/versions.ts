import { Refusal } from '../../nodes/services/listing.ts'
import type { ExperienceVersionDocument } from '../store/documents/experience.ts'
import type { FlowVersionDocument } from '../store/documents/flows.ts'
import type { CollectionName, Documents } from '../store/documents.ts'
import { newId } from '../store/id.ts'
import { type AppStore, type Hosts, StoreError, type WriteOperation } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { isSlug } from './slug.ts'
import { withIds } from './with-ids.ts'

/** An application, and the host names that open it. */
export interface VersionWorld {
  app: AppStore
  hosts: Hosts
}

/** Without host names a version can be made, and shown by nobody. */
type MakerWorld = Pick<VersionWorld, 'app'> & Partial<VersionWorld>

export interface NewVersion {
  /** Its name: what hosts point at. */
  version: string
  description?: string
  /** Host names that show it from now on; what is new among them is made. */
  slugs?: readonly string[]
}

/** What a version was made of. */
export interface VersionParts {
  id: string
  version: string
  endpoints: number
  views: number
  flows: number
}

/**
 * Keeps `develop` as it is now under a name: endpoints, views, experience flows and settings, all of one moment, in one write.
 * Then the hosts are pointed at it. Nothing that is done to `develop` later changes it.
 *
 * The copies get ids of their own, because two documents cannot share one, and every text in them that holds the id of a copied
 * document gets the new one: triggers, page ids in nodes, layouts and static replies name documents by id in places that only
 * their readers know, and an id of 24 random digits stands nowhere by chance. So a version names nothing of another, also when it
 * is exported. What stands outside of versions and serves all of them (globals of the application, cloud and error flows, custom
 * nodes) goes on to name what is in `develop`: each copy knows what it is a copy of and answers to that id in its version. Flows
 * keep the id of the flow: its storage and its runs go on from version to version.
 *
 * Throws Refusal `Validation` for a name or a slug that cannot be used, `AlreadyExists` for one that is taken.
 */
export async function createVersion(world: MakerWorld, wanted: NewVersion): Promise<VersionParts> {
  const { app } = world
  const { version, description, slugs = [] } = wanted
  checkName(version)
  for (const slug of slugs) await checkSlug(world, slug)
  const develop = await partsOf(app, 'develop', { oneMoment: true })
  const copies = [...develop.views, ...develop.endpoints, ...develop.flowVersions]
  const ids = new Map(copies.map((one) => [one.id, newId()]))
  const copy = <D extends { id: string }>(document: D) => ({
    ...withIds(ids, contentOf(document)),
    id: ids.get(document.id)!,
    version,
  })
  const named = <D extends { id: string }>(document: D) => ({ ...copy(document), copyOf: document.id })
  const settings = develop.settings ?? { endpointDefaultCors: true, globals: [] }
  const id = newId()
  const operations: WriteOperation[] = [
    { insert: 'experienceVersions', document: { ...withIds(ids, contentOf(settings)), id, version, description } },
    ...develop.views.map((one): WriteOperation => ({ insert: 'views', document: named(one) })),
    ...develop.endpoints.map((one): WriteOperation => ({ insert: 'endpoints', document: named(one) })),
    ...develop.flowVersions.map((one): WriteOperation => {
      const name = one.name ?? develop.flowNames.get(one.flowId)
      return { insert: 'flowVersions', document: { ...copy(one), name } }
    }),
  ]
  await app.write(operations).catch((error: unknown) => {
    if (!(error instanceof StoreError) || error.code !== 'duplicate') throw error
    throw new Refusal('AlreadyExists', `Expected a name that no version has, got "${version}". Delete that one first.`)
  })
  for (const name of slugs) await hostsOf(world).put({ name, scope: app.scope, version })
  const { views, endpoints, flowVersions } = develop
  return { id, version, endpoints: endpoints.length, views: views.length, flows: flowVersions.length }
}

/**
 * Removes a version with all that belongs to it alone; hosts that point at it then show nothing (404). False when there was
 * none. Throws Refusal `Validation` for `develop`.
 */
export async function deleteVersion({ app }: Pick<VersionWorld, 'app'>, version: string): Promise<boolean> {
  if (version === 'develop') throw new Refusal('Validation', 'Expected a version that was made, got "develop"')
  const { settings, views, endpoints, flowVersions } = await partsOf(app, version)
  if (settings === undefined && views.length + endpoints.length + flowVersions.length === 0) return false
  const remove = <N extends CollectionName>(name: N, documents: readonly { id: string }[]) =>
    documents.map(({ id }) => ({ remove: name, id }) as WriteOperation)
  await app.write([
    ...remove('experienceVersions', settings ? [settings] : []),
    ...remove('views', views),
    ...remove('endpoints', endpoints),
    ...remove('flowVersions', flowVersions),
    ...remove('flows', await flowsOnlyIn(app, flowVersions)),
  ])
  return true
}

/** Points host names of an application at a version that it has. Throws Refusal. */
export async function pointHosts(world: VersionWorld, version: string, slugs: readonly string[]): Promise<void> {
  const found = await world.app.collection('experienceVersions').first({ field: 'version', op: 'eq', value: version })
  if (!found && version !== 'develop') throw new Refusal('NotFound', `There is no version "${version}"`)
  for (const slug of slugs) await checkSlug(world, slug)
  for (const name of slugs) await hostsOf(world).put({ name, scope: world.app.scope, version })
}

interface Parts {
  settings: ExperienceVersionDocument | undefined
  views: Documents['views'][]
  endpoints: Documents['endpoints'][]
  /** Those of experience flows alone: a flow of the application may have a version of that name, too. */
  flowVersions: FlowVersionDocument[]
  flowNames: Map<string, string>
}

const mostReadings = 20

/** With `oneMoment` read again until nobody wrote meanwhile. */
async function partsOf(app: AppStore, version: string, options: { oneMoment?: boolean } = {}): Promise<Parts> {
  for (let left = mostReadings; ; left--) {
    const before = await app.revision()
    const parts = await readParts(app, version)
    if (!options.oneMoment || before === (await app.revision())) return parts
    if (left === 0) throw new Refusal('RateLimit', 'The application changes all the time. Try again when it rests.')
  }
}

async function readParts(app: AppStore, version: string): Promise<Parts> {
  const ofVersion = { field: 'version', op: 'eq', value: version } as const
  const all = async <D>(documents: AsyncIterable<D>) => {
    const found: D[] = []
    for await (const one of documents) found.push(one)
    return found
  }
  const flows = await all(app.collection('flows').each({ field: 'flowClass', op: 'eq', value: 'experience' }))
  const flowNames = new Map(flows.map((one) => [one.id, one.name]))
  const versions = await all(app.collection('flowVersions').each(ofVersion))
  return {
    settings: await app.collection('experienceVersions').first(ofVersion),
    views: await all(app.collection('views').each(ofVersion)),
    endpoints: await all(app.collection('endpoints').each(ofVersion)),
    flowVersions: versions.filter((one) => flowNames.has(one.flowId)),
    flowNames,
  }
}

/** The flows of which nothing is left without these versions. */
async function flowsOnlyIn(app: AppStore, gone: readonly FlowVersionDocument[]): Promise<{ id: string }[]> {
  const left: { id: string }[] = []
  for (const { flowId } of gone) {
    const count = await app.collection('flowVersions').count({ field: 'flowId', op: 'eq', value: flowId })
    if (count === 1) left.push({ id: flowId })
  }
  return left
}

/** What a document says, without what the store says of it. */
function contentOf<D extends object>(document: D): Omit<D, 'id' | 'revision' | 'creationDate' | 'lastUpdated'> {
  const {
    id: _id,
    revision: _revision,
    creationDate: _made,
    lastUpdated: _changed,
    ...content
  } = document as D & {
    [key: string]: unknown
  }
  return content as unknown as Omit<D, 'id' | 'revision' | 'creationDate' | 'lastUpdated'>
}

function checkName(version: string): void {
  if (/^[0-9A-Za-z](?:[0-9A-Za-z._-]{0,253}[0-9A-Za-z])?$/.test(version) && version !== 'develop') return
  const message = `Expected a name of letters, digits, dots, dashes and underscores other than develop, got ${JSON.stringify(version)}`
  throw new Refusal('Validation', message)
}

function hostsOf({ hosts }: MakerWorld): Hosts {
  if (hosts !== undefined) return hosts
  throw new Refusal('Validation', 'Expected no slugs: a flow makes versions, and an administrator points hosts at them')
}

async function checkSlug(world: MakerWorld, name: string): Promise<void> {
  const { app } = world
  const host = await hostsOf(world).find(name)
  if (host === undefined && !isSlug(name)) {
    const message = `Expected a slug of 3 to 63 lower-case letters, digits and dashes (not the form of an id), got ${JSON.stringify(name)}`
    throw new Refusal('Validation', message)
  }
  if (host === undefined || scopeKey(host.scope) === scopeKey(app.scope)) return
  throw new Refusal('AlreadyExists', `The slug "${name}" belongs to another application. Give another.`)
}
