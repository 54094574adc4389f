import type { CollectionName, Documents, Host } from './documents.ts'
import type { Scope } from './scope.ts'

/**
 * Where things are kept. All calls may be concurrent. An acknowledged write survives a crash of the process.
 * Failures of the store itself are StoreError; nothing of another application is ever read or written through a handle.
 */
export interface Store {
  /** A handle on one application; cheap, without I/O. The application need not exist: it then holds nothing. */
  app(scope: Scope): AppStore
  hosts: Hosts
  /** Scopes of all applications that have an `application` document, by application id. */
  applications(): Promise<Scope[]>
  /**
   * Applications that have a document whose `field`, one that the collection declares as `due`, is at most `until`, each with the
   * least it has there; in no order. Costs as much as there is to find, however many applications there are. Completes what
   * processes that died have begun to write.
   */
  due(name: CollectionName, field: string, until: number): Promise<Due[]>
  /** Applications whose revision has grown since they were last settled, in no order; at a cost as that of `due`. */
  unsettled(): Promise<{ scope: Scope; revision: number }[]>
  /** What follows from the application as of this revision is in the store. Of no effect when it has grown since. */
  settle(scope: Scope, revision: number): Promise<void>
  /** Rejects with StoreError when the store cannot answer. */
  check(): Promise<void>
  close(): Promise<void>
}

export interface Due {
  scope: Scope
  at: number
}

/** Host names, unique over the whole store. */
export interface Hosts {
  find(name: string): Promise<Host | undefined>
  /** Sets or moves a host of the same application. Throws StoreError `conflict` when another application has it. */
  put(host: Host): Promise<void>
  of(scope: Scope): Promise<Host[]>
  remove(name: string, scope: Scope): Promise<void>
}

export interface AppStore {
  readonly scope: Scope
  collection<N extends CollectionName>(name: N): Collection<Documents[N]>
  /**
   * All operations or none, in order. Throws StoreError `conflict`, `missing` or `duplicate`, naming the operation's index. To
   * remove what is not there is `missing` only when a revision is expected.
   */
  write(operations: readonly WriteOperation[]): Promise<void>
  /** Grows with each write to a definition collection (documents.ts), in the same step as the write. */
  revision(): Promise<number>
  readonly telemetry: Telemetry
  readonly blobs: Blobs
  readonly values: Values
}

export type WriteOperation = {
  [N in CollectionName]:
    | { insert: N; document: NewDocument<Documents[N]> }
    /** Without `revision` the last writer wins. */
    | { update: N; id: string; change: Change<Documents[N]>; revision?: number }
    | { remove: N; id: string; revision?: number }
}[CollectionName]

/** Revision and dates are the store's; the id may be given (24 lower-case hex, else StoreError `field`), dates by an import. */
export type NewDocument<D> = Omit<D, 'id' | 'revision' | 'creationDate' | 'lastUpdated'> & {
  id?: string
  creationDate?: number
  lastUpdated?: number
}

/** Keys to set; a key that is undefined is removed from the document. Id, revision and dates are the store's: not applied. */
export type Change<D> = { [K in keyof D]?: D[K] | undefined }

export interface Collection<D> {
  get(id: string): Promise<D | undefined>
  /** In the order of `ids`, unknown ids left out. At most 1,000, else StoreError `limit`. */
  getMany(ids: readonly string[]): Promise<D[]>
  /**
   * Ordered by `sort` (absent first, numbers, texts, booleans), then id in the same direction; without `sort` by id. `limit`
   * defaults to 100, most 10,000 (else StoreError `limit`); 0 gives none. Sorted by a cell, a page of a collection that one value
   * of `cells.of` (documents.ts) is asked of costs no more than by a field as long as its documents all have the key, if only as null.
   * What is written while a page is looked for among many may be missing from it, or be there as it was; nothing is there twice.
   */
  find(query?: FindQuery): Promise<D[]>
  /** The first by the order of `find`. */
  first(filter: Filter): Promise<D | undefined>
  /** What is written while a large set is being counted may count or not. */
  count(filter?: Filter): Promise<number>
  /** True when the document exists and matches. */
  matches(id: string, filter: Filter): Promise<boolean>
  /** All that match, in pages of the adapter's choice, ordered by id; safe against changes in between. */
  each(filter?: Filter): AsyncIterable<D>
  /** The document as stored. Throws StoreError `duplicate`. */
  insert(document: NewDocument<D>): Promise<D>
  /** The document as stored. Throws StoreError `missing`, `duplicate`, or `conflict` (with the current revision). */
  update(id: string, change: Change<D>, options?: { revision?: number }): Promise<D>
  /** False when there was none. Throws StoreError `conflict`. */
  remove(id: string, options?: { revision?: number }): Promise<boolean>
}

export interface FindQuery {
  filter?: Filter
  sort?: ({ field: string } | { cell: string; key: string }) & { direction: 'asc' | 'desc' }
  skip?: number
  limit?: number
}

/**
 * Plain logic: `all: []` is everything, `any: []` and `not all: []` nothing. (The published query language has other ideas of
 * empty lists; server/query.ts translates.) Fields must be declared in documents.ts, else StoreError `field`.
 */
export type Filter =
  | { all: readonly Filter[] }
  | { any: readonly Filter[] }
  | { not: Filter }
  | { field: string; op: CompareOp; value: Scalar; ignoreCase?: boolean }
  | { field: string; op: 'in'; value: readonly Scalar[] }
  /** As `field`, of what stands under a key of the document's own; a key that it does not have is absent. */
  | { cell: string; key: string; op: CompareOp; value: Scalar; ignoreCase?: boolean }
  /** A list field holds the value; with several values any of them; with none nothing. */
  | { list: string; has: readonly string[] }
  /** Some item fits; with `ne` no item is equal. */
  | { list: string; op: CompareOp; value: string; ignoreCase?: boolean }
  /** One tag fits both sides; a side left out is free. A tag that lacks a side has empty text there. */
  | { tag: string; key?: TagSide; value?: TagSide }
  /** The collection is `devices`: associated directly with one of these groups or with a group below one of them. */
  | { within: readonly string[] }

/**
 * `eq` null: the field is absent. `ne` is true of what is absent, too. Text compares by code point; `ignoreCase` folds both
 * sides (fold.ts). A value fits an order only with values of its own type: absent, and true against 1, never do.
 */
export type CompareOp = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'startsWith' | 'endsWith' | 'contains'
export type Scalar = string | number | boolean | null
export type TagSide = { in: readonly string[] } | { notIn: readonly string[] }

export type StateValue = number | string | boolean
export interface StatePoint {
  deviceId: string
  /** Milliseconds since the epoch. */
  time: number
  data: Record<string, StateValue>
  meta?: unknown
  relay?: { type: string; id: string }
}
export interface LastValue {
  value: StateValue
  time: number
  relayId?: string
  relayType?: string
  meta?: unknown
}
export type Aggregation = 'MEAN' | 'MIN' | 'MAX' | 'SUM' | 'COUNT' | 'FIRST' | 'LAST'

export interface Telemetry {
  /** Points of one device at one millisecond merge: newer values overwrite per attribute. */
  append(points: readonly StatePoint[]): Promise<void>
  /** Per device id its last value (greatest time) of each attribute, or of those named. Devices without any are left out. */
  last(deviceIds: readonly string[], attributes?: readonly string[]): Promise<Map<string, Record<string, LastValue>>>
  /**
   * Whole reports of one device with start <= time < end, oldest first, read in pages of the adapter's choice: what is held in
   * memory does not grow with their number. With `attributes` only these, and only reports that have one of them.
   */
  points(query: {
    deviceId: string
    start: number
    end: number
    attributes?: readonly string[]
  }): AsyncIterable<StatePoint>
  /** start <= time < end, oldest first, or newest first with `newest`. `limit` defaults to 1,000, most 25,000. */
  range(query: TelemetryRange & { limit?: number; newest?: boolean }): Promise<{ time: number; value: StateValue }[]>
  /**
   * One value per bucket of `resolutionMs` (aligned to the epoch) that has points, oldest first, over all the devices
   * together; `resolutionMs` 0: one bucket for the whole range, its time is `start`. Numeric ones skip other values; booleans
   * count as 0 and 1. More than 25,000 buckets are refused with StoreError `limit`.
   */
  aggregate(
    query: Omit<TelemetryRange, 'deviceId'> & {
      deviceIds: readonly string[]
      resolutionMs: number
      aggregation: Aggregation
    },
  ): Promise<{ time: number; value: StateValue }[]>
  /** Removes all points of the devices in the range, or those of the named attributes; default everything. */
  remove(
    deviceIds: readonly string[],
    range?: { start?: number; end?: number; attributes?: readonly string[] },
  ): Promise<void>
}
export interface TelemetryRange {
  deviceId: string
  attribute: string
  start: number
  end: number
}

/** Content addressed by a key of the caller's choice. */
export interface Blobs {
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ sizeBytes: number; sha256: string }>
  /** Undefined when there is none. `start` inclusive, `end` exclusive. */
  read(key: string, range?: { start?: number; end?: number }): Promise<AsyncIterable<Uint8Array> | undefined>
  remove(key: string): Promise<void>
}

/** Small JSON values (Dates come back as ISO text), by space and key. A space is a flow, a latch, ... */
export interface Values {
  get(space: string, key: string): Promise<unknown>
  /** By key. Throws StoreError `limit` for more than 5 MB of JSON, having read no more than that. */
  entries(space: string): Promise<Record<string, unknown>>
  /** Undefined removes. */
  set(space: string, key: string, value: unknown): Promise<void>
  /** Removes; gives the old value. */
  take(space: string, key: string): Promise<unknown>
  /** Atomic; missing counts as 0. Throws StoreError `not-number`. */
  add(space: string, key: string, amount: number): Promise<number>
  /**
   * Atomic: puts `after` in the place of `before`, both compared and kept as JSON; undefined is "nothing there". False, and nothing
   * changed, when another value is there.
   */
  swap(space: string, key: string, change: { before: unknown; after: unknown }): Promise<boolean>
}

/** `unavailable`: may be tried again later. `full`: no room left on the disk. The others: see the methods that throw them. */
export type StoreErrorCode =
  | 'unavailable'
  | 'full'
  | 'conflict'
  | 'missing'
  | 'duplicate'
  | 'field'
  | 'not-number'
  | 'limit'

export class StoreError extends Error {
  readonly code: StoreErrorCode
  /** With `conflict`: the revision that the document has. With `write`: the index of the failed operation. */
  readonly details: { revision?: number; operation?: number }
  constructor(
    code: StoreErrorCode,
    message: string,
    options: { cause?: unknown; revision?: number; operation?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StoreError'
    this.code = code
    this.details = { revision: options.revision, operation: options.operation }
  }
}
