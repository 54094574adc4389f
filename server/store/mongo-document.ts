import { randomBytes } from 'node:crypto'
import { BSON } from 'mongodb'
import { cellsAt, toScalar } from './cells.ts'
import type { Document } from './documents/document.ts'
import { fold } from './fold.ts'
import { exactKey, foldedListKey, listKey, type MongoLayout, sortKey, tagKey, uniqueKey } from './mongo-plan.ts'
import { type Scalar, StoreError } from './port.ts'
import type { Scope } from './scope.ts'
import { tagsAt, textsAt, valueAt } from './sqlite-scalar.ts'

/**
 * A document as it lies in MongoDB: its JSON in `body`, so that it comes back exactly, and beside it what is searched. `stamp`
 * is another one after each write.
 */
export interface Stored {
  _id: string
  app: string
  id: string
  stamp: string
  body: string
  [derived: string]: unknown
}

/** MongoDB has 16 MB for a document; what a journal adds must fit, too. */
const mostBytes = 15 * 1024 * 1024

/** One text for an application; no such text is the beginning of another one. */
export function appKeyOf({ tenant, application }: Scope): string {
  return JSON.stringify([tenant, application])
}

/** The scope that `appKeyOf` made the text of. */
export function scopeOf(appKey: string): Scope {
  const [tenant, application] = JSON.parse(appKey) as [string, string]
  return { tenant, application }
}

/** An `_id` that no other application has. */
export function keyOf(appKey: string, ...parts: readonly string[]): string {
  return `${appKey}\n${parts.length === 1 ? parts[0] : JSON.stringify(parts)}`
}

/** A text that is never made twice. */
export function newStamp(): string {
  return randomBytes(12).toString('base64url')
}

/** Throws StoreError `limit` for a document of more than 15 MB. */
export function toStored(appKey: string, layout: MongoLayout, document: Document, stamp = newStamp()): Stored {
  const { id } = document
  const stored: Stored = { _id: keyOf(appKey, id), app: appKey, id, stamp, body: JSON.stringify(document) }
  for (const field of layout.fields) {
    const value = toScalar(valueAt(document, field))
    stored[sortKey(field)] = toSorted(value)
    stored[exactKey(field)] = value
  }
  for (const field of layout.lists) {
    const texts = textsAt(document, field)
    stored[listKey(field)] = texts
    stored[foldedListKey(field)] = [...new Set(texts.map(fold))]
  }
  for (const field of layout.tags) {
    stored[tagKey(field)] = tagsAt(document, field).map(([k, v]) => ({ k, v }))
  }
  if (layout.cells) {
    const cells = cellsAt(document, layout.cells.field)
    stored.cells = Object.fromEntries(cells.map(([key, value]) => [key, { s: toSorted(value), x: value }]))
  }
  layout.unique.forEach((fields, position) => {
    const values = fields.map((field) => toScalar(valueAt(document, field)))
    // What is absent is equal to nothing.
    stored[uniqueKey(position)] = values.includes(null) ? freeKey(id) : JSON.stringify(values)
  })
  const bytes = BSON.calculateObjectSize(stored)
  if (bytes > mostBytes) {
    throw new StoreError('limit', `Expected a document of at most ${mostBytes} bytes, got ${bytes}.`)
  }
  return stored
}

/** The document as it was written. */
export function toDocument<D>({ body }: Pick<Stored, 'body'>): D {
  return JSON.parse(body) as D
}

/** Keeps a place in a unique index without taking anything from another document. */
export function freeKey(id: string): string {
  return `free ${id}`
}

/** True unless it keeps nothing but the document's own place. */
export function isTaken(key: unknown): key is string {
  return typeof key === 'string' && key.startsWith('[')
}

/** A scalar as it is ordered: text folded. */
export function toSorted(value: Scalar): Scalar {
  return typeof value === 'string' ? fold(value) : value
}
