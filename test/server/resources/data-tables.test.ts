import { Readable } from 'node:stream'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Refusal } from '../../../nodes/services/listing.ts'
import type { DataTableResource } from '../../../server/resources/data-tables.ts'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld
let tables: DataTableResource
const unknownId = '0'.repeat(24)
// FerretDB searches by reading everything: thousands of rows would take it minutes.
const slow = process.env.HEADGATE_TEST_STORE === 'mongo'

const columns = [
  { name: 'key', dataType: 'string', constraint: 'unique' },
  { name: 'n', dataType: 'number', constraint: 'optional', defaultValue: '4' },
]
const refused = (type: Refusal['type'], part = '') => ({ type, message: expect.stringContaining(part) })

beforeEach(async () => {
  world = await openTestWorld()
  tables = world.dataTables
})

const make = async (body: object = {}) => (await tables.create({ name: 'Parts', columns, ...body })).id
const keys = async (id: string) => (await tables.rows(id, { sortColumn: 'id' })).items.map(({ key }) => key)

describe('tables', () => {
  test('are made, found, renamed and listed by name', async () => {
    const table = await tables.create({ name: 'Parts', description: 'Spare', columns })
    expect(table).toEqual({
      ...{ id: expect.any(String), dataTableId: table.id, applicationId: world.app.scope.application },
      ...{ name: 'Parts', description: 'Spare', creationDate: expect.any(String), lastUpdated: expect.any(String) },
      columns: [columns[0], { ...columns[1], defaultValue: 4 }],
    })
    expect(await tables.table(table.id)).toEqual(table)
    await tables.create({ name: 'Bolts' })
    expect((await tables.tables({})).items.map(({ name }) => name)).toEqual(['Bolts', 'Parts'])
    const renamed = await tables.patch(table.id, { name: 'More', description: null })
    expect(renamed).toMatchObject({ name: 'More', columns: table.columns })
    expect(renamed).not.toHaveProperty('description')
    expect((await world.other.dataTables.tables({})).items).toEqual([])
    await expect(world.other.dataTables.table(table.id)).rejects.toMatchObject(refused('NotFound'))
  })

  test.each<[object]>([
    [{ name: '' }],
    [{ name: undefined }],
    [{ name: 'x'.repeat(256) }],
    [{ unknown: 1 }],
    [{ columns: {} }],
    [{ columns: [{ name: 'a', dataType: 'date', constraint: 'optional' }] }],
    [{ columns: [{ name: 'a', dataType: 'string', constraint: 'none' }] }],
    [{ columns: [{ name: 'a', dataType: 'number', constraint: 'optional', defaultValue: 'x' }] }],
    [{ columns: [columns[0], columns[0]] }],
    [{ columns: Array.from({ length: 101 }, (_, n) => ({ ...columns[1], name: `c${n}` })) }],
    ...['__proto__', 'constructor', 'prototype', 'id', 'createdAt', 'a b', 'a.b', '$a', ''].map((name) => {
      return [{ columns: [{ ...columns[0], name }] }] as [object]
    }),
  ])('that cannot be are refused: %j', async (body) => {
    await expect(make(body)).rejects.toMatchObject(refused('Validation'))
    expect(await world.app.collection('dataTables').count()).toBe(0)
  })

  test('get a column, null on old rows, and lose one with its values', async () => {
    const id = await make()
    const old = await tables.insert(id, { key: 'a' })
    const added = { name: 'size', dataType: 'number', constraint: 'required' }
    expect((await tables.addColumn(id, added)).columns).toHaveLength(3)
    expect((await tables.rows(id, {})).items).toEqual([{ ...old, size: null }])
    await expect(tables.addColumn(id, added)).rejects.toMatchObject(refused('AlreadyExists', 'size'))
    await expect(tables.insert(id, { key: 'b' })).rejects.toMatchObject(refused('Validation', 'required column "size"'))
    await tables.update(id, { by: 'id', id: old.id }, { size: 7 })
    await expect(tables.update(id, { by: 'id', id: old.id }, { size: null })).rejects.toMatchObject(
      refused('Validation'),
    )
    expect((await tables.rows(id, { sortColumn: 'size' })).items).toMatchObject([{ size: 7 }])
    await tables.removeColumn(id, 'size')
    await tables.addColumn(id, { ...added, constraint: 'optional' })
    expect((await tables.rows(id, {})).items).toMatchObject([{ key: 'a', size: null }])
    const [stored] = await world.app.collection('dataTableRows').find()
    expect(Object.values(stored!.cells)).not.toContain(7)
    await expect(tables.removeColumn(id, 'nothing')).rejects.toMatchObject(refused('NotFound'))
  })

  test('go with all their rows, and are emptied, without touching others', async () => {
    const [id, other] = [await make(), await make()]
    for (const one of [id, other]) await tables.insertMany(one, [{ key: 'a' }, { key: 'b' }])
    await tables.truncate(id)
    expect(await keys(id)).toEqual([])
    await tables.insert(id, { key: 'a' })
    await tables.removeTable(id)
    await expect(tables.rows(id, {})).rejects.toMatchObject(refused('NotFound'))
    expect(await keys(other)).toEqual(['a', 'b'])
    expect(await world.app.collection('dataTableRows').count()).toBe(2)
    expect(await world.app.collection('dataTableKeys').count()).toBe(2)
    for (const call of [tables.truncate, tables.removeTable, tables.table, tables.count]) {
      await expect(call(unknownId)).rejects.toMatchObject(refused('NotFound'))
    }
  })
})

describe('rows', () => {
  test('come newest first without an order', async () => {
    const id = await make()
    for (const key of ['a', 'b', 'c']) {
      await tables.insert(id, { key })
      world.clock.now += 10
    }
    const listing = await tables.rows(id, {})
    expect(listing).toMatchObject({ sortColumn: 'createdAt', sortDirection: 'desc', limit: 1000, totalCount: 3 })
    expect(listing.items.map(({ key }) => key)).toEqual(['c', 'b', 'a'])
    expect(await tables.rows(id, { limit: 0 })).toMatchObject({ items: [], totalCount: 3 })
    expect(await tables.rows(id, { offset: 5 })).toMatchObject({ items: [], totalCount: 3 })
    expect(await tables.rows(id, { limit: 1e9 })).toMatchObject({ limit: 10_000 })
  })

  test('of one unique value never become two, however many come at once', async () => {
    const id = await make()
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => tables.insert(id, { key: 'same' })))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await keys(id)).toEqual(['same'])
  })

  test('changed by many at once lose no change', async () => {
    const id = await make({ columns: Array.from({ length: 8 }, (_, n) => ({ ...columns[1], name: `c${n}` })) })
    const row = await tables.insert(id, {})
    const changes = Array.from({ length: 8 }, (_, n) =>
      tables.update(id, { by: 'id', id: row.id }, { [`c${n}`]: 100 + n }),
    )
    await Promise.all(changes)
    expect((await tables.rows(id, {})).items[0]).toMatchObject(
      Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`c${n}`, 100 + n])),
    )
  })

  test('of hostile names and values are kept as they are or refused, and reach no prototype', async () => {
    const id = await make({ columns: [{ name: 'toString', dataType: 'string', constraint: 'optional' }] })
    const row = await tables.insert(id, JSON.parse('{"__proto__":{"x":1},"constructor":2,"hasOwnProperty":3}'))
    expect(row.toString).toBe(null)
    expect(({} as { x?: number }).x).toBeUndefined()
    const text = `'; DROP TABLE cells; -- \0 {{x}} $where`
    await tables.insert(id, { toString: text })
    expect((await tables.rows(id, { query: { toString: text } })).items).toMatchObject([{ toString: text }])
    const deep = JSON.parse(`${'{"$and":['.repeat(50)}{}${']}'.repeat(50)}`)
    await expect(tables.rows(id, { query: deep })).rejects.toMatchObject(refused('Validation'))
    const wide = { $or: Array.from({ length: 101 }, () => ({})) }
    await expect(tables.rows(id, { query: wide })).rejects.toMatchObject(refused('Validation'))
  })
})

describe('CSV', () => {
  const read = async (id: string, query?: unknown) => {
    const pieces: Buffer[] = []
    for await (const piece of tables.exportCsv(id, query)) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }
  const write = (id: string, ...pieces: string[]) =>
    tables.importCsv(id, Readable.from(pieces.map((one) => Buffer.from(one))))

  test('goes out with built-in columns, plain where a spreadsheet would compute', async () => {
    const id = await make()
    await tables.insertMany(id, [
      { key: 'a,"b"\nc', n: 1.5 },
      { key: '=1+1', n: null },
    ])
    const [one, two] = (await tables.rows(id, { sortColumn: 'id' })).items
    expect(await read(id)).toBe(
      `id,createdAt,updatedAt,key,n\n${one!.id},${one!.createdAt},${one!.updatedAt},"a,""b""\nc",1.5\n` +
        `${two!.id},${two!.createdAt},${two!.updatedAt},'=1+1,\n`,
    )
    expect((await read(id, { n: null })).split('\n')).toHaveLength(3)
    await expect(read(id, { what: 1 })).rejects.toMatchObject(refused('Validation'))
  })

  test('comes in, in pieces that end anywhere, by the names of its header', async () => {
    const id = await make()
    const count = { count: 3 }
    expect(await write(id, '\ufeffn,id,ke', `y,other\n1,${unknownId},"a`, '",\n,x,b,y\n', '3,,"",z\n')).toEqual(count)
    expect((await tables.rows(id, { sortColumn: 'id' })).items).toMatchObject([
      { key: 'a', n: 1 },
      { key: 'b', n: null },
      { key: '', n: 3 },
    ])
    expect((await tables.rows(id, { query: { id: unknownId } })).items).toEqual([])
  })

  test('names the line that cannot be taken, and says what was inserted', async () => {
    const id = await make()
    for (const [text, part] of [
      ['key,n\na,1\nb,two\n', 'Line 3'],
      ['key,n\na,1,5\n', 'Line 2'],
      ['key,key\n', 'Line 1'],
      ['what\n1\n', 'header'],
      ['key\n"a', 'CSV'],
      ['key\na\na\n', 'no other row has'],
    ] as const) {
      await expect(write(id, text)).rejects.toMatchObject({ message: expect.stringContaining(part) })
      await expect(write(id, text)).rejects.toMatchObject({ message: expect.stringContaining('No row was inserted') })
    }
    expect(await keys(id)).toEqual([])
    const many = Array.from({ length: 600 }, (_, n) => `k${n}`).join('\n')
    await expect(write(id, `key,n\n${many.replaceAll('\n', ',\n')},\nx,y\n`)).rejects.toMatchObject({
      message: expect.stringMatching(/^Line 602 .*The first 500 rows were inserted/),
    })
    expect(await tables.count(id)).toBe(500)
  })

  test('that has no end of a line is refused in bounded memory', async () => {
    const id = await make()
    async function* bomb() {
      yield Buffer.from('key\n"')
      for (let n = 0; n < 64; n++) yield Buffer.alloc(1 << 20, 'x')
    }
    await expect(tables.importCsv(id, bomb())).rejects.toMatchObject(refused('Validation', 'CSV'))
  })
})

test.skipIf(slow)(
  'a page of a large table takes no longer than a moment, and is the right one',
  async () => {
    const id = await make({
      columns: [
        { ...columns[1], name: 'n' },
        { name: 't', dataType: 'string', constraint: 'optional' },
      ],
    })
    const amount = 20_000
    for (let part = 0; part < amount; part += 5_000) {
      await tables.insertMany(
        id,
        Array.from({ length: 5_000 }, (_, i) => ({ n: ((part + i) * 7_919) % amount, t: `t${(part + i) % 50}` })),
      )
    }
    const { items, totalCount } = await tables.rows(id, { query: { n: { $gte: 100 } }, sortColumn: 'n', limit: 5 })
    expect(items.map(({ n }) => n)).toEqual([100, 101, 102, 103, 104])
    expect(totalCount).toBe(amount - 100)
    const last = await tables.rows(id, { query: { t: 't7' }, sortColumn: 'n', sortDirection: 'desc', limit: 1 })
    expect(last).toMatchObject({ totalCount: amount / 50 })
  },
  60_000,
)
