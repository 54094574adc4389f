import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Document } from '../store/documents/document.ts'
import type { OriginDocument } from '../store/documents/experience.ts'
import type { Documents } from '../store/documents.ts'
import type { AppStore, WriteOperation } from '../store/port.ts'
import type { Built } from './build.ts'
import { originKey, type Placed } from './identify.ts'
import { type ImportedCollection, importedCollections } from './items.ts'

/** How many documents of a collection an import makes, changes, removes and leaves alone. */
export interface Changes {
  created: number
  updated: number
  removed: number
  unchanged: number
}

/**
 * `replace`: flows, views, endpoints and the like become what the folder says. `keep`: what was edited by hand stays until
 * the folder says something new. Users, groups, devices and tables are always kept that way.
 */
export type Edits = 'replace' | 'keep'

export interface Plan {
  operations: WriteOperation[]
  changes: Partial<Record<ImportedCollection | 'application', Changes>>
}

/** Collections whose documents live on without the folder: people and things, not definitions. */
const living: readonly string[] = ['users', 'groups', 'devices', 'dataTables']

/** The fields that hold a list of ids to which people add by hand. */
const lists: Partial<Record<Target['collection'], string>> = { users: 'experienceGroupIds', groups: 'deviceIds' }

/** Fields that tenancy derives: never compared, never overwritten. */
const derived = ['ancestorIds', 'groupIds']

/** A document to be, by its origin: what is there now, and what is known of its last import. */
export interface Target {
  collection: ImportedCollection | 'application'
  key: string
  id: string
  current?: Document & Record<string, unknown>
  origin?: OriginDocument
}

/**
 * Adds what makes one document be as it was built. `extra` are fields that are set beside those of the folder and never
 * compared with what the folder said before, such as a first password. False when the folder says what it said the last time.
 */
export function planDocument(
  plan: Plan,
  target: Target,
  to: { built: Built; edits: Edits; extra?: Record<string, unknown> },
): boolean {
  const { collection, key, id, current, origin } = target
  const { built, edits, extra = {} } = to
  const hash = hashOf(built)
  const listField = lists[collection]
  if (current === undefined) {
    const enabled = collection === 'flows' ? { enabled: built.enabled ?? built.fields.flowClass !== 'cloud' } : {}
    const document = { ...built.fields, ...enabled, ...extra, id }
    plan.operations.push({ insert: collection, document } as unknown as WriteOperation)
    tally(plan, collection, 'created')
  } else {
    const same = origin?.hash === hash && origin.targetId === id
    const left = same && (edits === 'keep' || living.includes(collection))
    const change = { ...(left ? {} : changeOf(current, { built, same, listField, listed: origin?.listed })), ...extra }
    const changed = Object.keys(change).length > 0
    if (changed) plan.operations.push({ update: collection, id, change } as WriteOperation)
    tally(plan, collection, changed ? 'updated' : 'unchanged')
  }
  const listed = listField === undefined ? undefined : (built.fields[listField] as string[])
  planOrigin(plan, { kind: collection, key, targetId: id, hash, listed }, origin)
  return current === undefined || origin?.hash !== hash || origin.targetId !== id
}

/** Adds what records where a document came from. */
export function planOrigin(
  plan: Plan,
  wanted: Omit<OriginDocument, keyof Document>,
  origin: OriginDocument | undefined,
): void {
  if (origin === undefined) {
    plan.operations.push({ insert: 'origins', document: wanted })
    return
  }
  const { key, targetId, hash, listed } = wanted
  const known = { key: origin.key, targetId: origin.targetId, hash: origin.hash, listed: origin.listed }
  if (isDeepStrictEqual(plain(known), plain({ key, targetId, hash, listed }))) return
  plan.operations.push({ update: 'origins', id: origin.id, change: { key, targetId, hash, listed } })
}

/**
 * Adds the removal of what came from the folder and is not in it any more. Users, groups, devices and tables stay, and so do flows
 * that have versions of another origin. Gives the keys of the blobs that nothing needs afterwards.
 */
export async function planRemovals(
  plan: Plan,
  world: { app: AppStore; origins: Iterable<OriginDocument>; placed: readonly Placed[] },
): Promise<string[]> {
  const { app, placed } = world
  const kept = new Set(placed.map(({ item, id }) => `${item.collection} ${id}`))
  const keys = new Set(placed.map(({ item }) => originKey(item.collection, item.key)))
  const gone = new Map<Removable, Set<string>>(removable.map((name) => [name, new Set()]))
  for (const { id, kind, key, targetId } of world.origins) {
    const known = keys.has(originKey(kind, key))
    const stays = kept.has(`${kind} ${targetId}`)
    if (isRemovable(kind)) {
      if (!stays) gone.get(kind)!.add(targetId)
      if (!known) plan.operations.push({ remove: 'origins', id })
    } else if (stays && !known) plan.operations.push({ remove: 'origins', id })
  }
  const blobs: string[] = []
  for (const [collection, ids] of gone) {
    for (const document of await existing(app, collection, [...ids])) {
      if (collection === 'flows' && (await hasOtherVersions(app, document.id, gone.get('flowVersions')!))) continue
      if ('blob' in document) blobs.push(document.blob)
      plan.operations.push({ remove: collection, id: document.id })
      tally(plan, collection, 'removed')
    }
  }
  return blobs
}

async function existing(app: AppStore, collection: Removable, ids: readonly string[]): Promise<Documents[Removable][]> {
  const found: Documents[Removable][] = []
  for (let i = 0; i < ids.length; i += 1000) {
    found.push(...(await app.collection(collection).getMany(ids.slice(i, i + 1000))))
  }
  return found
}

async function hasOtherVersions(app: AppStore, flowId: string, gone: ReadonlySet<string>): Promise<boolean> {
  const versions = await app.collection('flowVersions').find({ filter: { field: 'flowId', op: 'eq', value: flowId } })
  return versions.some((one) => !gone.has(one.id))
}

/** Counts one more document. */
export function tally(plan: Plan, collection: keyof Plan['changes'], what: keyof Changes): void {
  plan.changes[collection] ??= { created: 0, updated: 0, removed: 0, unchanged: 0 }
  plan.changes[collection][what] += 1
}

// People add to them beside what the folder has.
const kept = ['dataTables', 'devices', 'groups', 'users'] as const
type Removable = Exclude<ImportedCollection, (typeof kept)[number]>

const removable = importedCollections.filter((one): one is Removable => !kept.some((other) => other === one))

function isRemovable(kind: string): kind is Removable {
  return removable.some((one) => one === kind)
}

function changeOf(
  current: Document & Record<string, unknown>,
  to: { built: Built; same: boolean; listField: string | undefined; listed: string[] | undefined },
): Record<string, unknown> {
  const wanted: Record<string, unknown> = { ...to.built.fields }
  // Said once: whoever switched a flow on or off since has the last word until the folder changes.
  if (to.built.enabled !== undefined && !to.same) wanted.enabled = to.built.enabled
  if (to.listField !== undefined) {
    wanted[to.listField] = merge(current[to.listField] as string[], wanted[to.listField] as string[], to.listed ?? [])
  }
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([key, value]) => !derived.includes(key) && !isDeepStrictEqual(plain(current[key]), plain(value)),
    ),
  )
}

/** What is wanted, and what was added by hand: what is there but was not listed before. */
function merge(current: readonly string[], wanted: readonly string[], listed: readonly string[]): string[] {
  const byHand = current.filter((id) => !listed.includes(id) && !wanted.includes(id))
  const unchanged = byHand.length + wanted.length === current.length && wanted.every((id) => current.includes(id))
  return unchanged ? [...current] : [...wanted, ...byHand]
}

function hashOf(built: Built): string {
  return createHash('sha256').update(JSON.stringify(built)).digest('hex')
}

// As the store gives it back: without the keys that are undefined.
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
