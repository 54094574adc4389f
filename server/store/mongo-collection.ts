import type { Document as MongoDocument, Filter as Query, Sort } from 'mongodb'
import { checkCells } from './cells.ts'
import type { Document } from './documents/document.ts'
import { checkFilter } from './filter.ts'
import type { Connection } from './mongo-client.ts'
import { keyOf, type Stored, toDocument } from './mongo-document.ts'
import { compileFilter, isWithin } from './mongo-filter.ts'
import { cellKey, checkDeclared, listKey, type MongoLayout, sortKey, tableOf } from './mongo-plan.ts'
import { type Collection, type Filter, StoreError, type WriteOperation } from './port.ts'

const mostFound = 10_000
const mostIds = 1000
const eachPage = 500
const onlyBody = { projection: { _id: 0, id: 1, body: 1 } }

/** One collection of one application. `writeOne` carries out one operation and gives its result. */
export function openCollection<D extends Document>(options: {
  connection: Connection
  layout: MongoLayout
  appKey: string
  writeOne(operation: WriteOperation): Promise<Document | boolean>
}): Collection<D> {
  const { connection, layout, appKey, writeOne } = options
  const name = layout.collection
  const table = () => connection.collection<Stored>(tableOf(name))

  /** The application leads every query; there is no other place where one is made. */
  async function compiled(filter: Filter): Promise<Query<MongoDocument>> {
    checkFilter(filter)
    const condition = await compileFilter(filter, { connection, appKey, layout })
    return { $and: [{ app: appKey }, condition] }
  }

  async function read(query: Query<MongoDocument>, page: { sort: Sort; skip: number; limit: number }) {
    const found = await table()
      .find(query as Query<Stored>, { ...onlyBody, ...page, batchSize: mostIds })
      .toArray()
    return found as Pick<Stored, 'id' | 'body'>[]
  }

  const collection: Collection<D> = {
    get: (id) =>
      connection.ask(async () => {
        const found = await table().findOne({ _id: keyOf(appKey, id) }, onlyBody)
        return found === null ? undefined : toDocument<D>(found)
      }),

    getMany: (ids) =>
      connection.ask(async () => {
        checkAmount('ids', ids.length, mostIds)
        if (ids.length === 0) return []
        const keys = [...new Set(ids)].map((id) => keyOf(appKey, id))
        const found = await table()
          .find({ _id: { $in: keys } }, onlyBody)
          .toArray()
        const bodies = new Map(found.map(({ id, body }) => [id, body]))
        return ids.flatMap((id) => {
          const body = bodies.get(id)
          return body === undefined ? [] : [toDocument<D>({ body })]
        })
      }),

    find: ({ filter = { all: [] }, sort, skip = 0, limit = 100 } = {}) =>
      connection.ask(async () => {
        checkAmount('limit', limit, mostFound)
        checkAmount('skip', skip, Number.MAX_SAFE_INTEGER)
        if (sort && 'cell' in sort) checkCells(name, layout.cells?.field, { field: sort.cell, key: sort.key })
        const key =
          sort && 'cell' in sort ? cellKey(sort.key) : sortKey(checkDeclared(layout, 'fields', sort?.field ?? 'id'))
        const way = sort?.direction === 'desc' ? -1 : 1
        const query = await compiled(filter)
        // Without a limit is what MongoDB means by 0.
        if (limit === 0) return []
        const order: Sort = key === 'id' ? { id: way } : { [key]: way, id: way }
        return (await read(query, { sort: order, skip, limit })).map((stored) => toDocument<D>(stored))
      }),

    async first(filter) {
      const [found] = await collection.find({ filter, limit: 1 })
      return found
    },

    count: (filter = { all: [] }) =>
      connection.ask(async () => table().countDocuments((await compiled(filter)) as Query<Stored>)),

    matches: (id, filter) =>
      connection.ask(async () => {
        checkFilter(filter)
        const _id = keyOf(appKey, id)
        const context = { connection, appKey, layout }
        if ('within' in filter && name === 'devices') {
          const found = await table().findOne({ _id }, { projection: { [listKey('groupIds')]: 1 } })
          return found !== null && (await isWithin(found, filter.within, context))
        }
        const condition = await compileFilter(filter, context)
        const query = { $and: [{ _id }, condition] } as Query<Stored>
        return (await table().findOne(query, { projection: { _id: 1 } })) !== null
      }),

    async *each(filter = { all: [] }) {
      const condition = await connection.ask(() => compiled(filter))
      for (let after = ''; ; ) {
        const query = { $and: [{ app: appKey, id: { $gt: after } }, condition] }
        const page = await connection.ask(() => read(query, { sort: { id: 1 }, skip: 0, limit: eachPage }))
        for (const stored of page) yield toDocument<D>(stored)
        if (page.length < eachPage) return
        after = page.at(-1)!.id
      }
    },

    async insert(document) {
      return (await writeOne({ insert: name, document } as unknown as WriteOperation)) as unknown as D
    },

    async update(id, change, { revision } = {}) {
      return (await writeOne({ update: name, id, change, revision } as unknown as WriteOperation)) as unknown as D
    },

    async remove(id, { revision } = {}) {
      try {
        return (await writeOne({ remove: name, id, revision } as unknown as WriteOperation)) !== false
      } catch (error) {
        // Only a batch tells one that was never there from one that is as expected.
        if (error instanceof StoreError && error.code === 'missing') return false
        throw error
      }
    },
  }
  return collection
}

function checkAmount(name: string, value: number, most: number) {
  if (Number.isInteger(value) && value >= 0 && value <= most) return
  throw new StoreError('limit', `Expected "${name}" as a whole number from 0 to ${most}, got ${value}.`)
}
