import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { openTemplates } from '../../../engine/template.ts'
import { catalog } from '../../../nodes/index.ts'
import { checkBundle } from '../../../server/bundle/check.ts'
import { exportBundle } from '../../../server/bundle/export.ts'
import { readBundle } from '../../../server/bundle/read.ts'
import { treeOf } from '../../../server/bundle/tree.ts'
import { openResources } from '../../../server/resources/resources.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import {
  type Contents,
  cloudFlow,
  documentsOf,
  envelope,
  hostUrls,
  importContents,
  ref,
  smallApp,
} from './small-app.ts'

const id = (n: number) => n.toString(16).padStart(24, 'a')
const columns = [
  { name: 'key', dataType: 'string', constraint: 'unique' },
  { name: 'note', dataType: 'string', constraint: 'optional', defaultValue: 'none' },
  { name: 'price', dataType: 'number', constraint: 'optional' },
  { name: 'live', dataType: 'boolean', constraint: 'optional' },
]
const parts = (more: object = {}) => ({
  ...{ id: ref('dataTable', 'spareParts'), name: 'Spare parts', columns, localFilename: './Spare_parts.csv' },
  ...more,
})
const csv = [
  'id,key,note,price,live',
  `${id(1)},b,"two\nlines, and ""quotes""",12.5,true`,
  `${id(2)},a,,,`,
  `${id(3)},${ref('device', 'pump')},"",-0.001,false`,
].join('\n')

const withTable = (rows = csv, more: object = {}): Contents => ({
  ...smallApp(),
  'dataTables/Spare_parts.yaml': envelope('DataTable', parts(more)),
  'dataTables/Spare_parts.csv': rows,
})

async function exported(store: Store, slug = 'small'): Promise<Contents> {
  const host = await store.hosts.find(slug)
  const contents: Contents = {}
  for (const [path, content] of await exportBundle(store.app(host!.scope), { hostUrls })) {
    const isText = path.endsWith('.csv')
    contents[path] = typeof content === 'string' ? content : Buffer.from(await content())
    if (isText) contents[path] = String(contents[path])
  }
  return contents
}

async function tablesOf(store: Store, slug = 'small') {
  const host = await store.hosts.find(slug)
  const { dataTables } = openResources({ app: store.app(host!.scope), now: () => 5_000 })
  const { items } = await dataTables.tables({})
  return {
    dataTables,
    tableId: items[0]!.id,
    rows: async () => (await dataTables.rows(items[0]!.id, { sortColumn: 'id' })).items,
  }
}

async function problemsOf(contents: Contents) {
  const bundle = await readBundle(treeOf('small', contents))
  return checkBundle(bundle, { catalog, templates: openTemplates() }).problems
}

test('a table comes with its rows, in the order of the file, with types and references', async () => {
  const store = await openTestStore()
  const report = await importContents(store, withTable())
  expect(report).toMatchObject({ imported: true, problems: [], unsupported: {} })
  expect(report.changes.dataTables).toEqual({ created: 1, updated: 0, removed: 0, unchanged: 0 })
  const pump = (await documentsOf(store, 'devices')).find(({ name }) => name === 'pump')!
  const { rows } = await tablesOf(store)
  const at = (ms: number) => new Date(1_000 + ms).toISOString()
  expect(await rows()).toEqual([
    {
      id: expect.any(String),
      createdAt: at(0),
      updatedAt: at(0),
      key: 'b',
      note: 'two\nlines, and "quotes"',
      price: 12.5,
      live: true,
    },
    { id: expect.any(String), createdAt: at(1), updatedAt: at(1), key: 'a', note: null, price: null, live: null },
    { id: expect.any(String), createdAt: at(2), updatedAt: at(2), key: pump.id, note: '', price: -0.001, live: false },
  ])
  expect((await rows()).map((row) => row.id)).not.toContain(id(1))
})

test('flows and triggers name the table that it has become', async () => {
  const store = await openTestStore()
  const table = ref('dataTable', 'spareParts')
  const flow = cloudFlow('rows', {
    triggers: [{ type: 'dataTable', key: table, config: { insert: true }, meta: {}, outputIds: [['get']] }],
    nodes: [
      {
        id: 'get',
        type: 'DataTableQueryNode',
        config: { dataTableIdTemplate: table, resultPath: 'x' },
        meta: {},
        outputIds: [[]],
      },
    ],
  })
  const report = await importContents(store, { ...withTable(), 'workflows/cloud/Rows.yaml': envelope('Flow', flow) })
  expect(report).toMatchObject({ imported: true, problems: [], unsupported: {} })
  const { tableId } = await tablesOf(store)
  const { content } = (await documentsOf(store, 'flows')).find(({ name }) => name === 'rows')!
  expect(content).toMatchObject({ triggers: [{ key: tableId }], nodes: [{ config: { dataTableIdTemplate: tableId } }] })
})

test('import, export, import is the identity, byte for byte', async () => {
  const store = await openTestStore()
  await importContents(store, withTable())
  const first = await exported(store)
  expect(first['dataTables/Spare_parts.csv']).toBe(csv)
  expect(parse(String(first['dataTables/Spare_parts.yaml']))).toEqual({
    resourceType: 'DataTable',
    resources: [parts()],
    version: 1,
  })
  await importContents(store, first, { slug: 'second' })
  expect(await exported(store, 'second')).toEqual(first)
  const again = await importContents(store, first)
  expect(again.changes.dataTables).toEqual({ created: 0, updated: 0, removed: 0, unchanged: 1 })
  expect(await exported(store)).toEqual(first)
})

test('rows that were made and changed since stay as long as the folder says nothing new', async () => {
  const store = await openTestStore()
  await importContents(store, withTable())
  const { dataTables, tableId, rows } = await tablesOf(store)
  const [first] = await rows()
  await dataTables.update(tableId, { by: 'id', id: first!.id }, { price: 99 })
  await dataTables.insert(tableId, { key: 'mine' })
  const before = await rows()
  await importContents(store, withTable())
  await importContents(store, smallApp())
  await importContents(store, withTable())
  expect(await rows()).toEqual(before)
  // Now it does: a row is gone, two swap their unique values, one is new; what was made by hand stays.
  const next = ['id,price,key,live', `${id(1)},1,a,true`, `${id(2)},2,b,`, `${id(4)},4,d,`].join('\n')
  await importContents(store, withTable(next))
  expect(await rows()).toMatchObject([
    { id: before[0]!.id, key: 'a', price: 1, note: null },
    { id: before[1]!.id, key: 'b', price: 2 },
    { id: before[3]!.id, key: 'mine', note: 'none' },
    { key: 'd', price: 4 },
  ])
  const taken = ['id,key', `${id(9)},mine`].join('\n')
  const report = await importContents(store, withTable(taken))
  expect(report).toMatchObject({ imported: false, problems: [{ code: 'bundle.conflict' }] })
  expect(await rows()).toHaveLength(4)
})

test('an export that comes back changed changes rows that were made by hand, too', async () => {
  const store = await openTestStore()
  await importContents(store, withTable())
  const { dataTables, tableId, rows } = await tablesOf(store)
  const { id: mine } = await dataTables.insert(tableId, { key: 'mine', note: '', price: 1 })
  const contents = await exported(store)
  const file = 'dataTables/Spare_parts.csv'
  expect(contents[file]).toBe(`${csv}\n${mine},mine,"",1,`)
  await importContents(store, { ...contents, [file]: String(contents[file]).replace(',mine,', ',yours,') })
  expect((await rows()).slice(3)).toMatchObject([{ id: mine, key: 'yours', price: 1 }])
})

test('values of a column stay when another is added or taken away', async () => {
  const store = await openTestStore()
  await importContents(store, withTable())
  const { rows, dataTables, tableId } = await tablesOf(store)
  const [key, note] = columns
  const more = { name: 'size', dataType: 'number', constraint: 'optional' }
  await importContents(store, withTable('id,key,note', { columns: [more, key, note] }))
  expect(await rows()).toEqual([])
  await importContents(store, withTable(csv, { columns: [note, key, more] }))
  expect(await rows()).toMatchObject([{ key: 'b', size: null }, { key: 'a' }, { note: '' }])
  expect((await dataTables.table(tableId)).columns.map(({ name }) => name)).toEqual(['note', 'key', 'size'])
})

test('every wrong row is named by file and line, and nothing is imported', async () => {
  const store = await openTestStore()
  const required = { name: 'size', dataType: 'number', constraint: 'required' }
  const rows = [
    'id,key,price,live,size,unknown',
    `${id(1)},a,"twelve",true,1,x`,
    `${id(2)},"a\nb",1,maybe,1,x`,
    `${id(2)},c,1,true,,x`,
    `${id(3)},c,1,true,1,x`,
  ].join('\n')
  const contents = withTable(rows, { columns: [...columns, required] })
  const place = { code: 'table.row', severity: 'error', file: 'dataTables/Spare_parts.csv' }
  const expected = [
    { ...place, line: 2, message: expect.stringContaining('"price" to be a number, got "twelve"') },
    { ...place, line: 4, message: expect.stringContaining('"live" to be a boolean') },
    { ...place, line: 5, message: expect.stringContaining('required column "size"') },
    { ...place, line: 6, message: expect.stringContaining('"c" in the column "key" once, but it stands at line 5') },
  ]
  expect(await problemsOf(contents)).toEqual(expected)
  expect(await importContents(store, contents)).toMatchObject({ imported: false, problems: expected })
  expect(await documentsOf(store, 'dataTables')).toEqual([])
  expect(await store.applications()).toEqual([])
})

test.each([
  ['a quote that never ends', `id,key\n${id(1)},"a`, 'CSV'],
  ['rows of another width', `id,key\n${id(1)},a,b`, 'CSV'],
  ['a header without any column of the table', 'what,ever\n1,2', 'header'],
  ['the same column twice', 'id,key,key\n1,2,3', 'different names'],
  ['more columns than there can be', `id,key,${Array.from({ length: 200 }, (_, n) => `x${n}`).join(',')}`, 'columns'],
  ['a cell that is too large', `id,key\n1,${'x'.repeat(70_000)}`, '65536'],
])('is refused: %s', async (_, rows, message) => {
  const problems = await problemsOf(withTable(rows))
  expect(problems).toMatchObject([{ code: 'table.row', message: expect.stringContaining(message) }])
})

test('a file with many wrong rows gets twenty problems and their number', async () => {
  const rows = ['id,price', ...Array.from({ length: 500 }, (_, n) => `${id(n)},x`)].join('\n')
  const problems = await problemsOf(withTable(rows))
  expect(problems).toHaveLength(21)
  expect(problems.at(-1)!.message).toContain('480 more')
})

test.each([
  [{ columns: [{ name: '__proto__', dataType: 'string', constraint: 'optional' }] }, '/resources/0/columns/0/name'],
  [{ columns: [{ name: 'id', dataType: 'string', constraint: 'optional' }] }, '/resources/0/columns/0/name'],
  [{ columns: [{ name: 'a', dataType: 'date', constraint: 'optional' }] }, '/resources/0/columns/0/dataType'],
  [{ columns: [columns[0], columns[0]] }, '/resources/0/columns'],
  [{ columns: [{ ...columns[2], defaultValue: 'ten' }] }, '/resources/0/columns'],
  [{ columns: {} }, '/resources/0/columns'],
  [{ name: undefined }, '/resources/0/name'],
  [{ localFilename: '../../../etc/passwd' }, '/resources/0/localFilename'],
])('a table that cannot be is refused: %j', async (more, pointer) => {
  const problems = await problemsOf(withTable(csv, more))
  expect(problems).toMatchObject([{ severity: 'error', pointer }])
})

test('a table without a file, with an empty one and with a header alone has no rows', async () => {
  const store = await openTestStore()
  const bare = { ...smallApp(), 'dataTables/x.yaml': envelope('DataTable', parts({ localFilename: undefined })) }
  for (const contents of [bare, withTable(''), withTable('id,key,note,price,live')]) {
    expect(await importContents(store, contents)).toMatchObject({ imported: true })
    const { rows } = await tablesOf(store)
    expect(await rows()).toEqual([])
  }
  expect((await exported(store))['dataTables/Spare_parts.csv']).toBe('id,key,note,price,live')
})
