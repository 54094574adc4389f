import type { Document } from './documents/document.ts'
import { isId, newId } from './id.ts'
import type { Connection } from './mongo-client.ts'
import { isTaken, keyOf, type Stored, toDocument, toStored } from './mongo-document.ts'
import type { Change, Step } from './mongo-journal.ts'
import { type MongoLayout, type MongoLayouts, tableOf, uniqueKey } from './mongo-plan.ts'
import { StoreError, type WriteOperation } from './port.ts'

/** What a batch does, checked whole: nothing is written yet. */
export interface Batch extends Omit<Change, 'revision'> {
  /** A collection of definitions is among those that change. */
  definition: boolean
  /** By operation: what the document is after it, or whether there was one to remove. */
  results: (Document | boolean)[]
}

/** One document as the operations change it. */
interface Draft {
  layout: MongoLayout
  id: string
  before: Stored | null
  now: Stored | null
}

/** A unique combination that an operation gave up or took. */
interface Claim {
  operation: number
  layout: MongoLayout
  position: number
  id: string
  left: string | undefined
  taken: string | undefined
}

const mostIds = 1000

/**
 * Applies the operations in memory, in order. Throws the StoreError of the first that fails, with its index where
 * `indexed`. The caller holds the lease of the application, so that what is read here stays as it is.
 */
export async function planBatch(options: {
  connection: Connection
  layouts: MongoLayouts
  appKey: string
  operations: readonly WriteOperation[]
  indexed: boolean
}): Promise<Batch> {
  const { connection, appKey, operations, indexed } = options
  const at = (error: unknown, operation: number) => (indexed ? withIndex(error, operation) : error)
  const writes = operations.map((operation) => toWrite(operation, options.layouts))
  const drafts = await readDrafts(connection, appKey, writes)
  const claims: Claim[] = []
  const results: (Document | boolean)[] = []
  let failed: unknown
  for (const [operation, write] of writes.entries()) {
    try {
      results.push(applyOne(write, { appKey, drafts, claim: (claim) => claims.push({ ...claim, operation }) }))
    } catch (error) {
      failed = at(error, operation)
      break
    }
  }
  await checkClaims(connection, appKey, claims, at)
  if (failed !== undefined) throw failed
  const changed = [...drafts.values()].filter(({ before, now }) => before?.stamp !== now?.stamp)
  const releasing = new Set(
    claims.filter(({ left }) => left !== undefined).map((claim) => draftKey(claim.layout, claim.id)),
  )
  const steps = changed.map(({ layout, id, before, now }): Step => {
    const releases = releasing.has(draftKey(layout, id))
    return { collection: layout.collection, id, before: before?.stamp ?? null, after: now, releases }
  })
  return { steps, results, definition: changed.some(({ layout }) => layout.definition) }
}

type Write = { layout: MongoLayout; id: string; revision?: number } & (
  | { kind: 'insert'; document: object }
  | { kind: 'update'; change: object }
  | { kind: 'remove' }
)

function toWrite(operation: WriteOperation, layouts: MongoLayouts): Write {
  const layoutOf = (name: string) => {
    const layout = layouts.get(name)
    if (layout !== undefined) return layout
    throw new StoreError('field', `Expected a declared collection, got ${JSON.stringify(name)}.`)
  }
  if ('insert' in operation) {
    const { document } = operation
    return { kind: 'insert', layout: layoutOf(operation.insert), id: document.id ?? newId(), document }
  }
  const { id, revision } = operation
  if ('update' in operation) {
    return { kind: 'update', layout: layoutOf(operation.update), id, revision, change: operation.change }
  }
  return { kind: 'remove', layout: layoutOf(operation.remove), id, revision }
}

function draftKey(layout: MongoLayout, id: string): string {
  return `${layout.collection} ${id}`
}

async function readDrafts(
  connection: Connection,
  appKey: string,
  writes: readonly Write[],
): Promise<Map<string, Draft>> {
  const drafts = new Map<string, Draft>()
  for (const { layout, id } of writes) drafts.set(draftKey(layout, id), { layout, id, before: null, now: null })
  for (const [layout, own] of Map.groupBy(drafts.values(), (draft) => draft.layout)) {
    for (let from = 0; from < own.length; from += mostIds) {
      const keys = own.slice(from, from + mostIds).map(({ id }) => keyOf(appKey, id))
      // A single one is what every server finds by its index.
      const filter = { _id: keys.length === 1 ? keys[0]! : { $in: keys } }
      const found = connection.collection<Stored>(tableOf(layout.collection)).find(filter)
      for await (const stored of found) {
        const draft = drafts.get(draftKey(layout, stored.id))
        if (draft !== undefined) draft.before = draft.now = stored as Stored
      }
    }
  }
  return drafts
}

function applyOne(
  write: Write,
  {
    appKey,
    drafts,
    claim,
  }: { appKey: string; drafts: Map<string, Draft>; claim(claim: Omit<Claim, 'operation'>): void },
): Document | boolean {
  const { layout, id } = write
  const draft = drafts.get(draftKey(layout, id))!
  const old = draft.now
  const next = nextOf(write, old === null ? undefined : toDocument<Document>(old))
  if (next === undefined) return false
  draft.now = next === null ? null : toStored(appKey, layout, next)
  for (const position of layout.unique.keys()) {
    const left = keyAt(old, position)
    const taken = keyAt(draft.now, position)
    if (left !== taken) claim({ layout, position, id, left, taken })
  }
  return draft.now === null ? true : toDocument<Document>(draft.now)
}

/** What the document will be; null: removed, undefined: there is none to remove. */
function nextOf(write: Write, old: Document | undefined): Document | null | undefined {
  const { layout, id } = write
  if (write.kind === 'insert') {
    if (!isId(id)) throw new StoreError('field', 'Expected an id of 24 hex characters. Leave it out to get a new one.')
    if (old !== undefined) throw duplicateOf(layout, ['id'])
    const given = { ...write.document } as Partial<Document>
    const now = Date.now()
    const creationDate = given.creationDate ?? now
    return { ...given, id, revision: 1, creationDate, lastUpdated: given.lastUpdated ?? now }
  }
  if (old === undefined) {
    if (write.kind === 'remove' && write.revision === undefined) return undefined
    throw new StoreError('missing', `Expected a document of ${layout.collection} with this id, found none.`)
  }
  if (write.revision !== undefined && write.revision !== old.revision) {
    const message = `Expected revision ${write.revision} of the document, it has ${old.revision}. Read it again and repeat the change.`
    throw new StoreError('conflict', message, { revision: old.revision })
  }
  if (write.kind === 'remove') return null
  const {
    id: _id,
    revision: _revision,
    creationDate: _made,
    lastUpdated: _changed,
    ...kept
  } = write.change as Partial<Document>
  return { ...old, ...kept, revision: old.revision + 1, lastUpdated: Date.now() }
}

function keyAt(stored: Stored | null, position: number): string | undefined {
  const key = stored?.[uniqueKey(position)]
  return isTaken(key) ? key : undefined
}

/** Throws StoreError `duplicate` for the first operation that takes what another document has at that moment. */
async function checkClaims(
  connection: Connection,
  appKey: string,
  claims: readonly Claim[],
  at: (error: unknown, operation: number) => unknown,
) {
  const owners = new Map<string, string>()
  const ownerKey = ({ layout, position }: Claim, key: string) => `${layout.collection} ${position} ${key}`
  const taking = claims.filter(({ taken }) => taken !== undefined)
  for (const own of Map.groupBy(taking, ({ layout, position }) => `${layout.collection} ${position}`).values()) {
    const field = uniqueKey(own[0]!.position)
    const table = connection.collection<Stored>(tableOf(own[0]!.layout.collection))
    for (let from = 0; from < own.length; from += mostIds) {
      const keys = own.slice(from, from + mostIds).map(({ taken }) => taken)
      const found = table.find({ app: appKey, [field]: { $in: keys } }, { projection: { id: 1, [field]: 1 } })
      for await (const document of found) owners.set(ownerKey(own[0]!, String(document[field])), document.id)
    }
  }
  for (const claim of claims) {
    const { id, left, taken, layout, position, operation } = claim
    if (left !== undefined && owners.get(ownerKey(claim, left)) === id) owners.delete(ownerKey(claim, left))
    if (taken === undefined) continue
    const owner = owners.get(ownerKey(claim, taken))
    if (owner !== undefined && owner !== id) throw at(duplicateOf(layout, layout.unique[position]!), operation)
    owners.set(ownerKey(claim, taken), id)
  }
}

function duplicateOf(layout: MongoLayout, fields: readonly string[]): StoreError {
  const message = `Expected a new ${fields.join(' + ')} in ${layout.collection}, another document has it already.`
  return new StoreError('duplicate', message)
}

/** The same failure, with the index of its operation. */
function withIndex(error: unknown, operation: number): unknown {
  if (!(error instanceof StoreError)) return error
  const { code, message, details, cause } = error
  return new StoreError(code, `Operation ${operation}: ${message}`, { cause, revision: details.revision, operation })
}
