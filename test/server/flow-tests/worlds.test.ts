import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { testCommand } from '../../../server/cli/test.ts'
import { temporaryFolder } from '../../helpers/store.ts'

let folder: string

beforeEach(async () => {
  folder = await temporaryFolder()
})

interface Outcome {
  code: number
  file: {
    problems: { pointer: string; message: string }[]
    cases: { mismatches: { at: string; expected: string; got: string }[]; problem?: string }[]
    wires: { taken: number; all: number; missing: object[] }
  }
}

/** Runs the cases on a flow with these nodes, started by a button at the first. */
async function run(nodes: { id: string }[], tests: object[], more: object = {}): Promise<Outcome> {
  const triggers = [{ type: 'virtualButton', key: 'b', outputIds: [[nodes[0]!.id]] }]
  const resources = [{ name: 'F', flowClass: 'cloud', triggers, nodes }]
  await put('f.json', { resourceType: 'Flow', version: 1, resources })
  await put('f.test.json', { ...more, tests: tests.map((one, index) => ({ name: `${index}`, ...one })) })
  const out: string[] = []
  const code = await testCommand([folder, '--json'], {
    out: (line) => void out.push(line),
    err: (line) => void out.push(line),
    env: {},
  })
  return { code, file: JSON.parse(out.join('\n')).files[0] }
}

async function put(path: string, content: unknown) {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify(content))
}

const set = (id: string, rules: Record<string, string>, next: string[] = []) => ({
  ...{ id, type: 'MutateNode', meta: { label: `Set ${id}` }, outputIds: [next] },
  config: {
    rules: Object.entries(rules).map(([destination, valueTemplate]) => ({ type: 'set', destination, valueTemplate })),
  },
})

describe('tables', () => {
  const columns = [
    { name: 'kind', dataType: 'string', constraint: 'optional' },
    { name: 'n', dataType: 'number', constraint: 'optional' },
  ]
  const id = '~exportplaceholderid-dataTable-parts~'
  const world = { tables: [{ id, name: 'Parts', columns }] }
  const insert = {
    ...{ id: 'i', type: 'DataTableInsertRowNode', outputIds: [[]] },
    config: {
      ...{ dataTableIdTemplate: id, dataMethod: 'jsonTemplate', resultPath: 'working.row' },
      rowJsonTemplate: '{"kind": {{jsonEncode data.kind}}, "n": 1}',
    },
  }

  test('rows are there before the run, and are looked at after it, in any order', async () => {
    const rows = [
      { kind: 'bolt', n: 3 },
      { kind: 'nut', n: 4 },
    ]
    const { file } = await run(
      [insert],
      [
        {
          data: { kind: 'cap' },
          expect: { tables: { Parts: [{ kind: 'cap', n: 1, createdAt: '2026-01-05T08:00:00.000Z' }] } },
        },
        {
          data: { kind: 'cap' },
          tables: { Parts: rows },
          expect: { tables: { Parts: [...rows, { kind: 'cap' }].reverse() } },
        },
        { data: { kind: 'cap' }, tables: { Parts: rows }, expect: { tables: { Parts: rows } } },
        { data: { kind: 'cap' }, tables: { Parts: [] }, expect: { tables: { Parts: [{ kind: 'hat' }] } } },
        { data: { kind: 'cap' }, expect: { tables: { Wheels: [] } } },
      ],
      { world },
    )
    expect(file.problems).toEqual([])
    expect(file.cases.map(({ mismatches }) => mismatches.map(({ at }) => at))).toEqual([
      ...[[], [], ['tables.Parts'], ['tables.Parts.0.kind'], ['tables.Wheels']],
    ])
    expect(file.cases[2]!.mismatches[0]).toMatchObject({ expected: '2 documents', got: expect.stringContaining('3') })
  })

  test('rows for all cases stand beside them, and each case begins with its own', async () => {
    const tables = { Parts: [{ kind: 'bolt' }] }
    const after = { Parts: [{ kind: 'bolt' }, { kind: 'cap' }] }
    const { code } = await run(
      [insert],
      [
        { expect: { tables: after } },
        { expect: { tables: after } },
        { tables: {}, expect: { tables: { Parts: [{}] } } },
      ],
      { world, tables, data: { kind: 'cap' } },
    )
    expect(code).toBe(0)
  })

  test('a table that is not there, a row that cannot be, and what is no list of rows are told', async () => {
    const odd = await run([insert], [{ tables: { Wheels: [] } }, { tables: { Parts: [{ n: 'many' }] } }], { world })
    expect(odd.file.cases[0]!.problem).toBe('Expected the name of a table in "tables", got "Wheels"')
    expect(odd.file.cases[1]!.problem).toMatch(/"n"|number/)
    const wrong = await run([insert], [{ tables: { Parts: 'all' } }, { expect: { tables: [] } }], { world })
    expect(wrong.file.problems.map(({ pointer }) => pointer)).toEqual([
      '/tests/0/tables/Parts',
      '/tests/1/expect/tables',
    ])
  })
})

describe('custom nodes', () => {
  const nodeId = '~exportplaceholderid-flow-sorter~'
  const start = (next: string) => ({ type: 'customNodeStart', key: 'customNodeStart', outputIds: [[next]] })
  const end = (id: string, output: number) => ({
    ...{ id, type: 'CustomNodeCapNode', meta: { label: id }, outputIds: [] },
    config: { branchIndexTemplate: output, resultSourcePath: 'data.n' },
  })
  const sorter = {
    ...{ id: nodeId, name: 'Sorter', flowClass: 'customNode', customNodeSupports: ['cloud'] },
    triggers: [start('if'), { type: 'virtualButton', key: 'try', outputIds: [['if']] }],
    nodes: [
      {
        ...{ id: 'if', type: 'ConditionalNode', meta: { label: 'Big?' }, outputIds: [['small'], ['wait']] },
        config: { expression: '{{data.n}} > 5' },
      },
      { id: 'wait', type: 'DelayNode', config: { delay: '50' }, outputIds: [['mail']] },
      {
        ...{ id: 'mail', type: 'StructureEmailNode', meta: { label: 'Tell' }, outputIds: [['big']] },
        config: {
          toAddresses: ['a@b.example'],
          subjectTemplate: 'Big',
          bodyTemplate: "At {{currentDateTime 'HH:mm:ss'}}",
        },
      },
      end('small', 0),
      end('big', 1),
    ],
    customNodeConfig: {
      ...{ outputCount: 2, resultMode: 'optional' },
      fields: [{ id: 'n', type: 'numberTemplate', label: 'N' }],
    },
  }
  const call = {
    ...{ id: 'call', type: 'CustomNodeExecuteNode', meta: { label: 'Sort' }, outputIds: [['no'], ['yes']] },
    config: { customNodeId: nodeId, resultPath: 'working.n', fields: [{ id: 'n', value: '{{data.n}}' }] },
  }
  const nodes = [call, set('no', { 'working.x': 'small' }), set('yes', { 'working.x': 'big' })]

  test('their wires are counted once a case comes into them, and named by them', async () => {
    const { file } = await run(nodes, [{ data: { n: 1 } }], { world: { flows: [sorter] } })
    expect(file.problems).toEqual([])
    expect(file.wires).toEqual({
      ...{ taken: 4, all: 8 },
      missing: [
        { from: 'Sort', output: 'second', to: 'Set yes' },
        { in: 'Sorter', from: 'Big?', output: 'true', to: 'DelayNode' },
        { in: 'Sorter', from: 'DelayNode', output: 'next', to: 'Tell' },
        { in: 'Sorter', from: 'Tell', output: 'next', to: 'big' },
      ],
    })
    const both = await run(nodes, [{ data: { n: 1 } }, { data: { n: 9 } }], { world: { flows: [sorter] } })
    expect(both.file.wires).toEqual({ taken: 8, all: 8, missing: [] })
  })

  test('one that no case comes into counts by the wire that leads to it', async () => {
    const config = { expression: '{{data.n}}' }
    const first = { id: 'first', type: 'ConditionalNode', meta: { label: 'Any?' }, config, outputIds: [[], ['call']] }
    const { file } = await run([first, ...nodes], [{}], { world: { flows: [sorter] } })
    expect(file.wires).toMatchObject({ taken: 1, all: 4 })
  })

  test('the way of a run is that through its own nodes, whatever those inside are called', async () => {
    const note = { id: 'note', type: 'DebugNode', meta: { label: 'Mine' }, outputIds: [['if']] }
    const inner = { ...sorter.nodes[0]!, id: 'if' }
    const noting = { ...sorter, triggers: [start('note')], nodes: [note, inner, ...sorter.nodes.slice(1)] }
    const own = { id: 'if', type: 'DebugNode', meta: { label: 'Own' }, config: { message: 'x' }, outputIds: [['call']] }
    const { file } = await run(
      [own, ...nodes],
      [
        { expect: { path: ['Own', 'Sort', 'Set no'], visited: ['if'], notVisited: ['Set yes'] } },
        { expect: { debug: [{ node: 'Own' }, { node: 'note' }] } },
        { expect: { visited: ['Big?'] } },
      ],
      { world: { flows: [noting] }, data: { n: 1 } },
    )
    expect(file.cases.map(({ mismatches }) => mismatches)).toEqual([
      ...[[], []],
      [{ at: 'visited', expected: 'a node "Big?" in the flow', got: 'none of this id or label' }],
    ])
  })

  test('inside of them the clock is that of the test, delays take no time, and mails are kept', async () => {
    const { file } = await run(
      nodes,
      [
        {
          ...{ data: { n: 9 }, clock: '2026-02-01T10:00:00Z' },
          expect: {
            at: { 'working.n': 9, 'working.x': 'big' },
            mails: [{ subject: 'Big', html: { $contains: 'At 10:00:50' } }],
          },
        },
      ],
      { world: { flows: [sorter] } },
    )
    expect(file.cases).toMatchObject([{ mismatches: [] }])
    expect(file.cases[0]!.problem).toBeUndefined()
  })
})

test('helpers that ask for the time are told the clock of the test, also after a delay and in pages', async () => {
  const view = { id: '~exportplaceholderid-experienceView-p~', name: 'p', viewType: 'page' }
  const body = "{{currentDateTime 'YYYY HH:mm'}} {{template \"{{currentDateTime 'ss'}}\"}}"
  const ask = {
    a: "{{currentDateTime 'x'}}",
    b: "{{formatDateRelative '2026-02-01T09:00:00Z'}}",
    c: "at {{currentDateTime 'HH:mm:ss' tz='Asia/Tokyo'}}",
    d: '{{evalExpression \'{{currentDateTime "x"}} + 1\'}}',
  }
  const nodes = [
    set('first', { 'data.before': "{{currentDateTime 'HH:mm:ss'}}" }, ['wait']),
    { id: 'wait', type: 'DelayNode', config: { delay: 30 }, outputIds: [['ask']] },
    set('ask', Object.fromEntries(Object.entries(ask).map(([key, value]) => [`data.${key}`, value])), ['reply']),
    {
      ...{ id: 'reply', type: 'EndpointReplyNode', outputIds: [[]] },
      config: { replyType: 'page', pageIdTemplate: view.id, responseCodeTemplate: '200' },
    },
  ]
  const at = Date.UTC(2026, 1, 1, 10, 0, 30)
  const data = { before: '10:00:00', a: String(at), b: 'an hour ago', c: 'at 19:00:30', d: at + 1 }
  const { file } = await run(
    nodes,
    [
      {
        clock: '2026-02-01T10:00:00Z',
        data: { replyId: 'r' },
        expect: { payload: { data }, reply: { contains: ['2026 10:00 30'] } },
      },
    ],
    { world: { views: [{ ...view, body }] } },
  )
  expect(file.problems).toEqual([])
  expect(file.cases).toMatchObject([{ mismatches: [] }])
})
