import { isDeepStrictEqual } from 'node:util'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { Document } from '../store/documents/document.ts'
import type { EndpointDocument } from '../store/documents/experience.ts'
import type { GroupDocument, UserDocument } from '../store/documents/people.ts'
import type { CollectionName, Documents } from '../store/documents.ts'
import { newId } from '../store/id.ts'
import type { AppStore, Change, Collection, Filter, WriteOperation } from '../store/port.ts'

/** Documents of one collection as they are and as they will be after a batch. */
export interface Drafts<D extends Document> {
  /** Ids of the documents that the operations insert, update or remove, as far as they exist, and of derived ones. */
  touched(): string[]
  has(id: string): boolean
  /** As it is in the store now; undefined for an inserted document. */
  before(id: string): D | undefined
  /** As it will be; undefined for a removed document. */
  after(id: string): D | undefined
  /** Sets derived fields of a document, which from then on counts as touched. Values that it has already are left alone. */
  derive(document: D, change: Change<D>): void
}

export interface Batch {
  app: AppStore
  users: Drafts<UserDocument>
  groups: Drafts<GroupDocument>
  devices: Drafts<DeviceDocument>
  endpoints: Drafts<EndpointDocument>
  /** The given operations in their order, completed, then one update for each further document. */
  operations(): WriteOperation[]
}

/** Reads what the operations touch and applies them in memory. Writes nothing. */
export async function openBatch(app: AppStore, given: readonly WriteOperation[]): Promise<Batch> {
  const operations = given.map((operation) => withId(operation))
  const users = await openDrafts(app, 'users', operations)
  const groups = await openDrafts(app, 'groups', operations)
  const devices = await openDrafts(app, 'devices', operations)
  const endpoints = await openDrafts(app, 'endpoints', operations)
  return {
    app,
    users,
    groups,
    devices,
    endpoints,
    operations() {
      const all = operations.slice()
      for (const drafts of [users, groups, devices, endpoints]) drafts.finish(all)
      return all
    },
  }
}

type Tenanted = 'users' | 'groups' | 'devices' | 'endpoints'

async function openDrafts<N extends Tenanted>(app: AppStore, name: N, operations: readonly WriteOperation[]) {
  type D = Documents[N]
  const before = new Map<string, D>()
  const after = new Map<string, D | undefined>()
  const last = new Map<string, number>()
  const derived = new Map<string, Change<D>>()

  for (const document of await existing(app, name, operations)) before.set(document.id, document)
  for (const [i, operation] of operations.entries()) {
    const target = targetOf(operation)
    if (target.name !== name) continue
    const current = after.has(target.id) ? after.get(target.id) : before.get(target.id)
    if ('insert' in operation) after.set(target.id, inserted<D>(operation.document))
    else if (current === undefined) continue
    else if ('remove' in operation) after.set(target.id, undefined)
    else after.set(target.id, changed(current, operation.change as Change<D>))
    last.set(target.id, i)
  }

  return {
    touched: () => [...after.keys()],
    has: (id: string) => after.has(id),
    before: (id: string) => before.get(id),
    after: (id: string) => after.get(id),
    derive(document: D, change: Change<D>) {
      const { id } = document
      if (!after.has(id)) before.set(id, document)
      const current = after.get(id) ?? document
      if (sameValues(current, change)) return
      after.set(id, changed(current, change))
      derived.set(id, { ...derived.get(id), ...change })
    },
    finish(all: WriteOperation[]) {
      for (const [id, change] of derived) {
        const position = last.get(id)
        if (position === undefined) {
          all.push({ update: name, id, change, revision: before.get(id)?.revision } as WriteOperation)
        } else all[position] = completed(all[position]!, change)
      }
    },
  }
}

async function existing<N extends Tenanted>(
  app: AppStore,
  name: N,
  operations: readonly WriteOperation[],
): Promise<Documents[N][]> {
  const ids = new Set<string>()
  for (const operation of operations) {
    const target = targetOf(operation)
    if (target.name === name && !('insert' in operation)) ids.add(target.id)
  }
  const found: Documents[N][] = []
  for (const part of chunks([...ids], 1_000)) found.push(...(await app.collection(name).getMany(part)))
  return found
}

function targetOf(operation: WriteOperation): { name: CollectionName; id: string } {
  if ('insert' in operation) return { name: operation.insert, id: operation.document.id ?? '' }
  return 'update' in operation
    ? { name: operation.update, id: operation.id }
    : { name: operation.remove, id: operation.id }
}

// Ids and dates are given here: what is decided about a document must hold for the document as it is stored.
function withId(operation: WriteOperation): WriteOperation {
  if (!('insert' in operation)) return operation
  const now = Date.now()
  const { id = newId(), creationDate = now, lastUpdated = now } = operation.document
  return { ...operation, document: { ...operation.document, id, creationDate, lastUpdated } } as WriteOperation
}

function inserted<D extends Document>(document: object): D {
  return { ...document, revision: 1 } as D
}

function changed<D extends Document>(document: D, change: Change<D>): D {
  const result = { ...document, ...change } as D
  for (const key of Object.keys(change) as (keyof D)[]) if (change[key] === undefined) delete result[key]
  return result
}

function sameValues<D extends object>(document: D, change: Change<D>): boolean {
  return (Object.keys(change) as (keyof D)[]).every((key) => isDeepStrictEqual(document[key], change[key]))
}

function completed(operation: WriteOperation, change: object): WriteOperation {
  if ('insert' in operation) return { ...operation, document: { ...operation.document, ...change } } as WriteOperation
  if ('update' in operation) return { ...operation, change: { ...operation.change, ...change } } as WriteOperation
  return operation
}

/**
 * All documents that match, ordered by id, in pages. Unlike `Collection.each` the store looks for few documents among many
 * by its indexes.
 */
export async function* matching<D extends Document>(collection: Collection<D>, filter: Filter): AsyncGenerator<D> {
  let page: D[]
  let last = ''
  do {
    const rest: Filter = last === '' ? filter : { all: [{ field: 'id', op: 'gt', value: last }, filter] }
    page = await collection.find({ filter: rest, sort: { field: 'id', direction: 'asc' }, limit: pageSize })
    yield* page
    last = page.at(-1)?.id ?? ''
  } while (page.length === pageSize)
}

const pageSize = 1_000

/** Pieces of at most `size`. */
export function* chunks<T>(items: readonly T[], size: number): Iterable<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}
