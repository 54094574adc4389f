import type { Document } from './documents.ts'
import { checkFilter } from './filter.ts'
import { isId, newId } from './id.ts'
import { type Collection, type Filter, StoreError } from './port.ts'
import type { Database, Row } from './sqlite-database.ts'
import { compileFilter, type FilterContext, isOneOf } from './sqlite-filter.ts'
import { checkField, type Layout, sortColumn, sortIndex, uniqueIndex } from './sqlite-plan.ts'
import { openRows } from './sqlite-rows.ts'

/** The number of an application in the file; undefined before its first write. */
export interface AppNumber {
  known(): number | undefined
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
const slice = 20_000

export function openCollection<D extends Document>(options: {
  database: Database
  layout: Layout
  groups: Layout | undefined
  app: AppNumber
}): SqliteCollection<D> {
  const { database, layout, groups, app } = options
  const { table } = layout
  const rows = openRows(database, layout)
  const byId = `SELECT row, revision, body FROM ${table} WHERE app = ? AND id = ?`

  const contextOf = (number: number): FilterContext => ({ app: number, layout, groups })
  const toDocument = (row: Row): D => JSON.parse(String(row.body)) as D

  function compiled(filter: Filter, number: number) {
    checkFilter(filter)
    return compileFilter(filter, contextOf(number))
  }

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
      const whole = { ...document, id, revision: 1, creationDate, lastUpdated: document.lastUpdated ?? creationDate }
      const body = bodyOf(whole)
      duplicates(() => rows.insert(number, { id, revision: 1, document: whole, body }))
      touched(number)
      return body
    },

    update(id, change, revision) {
      const { number, row, before } = current(id, revision)
      const { id: _id, revision: _revision, creationDate: _made, lastUpdated: _changed, ...kept } = change as Partial<D>
      const document = { ...before, ...kept, revision: before.revision + 1, lastUpdated: Date.now() }
      const body = bodyOf(document)
      duplicates(() => rows.update(number, row, before, { id, revision: document.revision, document, body }))
      touched(number)
      return body
    },

    remove(id, revision) {
      const number = app.known()
      if (number === undefined || database.get(byId, [number, id]) === undefined) return false
      const { row, before } = current(id, revision)
      rows.remove(number, row, before)
      touched(number)
      return true
    },
  }

  function current(id: string, revision: number | undefined): { number: number; row: number; before: D } {
    const number = app.known()
    const found = number === undefined ? undefined : database.get(byId, [number, id])
    if (number === undefined || found === undefined) {
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

  function duplicates(work: () => void) {
    try {
      work()
    } catch (error) {
      throw toDuplicate(error, layout)
    }
  }

  async function* each(filter: Filter = { all: [] }): AsyncGenerator<D> {
    const number = app.known()
    if (number === undefined) return
    const condition = compiled(filter, number)
    let last = ''
    for (;;) {
      const end = sliceEnd(number, last)
      const range = end === undefined ? 't.id > ?' : 't.id > ? AND t.id <= ?'
      const bounds = end === undefined ? [last] : [last, end]
      const page = database.all(
        `SELECT t.id, t.body FROM ${table} t INDEXED BY ${sortIndex(layout, 'id')}
          WHERE t.app = ? AND ${range} AND ${condition.sql} ORDER BY t.id LIMIT 500`,
        [number, ...bounds, ...condition.params],
      )
      for (const row of page) yield toDocument(row)
      if (page.length === 500) last = String(page.at(-1)?.id)
      else if (end === undefined) return
      else last = end
      await pause()
    }
  }

  /** The id that ends the slice after `last`; undefined when less is left. Keeps one statement from holding up the process. */
  function sliceEnd(number: number, last: string): string | undefined {
    const sql = `SELECT id FROM ${table} WHERE app = ? AND id > ? ORDER BY id LIMIT 1 OFFSET ${slice - 1}`
    const found = database.get(sql, [number, last])
    return found === undefined ? undefined : String(found.id)
  }

  const collection: SqliteCollection<D> = {
    writer,

    async get(id) {
      const number = app.known()
      const found = number === undefined ? undefined : database.get(byId, [number, id])
      return found === undefined ? undefined : toDocument(found)
    },

    async getMany(ids) {
      checkAmount('ids', ids.length, mostIds)
      const number = app.known()
      if (number === undefined || ids.length === 0) return []
      const some = isOneOf('id', ids)
      const found = database.all(`SELECT id, body FROM ${table} WHERE app = ? AND ${some.sql}`, [
        number,
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
      const field = checkField(layout, sort?.field ?? 'id')
      const number = app.known()
      if (number === undefined || limit === 0) return []
      const condition = compiled(filter, number)
      const way = sort?.direction === 'desc' ? 'DESC' : 'ASC'
      const found = database.all(
        `SELECT t.body FROM ${table} t WHERE t.app = ? AND ${condition.sql}
          ORDER BY t.${sortColumn(field)} ${way}, t.id ${way} LIMIT ? OFFSET ?`,
        [number, ...condition.params, limit, skip],
      )
      return found.map(toDocument)
    },

    async first(filter) {
      const [found] = await collection.find({ filter, limit: 1 })
      return found
    },

    async count(filter = { all: [] }) {
      const number = app.known()
      if (number === undefined) return 0
      const condition = compiled(filter, number)
      const found = database.get(`SELECT count(*) AS n FROM ${table} t WHERE t.app = ? AND ${condition.sql}`, [
        number,
        ...condition.params,
      ])
      return Number(found?.n)
    },

    async matches(id, filter) {
      const number = app.known()
      if (number === undefined) return false
      const condition = compiled(filter, number)
      const sql = `SELECT 1 FROM ${table} t INDEXED BY ${sortIndex(layout, 'id')} WHERE t.app = ? AND t.id = ? AND ${condition.sql}`
      return database.get(sql, [number, id, ...condition.params]) !== undefined
    },

    each,

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

/** Lets others have their turn. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
