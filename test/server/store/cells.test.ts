import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { matchesFilter } from '../../../server/filter.ts'
import type { DataTableRowDocument } from '../../../server/store/documents/tables.ts'
import { fold } from '../../../server/store/fold.ts'
import type { Collection, CompareOp, Filter, Scalar, Store } from '../../../server/store/port.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { declaredPlans } from '../../../server/store/sqlite-plan.ts'
import { openTestSqlite, temporaryFolder } from '../../helpers/store.ts'
import { adapters, idOf, own, strangers } from './adapters.ts'

const [tableId, otherId] = [idOf(901), idOf(902)]
const words = ['apple', 'Apple', 'Äpfel', 'banana', 'ba', '', '10', '9', '%_']

/** Rows of a table: `a` mixes types, `b` is a number, `late` is missing in most. Every third is of another table. */
function rowsOf(amount: number) {
  return Array.from({ length: amount }, (_, n) => {
    const mixed: Scalar[] = [words[n % words.length]!, n % 7, n % 2 === 0, null]
    const mine = n % 3 !== 2
    const cells = { a: mixed[n % 4]!, b: (n * 37) % 11, ...(n % 10 === 0 ? { late: n } : {}) }
    const others = Object.fromEntries(Object.entries(cells).map(([key, value]) => [`x${key}`, value]))
    return { id: idOf(n + 1), tableId: mine ? tableId : otherId, cells: mine ? cells : others }
  })
}

async function fill(store: Store, amount = 60): Promise<Collection<DataTableRowDocument>> {
  const app = store.app(own)
  await app.write(rowsOf(amount).map((document) => ({ insert: 'dataTableRows', document })))
  return app.collection('dataTableRows')
}

const inTable: Filter = { field: 'tableId', op: 'eq', value: tableId }

/** Absent first, numbers, texts, booleans; then id. */
function sorted(rows: readonly DataTableRowDocument[], key: string): string[] {
  const rank = (value: Scalar) => ['object', 'number', 'string', 'boolean'].indexOf(typeof value)
  const cellOf = (row: DataTableRowDocument): Scalar => {
    const value = row.cells[key] ?? null
    return typeof value === 'string' ? fold(value) : value
  }
  const compare = (x: Scalar, y: Scalar) => rank(x) - rank(y) || (x! < y! ? -1 : x! > y! ? 1 : 0)
  return rows
    .toSorted((one, other) => compare(cellOf(one), cellOf(other)) || (one.id < other.id ? -1 : 1))
    .map(({ id }) => id)
}

for (const adapter of adapters) {
  describe(`${adapter.name}: cells`, () => {
    test('finds, counts and matches by every comparison as a walk over all documents does', async () => {
      const rows = await fill(await adapter.open())
      const all = await rows.find({ limit: 1000 })
      const ops: CompareOp[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'startsWith', 'endsWith', 'contains']
      for (const op of ops) {
        for (const value of ['apple', 'APPLE', 'ba', '', 3, true, null]) {
          for (const ignoreCase of [false, true]) {
            for (const key of ['a', 'late']) {
              const cell: Filter = { cell: 'cells', key, op, value, ignoreCase }
              for (const filter of [cell, { all: [inTable, cell] }, { not: cell }] as Filter[]) {
                const expected = all.filter((row) => matchesFilter(filter, row)).map(({ id }) => id)
                const found = await rows.find({ filter, limit: 1000 })
                expect([filter, found.map(({ id }) => id)]).toEqual([filter, expected])
              }
            }
          }
        }
      }
      const some: Filter = { all: [inTable, { cell: 'cells', key: 'b', op: 'gte', value: 5 }] }
      const expected = all.filter((row) => matchesFilter(some, row))
      expect(await rows.count(some)).toBe(expected.length)
      expect(await rows.matches(expected[0]!.id, some)).toBe(true)
    })

    test('orders by the cells with a key, whether all documents have it or not, in pages without gap', async () => {
      const rows = await fill(await adapter.open())
      const all = await rows.find({ filter: inTable, limit: 1000 })
      for (const key of ['a', 'b', 'late', 'nobody']) {
        const expected = sorted(all, key)
        for (const direction of ['asc', 'desc'] as const) {
          const pages: string[] = []
          for (let skip = 0; skip < all.length; skip += 7) {
            const page = await rows.find({ filter: inTable, sort: { cell: 'cells', key, direction }, skip, limit: 7 })
            pages.push(...page.map(({ id }) => id))
          }
          expect([key, pages]).toEqual([key, direction === 'asc' ? expected : expected.toReversed()])
        }
      }
    })

    test('knows what a cell is now, and not what it was', async () => {
      const rows = await fill(await adapter.open(), 3)
      const nine: Filter = { cell: 'cells', key: 'b', op: 'eq', value: 99 }
      const there: Filter = { cell: 'cells', key: 'late', op: 'ne', value: null }
      await rows.update(idOf(1), { cells: { a: 'x', b: 99 } })
      expect((await rows.find({ filter: nine })).map(({ id }) => id)).toEqual([idOf(1)])
      expect(await rows.count(there)).toBe(0)
      await rows.remove(idOf(1))
      expect(await rows.count(nine)).toBe(0)
      const page = await rows.find({ filter: inTable, sort: { cell: 'cells', key: 'b', direction: 'asc' } })
      expect(page.map(({ id }) => id)).toEqual([idOf(2)])
    })

    test('refuses a key that cannot be, and a field that holds no cells', async () => {
      const store = await adapter.open()
      const rows = await fill(store, 1)
      for (const key of ['__proto__', 'a.b', '$x', '', 'x'.repeat(41), 'A']) {
        const filter: Filter = { cell: 'cells', key, op: 'eq', value: 1 }
        await expect(rows.find({ filter })).rejects.toMatchObject({ code: 'field' })
        const sort = { cell: 'cells', key, direction: 'asc' } as const
        await expect(rows.find({ sort })).rejects.toMatchObject({ code: 'field' })
        const cells = JSON.parse(`{ ${JSON.stringify(key)}: 1 }`)
        await expect(rows.insert({ tableId, cells })).rejects.toMatchObject({ code: 'field' })
      }
      expect(await rows.count()).toBe(1)
      const filter: Filter = { cell: 'columns', key: 'a', op: 'eq', value: 1 }
      await expect(rows.find({ filter })).rejects.toMatchObject({ code: 'field' })
      await expect(store.app(own).collection('dataTables').find({ filter })).rejects.toMatchObject({ code: 'field' })
    })

    test('never shows cells of another application', async () => {
      const store = await adapter.open()
      await fill(store, 10)
      for (const scope of strangers) {
        const foreign = store.app(scope).collection('dataTableRows')
        const sort = { cell: 'cells', key: 'b', direction: 'asc' } as const
        expect(await foreign.find({ sort })).toEqual([])
        expect(await foreign.find({ filter: inTable, sort })).toEqual([])
        expect(await foreign.count({ cell: 'cells', key: 'b', op: 'gte', value: 0 })).toBe(0)
      }
    })
  })
}

test('sqlite: orders and bounds large sets along the index of cells as it does small ones', async () => {
  const rows = await fill(await openTestSqlite(), 4000)
  const all = await rows.find({ filter: inTable, limit: 10_000 })
  const bounded: Filter = { cell: 'cells', key: 'b', op: 'lt', value: 10 }
  for (const filter of [inTable, { all: [inTable, bounded] }] as Filter[]) {
    const fitting = all.filter((row) => matchesFilter(filter, row))
    expect(fitting.length).toBeGreaterThan(2000)
    expect(await rows.count(filter)).toBe(fitting.length)
    for (const key of ['a', 'b', 'late']) {
      const expected = sorted(fitting, key)
      const asc = await rows.find({ filter, sort: { cell: 'cells', key, direction: 'asc' }, skip: 5, limit: 10_000 })
      expect(asc.map(({ id }) => id)).toEqual(expected.slice(5))
      const desc = await rows.find({ filter, sort: { cell: 'cells', key, direction: 'desc' }, limit: 100 })
      expect(desc.map(({ id }) => id)).toEqual(expected.toReversed().slice(0, 100))
    }
    const byId = await rows.find({ filter, sort: { field: 'id', direction: 'desc' }, limit: 50 })
    expect(byId.map(({ id }) => id)).toEqual(
      fitting
        .map(({ id }) => id)
        .toReversed()
        .slice(0, 50),
    )
    const each: string[] = []
    for await (const { id } of rows.each(filter)) each.push(id)
    expect(each).toEqual(fitting.map(({ id }) => id))
  }
})

test('sqlite: a file of a release without cells gets them, of the rows that it has', async () => {
  const file = join(await temporaryFolder(), 'store.db')
  const { dataTableRows: _, ...others } = declaredPlans
  const older = await openSqlite({ file, plans: { ...others, dataTableRows: { fields: ['tableId'] } } })
  const { id } = await older
    .app(own)
    .collection('dataTableRows')
    .insert({ tableId, cells: { a: 'x', b: 2 } })
  await older.close()
  const raw = new DatabaseSync(file)
  raw.exec('DROP INDEX apps_unsettled; ALTER TABLE apps DROP COLUMN settled; ALTER TABLE apps DROP COLUMN places')
  raw.exec('DROP TABLE cells; PRAGMA user_version = 1')
  raw.close()
  const store = await openSqlite({ file })
  const rows = store.app(own).collection('dataTableRows')
  const filter: Filter = { cell: 'cells', key: 'b', op: 'gt', value: 1 }
  expect(
    (await rows.find({ filter, sort: { cell: 'cells', key: 'a', direction: 'asc' } })).map((row) => row.id),
  ).toEqual([id])
  await rows.update(id, { cells: { a: 'x', b: 1 } })
  expect(await rows.count(filter)).toBe(0)
  await store.close()
})
