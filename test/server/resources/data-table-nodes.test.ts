import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
let table: string
const GET = 'DataTableQueryNode'
const INSERT = 'DataTableInsertRowNode'
const UPDATE = 'DataTableUpdateRowNode'
const DELETE = 'DataTableDeleteRowNode'
const refusal = (type: string, part = '') => ({ error: { type, message: expect.stringContaining(part) } })
const unknownId = '0'.repeat(24)

const columns = [
  { name: 'key', dataType: 'string', constraint: 'unique' },
  { name: 'label', dataType: 'string', constraint: 'optional', defaultValue: 'none' },
  { name: 'order', dataType: 'number', constraint: 'optional' },
  { name: 'live', dataType: 'boolean', constraint: 'optional' },
]

beforeEach(async () => {
  run = await openRunning()
  table = (await run.dataTables.create({ name: 'Parts', columns })).id
})

const insert = (row: unknown, config: Payload = {}) =>
  run.result(
    INSERT,
    { dataTableIdTemplate: table, dataMethod: 'payloadPath', rowPayloadPath: 'row', ...config },
    { row },
  ) as Promise<Payload>
const get = (config: Payload = {}, payload: Payload = {}) =>
  run.result(GET, { dataTableIdTemplate: table, ...config }, payload) as Promise<{ items: Payload[] } & Payload>
const keys = async (config: Payload = {}, payload: Payload = {}) =>
  (await get(config, payload)).items.map(({ key }) => key).join(' ')
const five = () =>
  insert([
    { key: 'a', order: 10, label: 'Pump', live: true },
    { key: 'b', order: 9, label: 'pump' },
    { key: 'c', order: null, label: 'Belt', live: false },
    { key: 'd', order: 100, label: null, live: false },
    { key: 'e', order: -1, label: '', live: true },
  ])

describe('Table: Insert Row', () => {
  test('makes a row of single columns, cast to their types, and leaves out what is no column', async () => {
    const row = await run.result(
      INSERT,
      {
        dataTableIdTemplate: ` ${table.toUpperCase()} `,
        dataMethod: 'individualFields',
        rowFields: [
          { columnTemplate: 'key', valueTemplate: '{{data.n}}' },
          { columnTemplate: 'order', valueTemplate: '{{data.n}}' },
          { columnTemplate: '{{data.column}}', valueTemplate: 'TRUE' },
          { columnTemplate: 'other', valueTemplate: 'x' },
          { columnTemplate: 'id', valueTemplate: unknownId },
          { columnTemplate: '__proto__', valueTemplate: 'x' },
        ],
      },
      { data: { n: 7, column: ' live ' } },
    )
    const now = new Date(run.clock.now).toISOString()
    const id = expect.stringMatching(/^[0-9a-f]{24}$/)
    expect(row).toEqual({ id, createdAt: now, updatedAt: now, key: '7', label: 'none', order: 7, live: true })
    expect((row as Payload).id).not.toBe(unknownId)
    expect((await get()).items).toEqual([row])
  })

  test('takes a row as JSON; explicit null keeps the default out; blank text is no number', async () => {
    const config = { dataMethod: 'jsonTemplate', rowJsonTemplate: '{"key":"{{row}}","label":null,"order":" "}' }
    expect(await insert('k', config)).toMatchObject({ key: 'k', label: null, order: null, live: null })
  })

  test('inserts a list, all of it or nothing', async () => {
    expect(await insert([{ key: 'a' }, { key: 'b' }])).toEqual({
      count: 2,
      items: [expect.objectContaining({ key: 'a' }), expect.objectContaining({ key: 'b', label: 'none' })],
    })
    expect(await insert([{ key: 'c' }, { key: 'a' }])).toEqual(refusal('AlreadyExists', '"key"'))
    expect(await insert([{ key: 'c' }, { key: 'c' }])).toEqual(refusal('AlreadyExists'))
    expect(await insert([{ key: 'c' }, { key: 'd', order: 'ten' }])).toEqual(refusal('Validation', '"order"'))
    expect(await insert([{ key: 'c' }, 'text'])).toEqual(refusal('Validation', 'object'))
    expect(await keys()).toBe('a b')
    expect(await insert([])).toEqual({ count: 0, items: [] })
    expect(await insert(Array.from({ length: 5_001 }, () => ({})))).toEqual(refusal('Validation', '5000'))
  })

  test('refuses what cannot be: unknown tables, wrong types, values that must be unique, no row at all', async () => {
    await insert({ key: 'a' })
    expect(await insert({ key: 'a' })).toEqual(refusal('AlreadyExists', '"key"'))
    expect(await insert({ key: 'A' })).toMatchObject({ key: 'A' })
    expect(await insert({})).toMatchObject({ key: null })
    expect(await insert({})).toMatchObject({ key: null })
    for (const row of [
      { order: {} },
      { live: 'yes' },
      { label: ['x'] },
      { label: 'x'.repeat(65_537) },
      undefined,
      null,
    ]) {
      expect(await insert(row)).toEqual(refusal('Validation'))
    }
    for (const dataTableIdTemplate of [unknownId, 'x', '{{nothing}}x']) {
      expect(await insert({ key: 'z' }, { dataTableIdTemplate })).toEqual(refusal('NotFound', 'data table'))
    }
    expect((await get()).totalCount).toBe(4)
  })
})

describe('Table: Get Rows', () => {
  test('gives all rows by id with their counts', async () => {
    await five()
    const { items, ...rest } = await get()
    expect(items.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(rest).toEqual({
      ...{ count: 5, totalCount: 5, limit: 1000, offset: 0, sortColumn: 'id', sortDirection: 'asc', query: {} },
      ...{ dataTableId: table, applicationId: run.app.scope.application },
    })
  })

  test('orders by any column, nulls first, and gives pages', async () => {
    await five()
    expect(await keys({ sortColumnTemplate: 'order' })).toBe('c e b a d')
    expect(await keys({ sortColumnTemplate: '{{by}}', sortDirectionTemplate: 'DESC' }, { by: 'order' })).toBe(
      'd a b e c',
    )
    expect(await keys({ sortColumnTemplate: 'label' })).toBe('d e c a b')
    expect(await keys({ sortColumnTemplate: 'live' })).toBe('b c d a e')
    expect(await keys({ sortColumnTemplate: 'createdAt', sortDirectionTemplate: 'desc' })).toBe('e d c b a')
    const page = await get({ sortColumnTemplate: 'order', limitTemplate: '2', offsetTemplate: '{{n}}' }, { n: 2 })
    expect(page).toMatchObject({ items: [{ key: 'b' }, { key: 'a' }], count: 2, totalCount: 5, limit: 2, offset: 2 })
    expect(await get({ limitTemplate: '5000' })).toMatchObject({ limit: 1000 })
    expect(await get({ sortColumnTemplate: 'nothing' })).toEqual(refusal('Validation', 'sortColumn'))
    expect(await get({ sortColumnTemplate: '__proto__' })).toEqual(refusal('Validation', 'sortColumn'))
  })

  test('finds by the query language on columns of every type', async () => {
    const { items } = (await five()) as { items: Payload[] }
    const found: [query: unknown, expected: string][] = [
      [{ order: { $gt: 9 } }, 'a d'],
      [{ order: { $gte: '9' } }, 'a b d'],
      [{ order: { $lt: 10 } }, 'b e'],
      [{ order: { $gte: 0, $lt: 50 } }, 'a b'],
      [{ order: null }, 'c'],
      [{ order: { $ne: null } }, 'a b d e'],
      [{ order: { $ne: 10 } }, 'b c d e'],
      [{ order: { $in: [10, 100, null] } }, 'a c d'],
      [{ order: { $nin: [10, 100] } }, 'b c e'],
      [{ label: 'pump' }, 'b'],
      [{ label: { $eq: 'PUMP', $ci: true } }, 'a b'],
      [{ label: { $startsWith: 'P' } }, 'a'],
      [{ label: { $contains: 'um' } }, 'a b'],
      [{ label: { $endsWith: 'LT', $ci: true } }, 'c'],
      [{ label: '' }, 'e'],
      [{ label: null }, 'd'],
      [{ live: true }, 'a e'],
      [{ live: { $ne: 'true' } }, 'b c d'],
      [{ id: items[1]!.id }, 'b'],
      [{ createdAt: { $gt: items[0]!.createdAt } }, ''],
      [{ updatedAt: { $gte: items[0]!.createdAt } }, 'a b c d e'],
      [{ $or: [{ key: 'a' }, { $and: [{ live: false }, { order: 100 }] }] }, 'a d'],
      [{ $nor: [{ live: true }] }, 'b c d'],
      [{ $or: [] }, 'a b c d e'],
      [{ $nor: [] }, ''],
      [{}, 'a b c d e'],
    ]
    for (const [query, expected] of found) {
      const queryTemplate = JSON.stringify(query)
      const result = await get({ queryTemplate })
      expect([queryTemplate, result.items?.map(({ key }) => key).join(' ')]).toEqual([queryTemplate, expected])
      expect(result).toMatchObject({ query, totalCount: result.items.length })
      expect(await run.dataTables.count(table, query)).toBe(result.items.length)
    }
    expect(await keys({ queryTemplate: '{"order":{"$gt":{{n}} }}' }, { n: 50 })).toBe('d')
  })

  test('refuses a query that is none', async () => {
    for (const query of [
      ...[
        { other: 1 },
        { order: { $near: 1 } },
        { order: 'ten' },
        { order: { $startsWith: '1' } },
        { live: { $gt: true } },
      ],
      ...[
        { order: { $gt: null } },
        { order: {} },
        { $where: '1' },
        { live: 'maybe' },
        { order: ' ' },
        [1],
        { tableId: 'x' },
      ],
      ...[JSON.parse('{"__proto__":1}'), { order: { $in: 1 } }, { createdAt: 'soon' }, { $or: {} }],
    ]) {
      expect([query, await get({ queryTemplate: JSON.stringify(query) })]).toEqual([
        query,
        refusal('Validation', 'Query'),
      ])
    }
    const { code } = await run.visit(GET, { dataTableIdTemplate: table, queryTemplate: '{"x', resultPath: 'out' })
    expect(code).toBe('template.not-json')
  })

  test('gives the columns that are asked for, by commas or as JSON', async () => {
    const { items } = (await five()) as { items: Payload[] }
    const one = { limitTemplate: '1' }
    const { id, createdAt } = items[0]!
    expect((await get({ ...one, includeFieldsTemplate: ' id, key,nothing' })).items).toEqual([{ id, key: 'a' }])
    const deep = `["key", ${'['.repeat(5_000)}${']'.repeat(5_000)}]`
    expect((await get({ ...one, includeFieldsTemplate: deep })).items).toEqual([{ key: 'a' }])
    expect((await get({ ...one, includeFieldsTemplate: '["createdAt","order"]' })).items).toEqual([
      { createdAt, order: 10 },
    ])
  })
})

describe('Table: Update Row', () => {
  const update = (config: Payload, row: unknown = {}) =>
    run.result(
      UPDATE,
      { dataTableIdTemplate: table, dataMethod: 'payloadPath', rowPayloadPath: 'row', ...config },
      { row, id: (row as Payload).id },
    )

  test('changes the given columns of one row by id; null clears', async () => {
    const { items } = (await five()) as { items: Payload[] }
    const { id, createdAt } = items[0]!
    run.clock.now += 1000
    const changed = await update({ rowSelectType: 'id', rowIdTemplate: id }, { order: '11', live: null, id: unknownId })
    const updatedAt = new Date(run.clock.now).toISOString()
    expect(changed).toEqual({ id, createdAt, updatedAt, key: 'a', label: 'Pump', order: 11, live: null })
    run.clock.now += 1000
    expect(await update({ rowIdTemplate: id }, { order: 11 })).toEqual(changed)
    expect(await keys({ sortColumnTemplate: 'updatedAt', sortDirectionTemplate: 'desc', limitTemplate: '1' })).toBe('a')
  })

  test('changes the first row only that a query finds', async () => {
    await five()
    const byQuery = { rowSelectType: 'query', queryTemplate: '{"live":true}' }
    expect(await update(byQuery, { label: 'x' })).toMatchObject({ key: 'a', label: 'x' })
    expect(await keys({ queryTemplate: '{"label":"x"}' })).toBe('a')
    expect(await update({ rowSelectType: 'query', queryTemplate: '' }, {})).toEqual(refusal('Validation', '$or'))
  })

  test('inserts when nothing matches and it is told to', async () => {
    await five()
    const nobody = { rowSelectType: 'query', queryTemplate: '{"key":"z"}' }
    expect(await update(nobody, { key: 'z' })).toEqual(refusal('NotFound'))
    expect(await update({ ...nobody, upsertCheck: true }, { key: 'z' })).toMatchObject({ key: 'z', label: 'none' })
    expect(await update({ ...nobody, upsertCheck: true }, { key: 'z', order: 1 })).toMatchObject({ order: 1 })
    for (const rowIdTemplate of [unknownId, 'x', '{{nothing}}']) {
      expect(await update({ rowIdTemplate }, {})).toEqual(refusal('NotFound'))
    }
    expect((await get()).totalCount).toBe(6)
  })

  test('keeps values apart that must be unique, and frees one that was given up', async () => {
    const { items } = (await five()) as { items: Payload[] }
    expect(await update({ rowIdTemplate: items[0]!.id }, { key: 'b' })).toEqual(refusal('AlreadyExists', '"key"'))
    await update({ rowIdTemplate: items[0]!.id }, { key: 'new' })
    expect(await insert({ key: 'a' })).toMatchObject({ key: 'a' })
    expect(await insert({ key: 'new' })).toEqual(refusal('AlreadyExists'))
  })
})

describe('Table: Delete Rows', () => {
  const remove = (config: Payload) => run.result(DELETE, { dataTableIdTemplate: table, ...config })

  test('removes one row by id, and the values that it kept unique', async () => {
    const { items } = (await five()) as { items: Payload[] }
    const rowIdTemplate = items[2]!.id
    expect(await remove({ rowIdTemplate })).toEqual({ result: true, count: 1 })
    expect(await remove({ rowIdTemplate })).toEqual(refusal('NotFound'))
    expect(await keys()).toBe('a b d e')
    expect(await insert({ key: 'c' })).toMatchObject({ key: 'c' })
  })

  test('removes what a query finds, at most the limit; blank is never everything', async () => {
    await five()
    expect(await remove({ queryTemplate: '{"live":true}', limitTemplate: '1' })).toEqual({ result: true, count: 1 })
    expect(await keys()).toBe('b c d e')
    expect(await remove({ queryTemplate: '' })).toEqual(refusal('Validation', '$or'))
    expect(await remove({ queryTemplate: '{"other":1}' })).toEqual(refusal('Validation'))
    expect(await remove({ queryTemplate: '{"$or":[]}', limitTemplate: '' })).toEqual({ result: true, count: 4 })
    expect(await remove({ queryTemplate: '{"$or":[]}' })).toEqual({ result: true, count: 0 })
    expect((await run.visit(DELETE, { dataTableIdTemplate: table, rowIdTemplate: '{{x}}' })).code).toBe('config.empty')
  })

  test('replaces a table by delete and insert, strictly in order', async () => {
    await five()
    await remove({ queryTemplate: '{"$or":[]}' })
    await five()
    expect(await keys()).toBe('a b c d e')
  })
})

test('rows of another table and of another application are never seen or changed', async () => {
  const second = (await run.dataTables.create({ name: 'Second', columns })).id
  const foreign = (await run.other.dataTables.create({ name: 'Parts', columns })).id
  const row = await run.dataTables.insert(second, { key: 'second' })
  const theirs = await run.other.dataTables.insert(foreign, { key: 'theirs' })
  await five()
  expect(await keys({ queryTemplate: '{"$or":[]}' })).toBe('a b c d e')
  for (const { id } of [row, theirs]) {
    expect((await get({ queryTemplate: JSON.stringify({ id }) })).items).toEqual([])
    const target = { dataTableIdTemplate: table, rowIdTemplate: id }
    expect(await run.result(DELETE, target)).toEqual(refusal('NotFound'))
    expect(await run.result(UPDATE, { ...target, dataMethod: 'jsonTemplate', rowJsonTemplate: '{"key":"x"}' })).toEqual(
      refusal('NotFound'),
    )
  }
  for (const type of [GET, DELETE, INSERT, UPDATE]) {
    const config = { dataTableIdTemplate: foreign, queryTemplate: '{"$or":[]}', rowSelectType: 'query' }
    expect(await run.result(type, config)).toEqual(refusal('NotFound', 'data table'))
  }
  await run.result(DELETE, { dataTableIdTemplate: table, queryTemplate: '{"$or":[]}' })
  expect((await run.dataTables.rows(second, {})).items).toEqual([row])
  expect((await run.other.dataTables.rows(foreign, {})).items).toEqual([theirs])
})
