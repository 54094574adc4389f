import type { Document } from './documents/document.ts'
import { isId, newId } from './id.ts'
import { type Collection, StoreError } from './port.ts'
import type { Database, Row } from './sqlite-database.ts'
import { isOneOf } from './sqlite-filter.ts'
import { openFinder } from './sqlite-find.ts'
import type { PlacesKeeper } from './sqlite-places.ts'
import { checkField, type Layout, numberOfCells, uniqueIndex } from './sqlite-plan.ts'
import { openRows } from './sqlite-rows.ts'

/** The number of an application in the file. */
export interface AppNumber {
  /** 0, which nothing has, before its first write. */
  known(): number
  /** Makes it when there is none. */
  make(): number
}

/** The writes of a collection, each within the transaction that the caller holds. */
export interface CollectionWriter {
  insert(document: object): string
  update(id: string, change: object, revision?: number): string
  /** False when there was none. */
  remove(id: string, revision?: number): boolean
}

/** One collection of one application. */
export interface SqliteCollection<D> extends Collection<D> {
  readonly writer: CollectionWriter
}

const mostFound = 10_000
const mostIds = 1000
const mostBodyBytes = 16 * 1024 * 1024

/** A collection over its table; validates, counts revisions and tells conflicts. The database outlives it. */
export function openCollection<D extends Document>(options: {
  database: Database
  layout: Layout
  groups: Layout | undefined
  places: PlacesKeeper
  app: AppNumber
}): SqliteCollection<D> {
  const { database, layout, groups, places, app } = options
  const { table } = layout
  const rows = openRows(database, layout)
  const finder = openFinder({ database, layout, groups, places })
  const bodyById = `SELECT body FROM ${table} WHERE app = ? AND id = ?`
  const byId = `SELECT row, revision, body FROM ${table} WHERE app = ? AND id = ?`

  const toDocument = (row: Row): D => JSON.parse(String(row.body)) as D

  function transaction<T>(work: () => T): T {
    return database.transaction(work)
  }

  const writer: CollectionWriter = {
    insert(given) {
      const number = app.make()
      const document = { ...(given as Partial<D>) }
      const id = document.id ?? newId()
      if (!isId(id))
        throw new StoreError('field', 'Expected an id of 24 hex characters. Leave it out to get a new one.')
      const now = Date.now()
      const creationDate = document.creationDate ?? now
      const whole = { ...document, id, revision: 1, creationDate, lastUpdated: document.lastUpdated ?? now }
      const body = bodyOf(whole)
      const row = duplicates(() => rows.insert(number, { id, revision: 1, document: whole, body }))
      places.wrote(number, layout, { id, row, after: whole })
      touched(number)
      return body
    },

    update(id, change, revision) {
      const { number, row, before } = current(id, revision)
      const { id: _id, revision: _revision, creationDate: _made, lastUpdated: _changed, ...kept } = change as Partial<D>
      const document = { ...before, ...kept, revision: before.revision + 1, lastUpdated: Date.now() }
      const body = bodyOf(document)
      duplicates(() => rows.update(number, row, before, { id, revision: document.revision, document, body }))
      places.wrote(number, layout, { id, row, before, after: document })
      touched(number)
      return body
    },

    remove(id, revision) {
      if (database.get(byId, [app.known(), id]) === undefined) return false
      const { number, row, before } = current(id, revision)
      rows.remove(number, row, before)
      places.wrote(number, layout, { id, row, before })
      touched(number)
      return true
    },
  }

  function current(id: string, revision: number | undefined): { number: number; row: number; before: D } {
    const number = app.known()
    const found = database.get(byId, [number, id])
    if (found === undefined) {
      throw new StoreError('missing', `Expected a document of ${layout.collection} with this id, found none.`)
    }
    const before = toDocument(found)
    if (revision !== undefined && revision !== before.revision) {
      const message = `Expected revision ${revision} of the document, it has ${before.revision}. Read it again and repeat the change.`
      throw new StoreError('conflict', message, { revision: before.revision })
    }
    return { number, row: Number(found.row), before }
  }

  function touched(number: number) {
    if (layout.definition) database.run('UPDATE apps SET revision = revision + 1 WHERE app = ?', [number])
  }

  function duplicates<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw toDuplicate(error, layout)
    }
  }

  const collection: SqliteCollection<D> = {
    writer,

    async get(id) {
      const found = database.get(bodyById, [app.known(), id])
      return found === undefined ? undefined : toDocument(found)
    },

    async getMany(ids) {
      checkAmount('ids', ids.length, mostIds)
      if (ids.length === 0) return []
      const some = isOneOf('id', ids)
      const found = database.all(`SELECT id, body FROM ${table} WHERE app = ? AND ${some.sql}`, [
        app.known(),
        ...some.params,
      ])
      const bodies = new Map(found.map((row) => [String(row.id), row]))
      return ids.flatMap((id) => {
        const row = bodies.get(id)
        return row === undefined ? [] : [toDocument(row)]
      })
    },

    async find({ filter = { all: [] }, sort, skip = 0, limit = 100 } = {}) {
      checkAmount('limit', limit, mostFound)
      checkAmount('skip', skip, Number.MAX_SAFE_INTEGER)
      const page = { filter, descending: sort?.direction === 'desc', skip, limit }
      if (sort !== undefined && 'cell' in sort) {
        numberOfCells(layout, sort.cell, sort.key)
        return (await finder.page(app.known(), { ...page, cell: sort.key })).map(toDocument)
      }
      const field = checkField(layout, sort?.field ?? 'id')
      return (await finder.page(app.known(), { ...page, field })).map(toDocument)
    },

    async first(filter) {
      const [found] = await collection.find({ filter, limit: 1 })
      return found
    },

    async count(filter = { all: [] }) {
      return finder.count(app.known(), filter)
    },

    async matches(id, filter) {
      return finder.matches(app.known(), id, filter)
    },

    async *each(filter = { all: [] }) {
      for await (const page of finder.each(app.known(), filter)) yield* page.map(toDocument)
    },

    async insert(document) {
      return JSON.parse(transaction(() => writer.insert(document))) as D
    },

    async update(id, change, { revision } = {}) {
      return JSON.parse(transaction(() => writer.update(id, change, revision))) as D
    },

    async remove(id, { revision } = {}) {
      return transaction(() => writer.remove(id, revision))
    },
  }
  return collection
}

function bodyOf(document: object): string {
  const body = JSON.stringify(document)
  if (body.length > mostBodyBytes) {
    throw new StoreError('limit', `Expected a document of at most ${mostBodyBytes} characters, got ${body.length}.`)
  }
  return body
}

function checkAmount(name: string, value: number, most: number) {
  if (Number.isInteger(value) && value >= 0 && value <= most) return
  throw new StoreError('limit', `Expected "${name}" as a whole number from 0 to ${most}, got ${value}.`)
}

/** SQLite names the index, or the columns of the plain one of (app, id). */
function toDuplicate(error: unknown, layout: Layout): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('UNIQUE constraint failed: ')) return error
  const position = layout.unique.findIndex((_, at) => error.message.includes(`'${uniqueIndex(layout, at)}'`))
  const fields = layout.unique[position] ?? ['id']
  const message = `Expected a new ${fields.join(' + ')} in ${layout.collection}, another document has it already.`
  return new StoreError('duplicate', message, { cause: error })
}
