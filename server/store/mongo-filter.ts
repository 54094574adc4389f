import type { Document, Filter as Query } from 'mongodb'
import { checkCells, toScalar } from './cells.ts'
import { fold } from './fold.ts'
import type { Connection } from './mongo-client.ts'
import { keyOf, toSorted } from './mongo-document.ts'
import {
  cellKey,
  checkDeclared,
  exactKey,
  foldedListKey,
  listKey,
  type MongoLayout,
  sortKey,
  tableOf,
  tagKey,
} from './mongo-plan.ts'
import { type CompareOp, type Filter, type Scalar, StoreError, type TagSide } from './port.ts'

/** What a filter is compiled for. */
export interface FilterContext {
  connection: Connection
  appKey: string
  layout: MongoLayout
}

const everything: Query<Document> = {}
const nothing: Query<Document> = { _id: { $in: [] } }

/** As many ids as one command may hold. */
const mostGroups = 300_000
/** Ids that are asked for at once. */
const mostKeys = 1_000
/** What a pattern of MongoDB may have, with every character escaped. */
const mostPattern = 4_000

/**
 * A condition on the documents of one application, without the application itself. `within`, and tags where the server cannot
 * look at one of them at a time, are resolved to ids first. The filter must have passed `checkFilter`. Throws StoreError
 * `limit` for a part of a text of more than 4,000 characters and for `within` above more than 300,000 groups.
 */
export async function compileFilter(filter: Filter, context: FilterContext): Promise<Query<Document>> {
  if ('all' in filter) return combine('$and', everything, await compileEach(filter.all, context))
  if ('any' in filter) return combine('$or', nothing, await compileEach(filter.any, context))
  if ('not' in filter) return { $nor: [await compileFilter(filter.not, context)] }
  if ('field' in filter) return compileField(filter, context.layout)
  if ('cell' in filter) return compileCell(filter, context.layout)
  if ('list' in filter) return compileList(filter, context.layout)
  if ('tag' in filter) return compileTag(filter, context)
  return compileWithin(filter.within, context)
}

async function compileEach(filters: readonly Filter[], context: FilterContext): Promise<Query<Document>[]> {
  const compiled: Query<Document>[] = []
  for (const filter of filters) compiled.push(await compileFilter(filter, context))
  return compiled
}

function combine(operator: '$and' | '$or', empty: Query<Document>, parts: Query<Document>[]): Query<Document> {
  if (parts.length > 1) return { [operator]: parts }
  return parts[0] ?? empty
}

function compileField(filter: Extract<Filter, { field: string }>, layout: MongoLayout): Query<Document> {
  const field = checkDeclared(layout, 'fields', filter.field)
  const [sorted, exact] = [sortKey(field), exactKey(field)]
  if (filter.op === 'in') {
    const values = filter.value.filter((value) => value === null || toScalar(value) !== null)
    // The folded texts are what the index knows.
    const folded = { [sorted]: { $in: [...new Set(values.map(toSorted))] } }
    return sorted === exact ? folded : { $and: [folded, { [exact]: { $in: values } }] }
  }
  return compileValue(filter, { sorted, exact })
}

function compileCell(filter: Extract<Filter, { cell: string }>, { collection, cells }: MongoLayout): Query<Document> {
  checkCells(collection, cells?.field, { field: filter.cell, key: filter.key })
  return compileValue(filter, { sorted: cellKey(filter.key), exact: `cells.${filter.key}.x` })
}

function compileValue(
  { op, value: given, ignoreCase }: { op: CompareOp; value: Scalar; ignoreCase?: boolean },
  { sorted, exact }: { sorted: string; exact: string },
): Query<Document> {
  const value = toScalar(given)
  if (ignoreCase || typeof value !== 'string') return compare(sorted, op, toSorted(value))
  if (op === 'eq' && sorted !== exact) return { [sorted]: fold(value), [exact]: value }
  return compare(exact, op, value)
}

/** MongoDB compares with values of the same type alone. */
function compare(key: string, op: CompareOp, value: Scalar): Query<Document> {
  if (op === 'eq' || op === 'ne') return { [key]: { [`$${op}`]: value } }
  if (value === null) return nothing
  if (op === 'gt' || op === 'gte' || op === 'lt' || op === 'lte') return { [key]: { [`$${op}`]: value } }
  return typeof value === 'string' ? { [key]: { $regex: patternOf(op, value) } } : nothing
}

function patternOf(op: 'startsWith' | 'endsWith' | 'contains', text: string): string {
  if (text.length > mostPattern) {
    throw new StoreError('limit', `Expected a part of at most ${mostPattern} characters, got ${text.length}.`)
  }
  const escaped = text.replace(/[^\w\x80-\uffff]/g, (char) => `\\x{${char.charCodeAt(0).toString(16)}}`)
  if (op === 'contains') return escaped
  return op === 'startsWith' ? `\\A${escaped}` : `${escaped}\\z`
}

function compileList(filter: Extract<Filter, { list: string }>, layout: MongoLayout): Query<Document> {
  const field = checkDeclared(layout, 'lists', filter.list)
  if ('has' in filter) return filter.has.length === 0 ? nothing : { [listKey(field)]: { $in: [...filter.has] } }
  if (filter.ignoreCase) return compare(foldedListKey(field), filter.op, fold(filter.value))
  return compare(listKey(field), filter.op, filter.value)
}

async function compileTag(filter: Extract<Filter, { tag: string }>, context: FilterContext): Promise<Query<Document>> {
  const { connection, appKey, layout } = context
  const key = tagKey(checkDeclared(layout, 'tags', filter.tag))
  if (filter.key === undefined && filter.value === undefined) return { [`${key}.0`]: { $exists: true } }
  if (connection.elemMatch) {
    return { [key]: { $elemMatch: { ...compileSide('k', filter.key), ...compileSide('v', filter.value) } } }
  }
  const found = connection
    .collection(tableOf(layout.collection))
    .find({ app: appKey }, { projection: { id: 1, [key]: 1 } })
  const fitsKey = fits(filter.key)
  const fitsValue = fits(filter.value)
  const ids: string[] = []
  for await (const document of found) {
    // FerretDB leaves an empty list out.
    const tags = (document[key] ?? []) as { k: string; v: string }[]
    if (tags.some(({ k, v }) => fitsKey(k) && fitsValue(v))) ids.push(document.id)
  }
  return { id: { $in: ids } }
}

function compileSide(key: 'k' | 'v', side: TagSide | undefined): Query<Document> {
  if (side === undefined) return everything
  return { [key]: 'in' in side ? { $in: [...side.in] } : { $nin: [...side.notIn] } }
}

function fits(side: TagSide | undefined): (text: string) => boolean {
  if (side === undefined) return () => true
  const texts = new Set('in' in side ? side.in : side.notIn)
  return (text) => texts.has(text) === 'in' in side
}

/** Whether one device is within the groups: looked at from below, where there are few, however many lie below the groups. */
export async function isWithin(
  device: Document,
  groupIds: readonly string[],
  { connection, appKey }: FilterContext,
): Promise<boolean> {
  const own = (device[listKey('groupIds')] ?? []) as string[]
  if (own.some((id) => groupIds.includes(id))) return true
  for (let at = 0; at < own.length; at += mostKeys) {
    const _id = { $in: own.slice(at, at + mostKeys).map((id) => keyOf(appKey, id)) }
    const above = { [listKey('ancestorIds')]: { $in: [...groupIds] } }
    const query = { $and: [{ _id }, above] }
    if ((await connection.collection(tableOf('groups')).findOne(query, { projection: { _id: 1 } })) !== null)
      return true
  }
  return false
}

/** The devices of these groups and of the groups below. */
async function compileWithin(groupIds: readonly string[], context: FilterContext): Promise<Query<Document>> {
  const { connection, appKey, layout } = context
  if (layout.collection !== 'devices') {
    throw new StoreError('field', `Expected "within" on devices, got it on ${layout.collection}.`)
  }
  if (groupIds.length === 0) return nothing
  const ids = new Set(groupIds)
  const below = connection
    .collection(tableOf('groups'))
    .find(
      { app: appKey, [listKey('ancestorIds')]: { $in: [...ids] } },
      { projection: { _id: 0, id: 1 }, batchSize: 10_000 },
    )
  for await (const { id } of below) {
    ids.add(id)
    if (ids.size > mostGroups) {
      throw new StoreError('limit', `Expected at most ${mostGroups} groups in "within". Ask for fewer of them.`)
    }
  }
  return { [listKey('groupIds')]: { $in: [...ids] } }
}
