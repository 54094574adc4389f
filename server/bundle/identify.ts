import type { Document } from '../store/documents/document.ts'
import type { OriginDocument } from '../store/documents/experience.ts'
import { collections } from '../store/documents.ts'
import { newId } from '../store/id.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { type ImportedCollection, type Item, importedCollections } from './items.ts'

/** An item that has found its place in the store. */
export interface Placed {
  item: Item
  id: string
  /** The document as it is now; undefined when there is none yet. */
  current?: Document & Record<string, unknown>
  origin?: OriginDocument
}

/** The key of an origin in the map that `loadOrigins` gives. */
export function originKey(kind: string, key: string): string {
  return `${kind}\n${key}`
}

/** Where everything that was imported into an application came from. */
export async function loadOrigins(app: AppStore): Promise<Map<string, OriginDocument>> {
  const origins = new Map<string, OriginDocument>()
  for await (const origin of app.collection('origins').each()) origins.set(originKey(origin.kind, origin.key), origin)
  return origins
}

/**
 * Gives each item its id: of the document that it became at an earlier import, else of a document that is the same by
 * its natural key, else a new one. No two items get one document.
 */
export async function identify(
  app: AppStore,
  items: readonly Item[],
  origins: ReadonlyMap<string, OriginDocument>,
): Promise<Map<Item, Placed>> {
  const placed = new Map<Item, Placed>()
  for (const collection of importedCollections) {
    await identifyIn(
      app,
      collection,
      items.filter((item) => item.collection === collection),
      origins,
      placed,
    )
  }
  return placed
}

/**
 * Tells what a view or endpoint of another version is a copy of: that of the same name, or method and route, in `develop`. What
 * serves all versions names it by the id of that one.
 */
export function openOriginals(places: ReadonlyMap<Item, Placed>): (item: Item) => string | undefined {
  const idOf = (item: Item) => places.get(item)!.id
  const placeOf = (item: Item) => {
    const { version, ...rest } = item.natural(idOf)
    return { version, key: JSON.stringify([item.collection, rest]) }
  }
  const originals = new Map<string, string>()
  for (const [item, { id }] of places) {
    if (item.collection !== 'views' && item.collection !== 'endpoints') continue
    const { version, key } = placeOf(item)
    if (version === 'develop') originals.set(key, id)
  }
  return (item) => {
    const { version, key } = placeOf(item)
    return version === 'develop' ? undefined : originals.get(key)
  }
}

type Found = Document & Record<string, unknown>

async function identifyIn(
  app: AppStore,
  collection: ImportedCollection,
  items: readonly Item[],
  origins: ReadonlyMap<string, OriginDocument>,
  placed: Map<Item, Placed>,
): Promise<void> {
  // Not users: one who took over the old address of another is somebody else.
  const unique = collections[collection].unique !== undefined && collection !== 'users'
  const originOf = (item: Item) => origins.get(originKey(collection, item.key))
  const targets = items.flatMap((item) => originOf(item)?.targetId ?? [])
  const known = await getAll(app, collection, targets)
  const claimed = new Set<string>()
  const idOf = (item: Item) => placed.get(item)!.id
  const place = (item: Item, current: Found | undefined) => {
    const id = current?.id ?? newId()
    claimed.add(id)
    placed.set(item, { item, id, current, origin: originOf(item) })
  }
  const lookUp = (await app.collection(collection).count()) > 0
  const same = async (item: Item): Promise<Found | undefined> => {
    if (!lookUp) return undefined
    const found = await app.collection(collection).find({ filter: filterOf(item.natural(idOf)), limit: 100 })
    return (found as unknown as Found[]).find((one) => !claimed.has(one.id))
  }
  const earlier = (item: Item) => {
    const target = originOf(item)?.targetId
    const current = target === undefined || claimed.has(target) ? undefined : known.get(target)
    return current
  }
  // What is where it was. Then, where no two documents may be alike, those that took another's place.
  for (const item of items) {
    const current = earlier(item)
    if (current && (!unique || isAlike(current, item.natural(idOf)))) place(item, current)
  }
  for (const item of items) {
    const current = unique && !placed.has(item) ? await same(item) : undefined
    if (current) place(item, current)
  }
  for (const item of items) {
    if (!placed.has(item)) place(item, earlier(item) ?? (unique ? undefined : await same(item)))
  }
}

async function getAll(
  app: AppStore,
  collection: ImportedCollection,
  ids: readonly string[],
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>()
  for (let i = 0; i < ids.length; i += 1000) {
    const page = await app.collection(collection).getMany(ids.slice(i, i + 1000))
    for (const one of page as unknown as Found[]) found.set(one.id, one)
  }
  return found
}

function filterOf(natural: Record<string, string | boolean | undefined>): Filter {
  return { all: Object.entries(natural).map(([field, value]) => ({ field, op: 'eq', value: value ?? null })) }
}

function isAlike(document: Found, natural: Record<string, string | boolean | undefined>): boolean {
  return Object.entries(natural).every(([field, value]) => document[field] === value)
}
