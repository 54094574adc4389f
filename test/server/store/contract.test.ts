import { describe, expect, test } from 'vitest'
import type { Document } from '../../../server/store/documents/document.ts'
import { type CollectionName, collections } from '../../../server/store/documents.ts'
import type { Collection, NewDocument, Store, WriteOperation } from '../../../server/store/port.ts'
import type { Scope } from '../../../server/store/scope.ts'
import { adapters, idOf, own, strangers } from './adapters.ts'

type Any = Document & Record<string, unknown>

/** The `n`th of documents that share no unique combination; later ones have later texts in every field. */
function documentOf(name: CollectionName, n: number): NewDocument<Any> {
  const { fields, lists = [], tags = [] } = collections[name]
  const document: Record<string, unknown> = { title: `Ünïcode ${n} 'quoted' %_`, '10': { deep: [n, null, true] } }
  const text = `value ${String(n).padStart(3, '0')}`
  for (const path of fields) place(document, path, text)
  for (const path of lists) {
    const [first = '', second] = path.split('.')
    document[first] = second === undefined ? [text, 'common'] : [{ [second]: text }, { [second]: 'common' }]
  }
  for (const path of tags) document[path] = [{ key: 'n', value: text }]
  return document as NewDocument<Any>
}

function place(document: Record<string, unknown>, path: string, value: unknown) {
  const [first = '', ...rest] = path.split('.')
  if (rest.length === 0) document[first] = value
  else {
    const inner = (document[first] ?? {}) as Record<string, unknown>
    document[first] = inner
    place(inner, rest.join('.'), value)
  }
}

function collectionOf(store: Store, name: CollectionName, scope: Scope = own): Collection<Any> {
  return store.app(scope).collection(name) as unknown as Collection<Any>
}

async function all(collection: Collection<Any>): Promise<Any[]> {
  const found: Any[] = []
  for await (const document of collection.each()) found.push(document)
  return found
}

/** Everything that a store can be asked about an application, as one value. */
async function stateOf(store: Store, name: CollectionName, scope: Scope) {
  const collection = collectionOf(store, name, scope)
  return {
    found: await collection.find(),
    count: await collection.count(),
    revision: await store.app(scope).revision(),
  }
}

for (const adapter of adapters) {
  for (const name of Object.keys(collections) as CollectionName[]) {
    describe(`${adapter.name}: ${name}`, () => {
      test('gives back what was inserted, with id, revision and dates', async () => {
        const collection = collectionOf(await adapter.open(), name)
        const before = Date.now()
        const inserted = await collection.insert(documentOf(name, 1))
        expect(inserted).toMatchObject({ ...documentOf(name, 1), revision: 1 })
        expect(inserted.id).toMatch(/^[0-9a-f]{24}$/)
        expect(inserted.creationDate).toBeGreaterThanOrEqual(before)
        expect(inserted.lastUpdated).toBe(inserted.creationDate)
        expect(await collection.get(inserted.id)).toEqual(inserted)
        expect(await collection.get(idOf(404))).toBeUndefined()
      })

      test('keeps the id and the dates of an import, refuses an id of another form and a second of the same', async () => {
        const collection = collectionOf(await adapter.open(), name)
        const given = { ...documentOf(name, 1), id: idOf(7), creationDate: 1000, lastUpdated: 2000 }
        expect(await collection.insert(given)).toEqual({ ...given, revision: 1 })
        await expect(collection.insert({ ...documentOf(name, 2), id: 'x' })).rejects.toMatchObject({ code: 'field' })
        const again = collection.insert({ ...documentOf(name, 2), id: idOf(7) })
        await expect(again).rejects.toMatchObject({ code: 'duplicate', message: expect.stringContaining('id') })
        expect(await collection.count()).toBe(1)
      })

      test('updates keys, removes undefined ones and refuses an outdated revision', async () => {
        const collection = collectionOf(await adapter.open(), name)
        const { id } = await collection.insert(documentOf(name, 1))
        const change = { title: undefined, added: [1], id: idOf(9), revision: 70, creationDate: 3 } as Partial<Any>
        const updated = await collection.update(id, change, { revision: 1 })
        expect(updated).toMatchObject({ added: [1], id, revision: 2 })
        expect(updated).not.toHaveProperty('title')
        expect(updated.creationDate).not.toBe(3)
        expect(await collection.get(id)).toEqual(updated)
        const outdated = collection.update(id, { added: [2] } as Partial<Any>, { revision: 1 })
        await expect(outdated).rejects.toMatchObject({ code: 'conflict', details: { revision: 2 } })
        await expect(collection.remove(id, { revision: 1 })).rejects.toMatchObject({ code: 'conflict' })
        expect(await collection.get(id)).toEqual(updated)
        expect(await collection.update(id, { added: [3] } as Partial<Any>)).toMatchObject({ revision: 3, added: [3] })
        await expect(collection.update(idOf(404), {})).rejects.toMatchObject({ code: 'missing' })
      })

      test('finds by what a document is now, not by what it was', async () => {
        const collection = collectionOf(await adapter.open(), name)
        const { fields, lists = [], tags = [] } = collections[name]
        const { id } = await collection.insert(documentOf(name, 1))
        const filtersOf = (text: string) => [
          ...fields.map((field) => ({ field, op: 'eq', value: text }) as const),
          ...lists.map((list) => ({ list, has: [text] })),
          ...tags.map((tag) => ({ tag, key: { in: ['n'] }, value: { in: [text] } })),
        ]
        for (const filter of filtersOf('value 001')) expect(await collection.count(filter)).toBe(1)
        await collection.update(id, documentOf(name, 2))
        for (const filter of filtersOf('value 001')) expect(await collection.count(filter)).toBe(0)
        for (const filter of filtersOf('value 002')) {
          expect(await collection.find({ filter })).toEqual([await collection.get(id)])
          expect(await collection.matches(id, filter)).toBe(true)
        }
        expect(await collection.remove(id)).toBe(true)
        for (const filter of filtersOf('value 002')) {
          expect(await collection.count(filter)).toBe(0)
          expect(await collection.matches(id, filter)).toBe(false)
        }
        expect(await collection.remove(id)).toBe(false)
      })

      test('orders by every field, then by id, and gives pages without gap or repetition', async () => {
        const collection = collectionOf(await adapter.open(), name)
        const order = [3, 1, 4, 2, 5]
        for (const n of order)
          await collection.insert({ ...documentOf(name, n), id: idOf(10 - n), creationDate: n, lastUpdated: n })
        for (const field of ['creationDate', 'lastUpdated', ...collections[name].fields]) {
          for (const direction of ['asc', 'desc'] as const) {
            const sort = { field, direction }
            const pages = []
            for (let skip = 0; skip < 6; skip += 2) pages.push(...(await collection.find({ sort, skip, limit: 2 })))
            const ids = [1, 2, 3, 4, 5].map((n) => idOf(10 - n))
            expect(pages.map(({ id }) => id)).toEqual(direction === 'asc' ? ids : ids.reverse())
          }
        }
        expect((await collection.find()).map(({ id }) => id)).toEqual([5, 6, 7, 8, 9].map(idOf))
        expect((await all(collection)).map(({ id }) => id)).toEqual([5, 6, 7, 8, 9].map(idOf))
        expect((await collection.first({ all: [] }))?.id).toBe(idOf(5))
        const some = await collection.getMany([idOf(8), idOf(404), idOf(5), idOf(8)])
        expect(some.map(({ id }) => id)).toEqual([idOf(8), idOf(5), idOf(8)])
      })

      test('gives 100 unless told otherwise, none for 0, and refuses more than 10,000', async () => {
        const store = await adapter.open()
        const collection = collectionOf(store, name)
        const operations = Array.from({ length: 120 }, (_, n) => ({ insert: name, document: documentOf(name, n) }))
        await store.app(own).write(operations as unknown as WriteOperation[])
        expect(await collection.find()).toHaveLength(100)
        expect(await collection.find({ limit: 10_000 })).toHaveLength(120)
        expect(await collection.find({ limit: 0 })).toEqual([])
        expect(await collection.find({ skip: 120 })).toEqual([])
        for (const query of [{ limit: 10_001 }, { limit: -1 }, { limit: 1.5 }, { skip: -1 }]) {
          await expect(collection.find(query)).rejects.toMatchObject({ code: 'limit' })
        }
        const ids = Array.from({ length: 1001 }, (_, n) => idOf(n))
        await expect(collection.getMany(ids)).rejects.toMatchObject({ code: 'limit' })
        expect(await collection.count()).toBe(120)
      })

      // Not every collection has fields that no two documents share.
      for (const fields of collections[name].unique ?? []) {
        test(`refuses a second document of the same ${fields.join(' + ')}`, async () => {
          const collection = collectionOf(await adapter.open(), name)
          const one = await collection.insert(documentOf(name, 1))
          const two = await collection.insert(documentOf(name, 2))
          const named = { code: 'duplicate', message: expect.stringContaining(fields.join(' + ')) }
          const same = { ...documentOf(name, 3), ...Object.fromEntries(fields.map((field) => [field, `value 001`])) }
          await expect(collection.insert(same)).rejects.toMatchObject(named)
          await expect(collection.update(two.id, same)).rejects.toMatchObject(named)
          for (const [n, found] of [one, two, undefined].entries()) {
            const value = `value 00${n + 1}`
            const filter = { all: fields.map((field) => ({ field, op: 'eq', value }) as const) }
            expect(await collection.first(filter)).toEqual(found)
            expect(await collection.first({ all: [filter, { any: [] }] })).toBeUndefined()
          }
          expect(await collection.find({ sort: { field: 'creationDate', direction: 'asc' } })).toEqual(
            expect.arrayContaining([one, two]),
          )
          expect(await collection.count()).toBe(2)
          await collection.remove(one.id)
          await collection.update(two.id, same)
        })
      }

      test('applies all operations of a write or none, and names the one that failed', async () => {
        const store = await adapter.open()
        const collection = collectionOf(store, name)
        const kept = await collection.insert(documentOf(name, 1))
        const before = await stateOf(store, name, own)
        const inserts = { insert: name, document: { ...documentOf(name, 2), id: idOf(2) } }
        const updates = { update: name, id: kept.id, change: { title: 'new' } }
        const failing: [object, string][] = [
          [{ update: name, id: idOf(404), change: {} }, 'missing'],
          [{ update: name, id: kept.id, change: {}, revision: 9 }, 'conflict'],
          [{ remove: name, id: kept.id, revision: 9 }, 'conflict'],
          [{ remove: name, id: idOf(404), revision: 1 }, 'missing'],
          [{ insert: name, document: { ...documentOf(name, 3), id: kept.id } }, 'duplicate'],
        ]
        for (const [operation, code] of failing) {
          const write = store.app(own).write([inserts, updates, operation] as unknown as WriteOperation[])
          await expect(write).rejects.toMatchObject({ code, details: { operation: 2 } })
          expect(await stateOf(store, name, own)).toEqual(before)
        }
        const removes = [
          { remove: name, id: kept.id },
          { remove: name, id: idOf(404) },
        ]
        await store.app(own).write([inserts, updates, ...removes] as unknown as WriteOperation[])
        expect((await collection.find()).map(({ id }) => id)).toEqual([idOf(2)])
      })

      test('counts writes to definitions, and only those', async () => {
        const store = await adapter.open()
        const collection = collectionOf(store, name)
        const revisions = [await store.app(own).revision()]
        const { id } = await collection.insert(documentOf(name, 1))
        revisions.push(await store.app(own).revision())
        await collection.update(id, { title: 'new' } as Partial<Any>)
        revisions.push(await store.app(own).revision())
        await collection.remove(id)
        revisions.push(await store.app(own).revision())
        expect(new Set(revisions).size).toBe(collections[name].definition ? 4 : 1)
        expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
      })

      test.each(strangers)('is another one for $tenant/$application', async (stranger) => {
        const store = await adapter.open()
        const mine = collectionOf(store, name)
        const theirs = collectionOf(store, name, stranger)
        const { fields, lists = [], tags = [] } = collections[name]
        const one = await mine.insert({ ...documentOf(name, 1), id: idOf(1) })
        const before = await stateOf(store, name, own)

        const filters = [
          { all: [] },
          { field: 'id', op: 'eq', value: idOf(1) } as const,
          ...fields.map((field) => ({ field, op: 'eq', value: 'value 001' }) as const),
          ...fields.map((field) => ({ field, op: 'ne', value: 'x' }) as const),
          ...lists.map((list) => ({ list, has: ['common'] })),
          ...tags.map((tag) => ({ tag, key: { in: ['n'] } })),
        ]
        const seesNothing = async () => {
          expect(await theirs.get(idOf(1))).toBeUndefined()
          expect(await theirs.getMany([idOf(1)])).toEqual([])
          expect(await all(theirs)).toEqual([])
          for (const filter of filters) {
            expect(await theirs.find({ filter })).toEqual([])
            expect(await theirs.first(filter)).toBeUndefined()
            expect(await theirs.count(filter)).toBe(0)
            expect(await theirs.matches(idOf(1), filter)).toBe(false)
          }
        }
        await seesNothing()
        await expect(theirs.update(idOf(1), { title: 'stolen' } as Partial<Any>)).rejects.toMatchObject({
          code: 'missing',
        })
        expect(await theirs.remove(idOf(1))).toBe(false)
        const operations = [{ remove: name, id: idOf(1) }] as unknown as WriteOperation[]
        await store.app(stranger).write(operations)
        expect(await stateOf(store, name, own)).toEqual(before)

        // Now that the other application is there, with a document of the same id and the same unique values.
        const twin = await theirs.insert({ ...documentOf(name, 1), id: idOf(1) })
        await mine.update(one.id, { title: 'mine' } as Partial<Any>)
        expect(await theirs.find()).toEqual([twin])
        await theirs.remove(twin.id)
        await seesNothing()
        expect(await mine.find()).toEqual([expect.objectContaining({ id: one.id, title: 'mine' })])
        for (const filter of filters) expect(await mine.count(filter)).toBe(1)
      })
    })
  }
}
