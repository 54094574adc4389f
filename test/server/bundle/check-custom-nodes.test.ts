import { expect, test } from 'vitest'
import { exportBundle } from '../../../server/bundle/export.ts'
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

const start = (...next: string[]) => ({
  type: 'customNodeStart',
  key: 'customNodeStart',
  config: {},
  meta: {},
  outputIds: [next],
})
const cap = (config: object = {}, meta: object = {}) => ({
  id: 'cap',
  type: 'CustomNodeCapNode',
  config,
  meta,
  outputIds: [],
})
const call = (name: string, config: object = {}, outputIds: string[][] = [[], []]) => ({
  ...{ id: 'end', type: 'CustomNodeExecuteNode', meta: {}, outputIds },
  config: {
    customNodeId: ref('flow', name),
    customNodeVersion: 'default',
    resultPath: 'working.x',
    fields: [],
    ...config,
  },
})
const field = (id: string, more: object = {}) => ({ id, type: 'stringTemplate', label: id, ...more })

const custom = (name: string, more: object = {}) => ({
  ...{ id: ref('flow', name), name, flowClass: 'customNode', customNodeSupports: ['cloud'], globals: [] },
  ...{
    triggers: [start('cap')],
    nodes: [cap()],
    customNodeConfig: { outputCount: 1, resultMode: 'optional', fields: [] },
  },
  ...more,
})

/** The small application with custom nodes, and a flow `caller` with these nodes. */
function contentsOf(customNodes: object[], callers: object[], versions: object[] = []): Contents {
  const files = customNodes.map((one, index) => [`workflows/customNode/c${index}.yaml`, envelope('Flow', one)])
  const snapshots = versions.map((one, index) => [`workflowVersions/v${index}.yaml`, envelope('FlowVersion', one)])
  return {
    ...smallApp(),
    ...Object.fromEntries([...files, ...snapshots]),
    'workflows/cloud/caller.yaml': envelope('Flow', cloudFlow('caller', { nodes: callers })),
  }
}

async function check(contents: Contents) {
  const { problems, imported } = await importContents(await openTestStore(), contents)
  const found = problems.filter(({ code }) => /custom-node|^config|outputs|template|recursion/.test(code))
  return { imported, problems: found.map(({ code, severity, pointer }) => `${severity} ${code} ${pointer}`) }
}

test('has nothing to say of a custom node that is called as it wants', async () => {
  const customNodeConfig = {
    outputCount: 2,
    resultMode: 'required',
    fields: [field('name', { required: true }), { type: 'section', id: 's', label: '' }],
  }
  const fields = [{ id: 'name', value: '{{data.name}}' }]
  const contents = contentsOf([custom('greet', { customNodeConfig })], [call('greet', { fields })])
  expect(await check(contents)).toEqual({ imported: true, problems: [] })
})

const place = '/resources/0/nodes/0'

test.each<[string, object[], object[], string[]]>([
  ['another class of flow', [], [call('tick')], [`warning custom-node.missing ${place}/config/customNodeId`]],
  [
    'an id of another place',
    [],
    [call('', { customNodeId: 'f'.repeat(24) })],
    [`warning custom-node.missing ${place}/config/customNodeId`],
  ],
  ['no id', [], [call('', { customNodeId: '' })], [`warning custom-node.missing ${place}/config/customNodeId`]],
  [
    'an unknown version',
    [custom('greet')],
    [call('greet', { customNodeVersion: 'v9' })],
    [`warning custom-node.missing ${place}/config/customNodeVersion`],
  ],
  [
    'inputs that do not fit',
    [
      custom('greet', {
        customNodeConfig: {
          fields: [field('a', { required: true }), field('b', { type: 'numberTemplate' }), field('c')],
        },
      }),
    ],
    [
      call('greet', {
        fields: [
          { id: 'b', value: 'many' },
          { id: 'c', value: '{{#if' },
        ],
      }),
    ],
    [
      `warning config.missing ${place}/config/fields`,
      `warning config.type ${place}/config/fields/0/value`,
      `warning template.syntax ${place}/config/fields/1/value`,
    ],
  ],
  [
    'a result that goes nowhere, and an output that there is not',
    [custom('greet', { customNodeConfig: { outputCount: 1, resultMode: 'required', fields: [] } })],
    [
      call('greet', { resultPath: '' }, [[], ['other']]),
      { id: 'other', type: 'DebugNode', config: {}, meta: {}, outputIds: [] },
    ],
    [`warning config.missing ${place}/config/resultPath`, `warning document.outputs ${place}/outputIds`],
  ],
])('reports %s', async (_, customNodes, callers, expected) => {
  const { problems, imported } = await check(contentsOf(customNodes, callers))
  expect(problems).toEqual(expected)
  expect(imported).toBe(expected.every((one) => one.startsWith('warning')))
})

test('refuses custom nodes that call themselves, directly, through others, or in a version', async () => {
  const calling = (name: string, other: string) =>
    custom(name, { triggers: [start('end')], nodes: [call(other), cap()] })
  expect(await check(contentsOf([calling('a', 'a')], [call('a')]))).toEqual({
    imported: false,
    problems: [`error custom-node.recursion ${place}/config/customNodeId`],
  })
  const circle = await check(
    contentsOf([calling('a', 'b'), calling('b', 'c'), calling('c', 'a'), calling('d', 'a')], [call('d')]),
  )
  expect(circle.problems).toHaveLength(3)
  const { name: _, flowClass: _c, customNodeSupports: _s, ...version } = calling('a', 'a')
  const snapshot = { ...version, id: ref('flowVersion', 'v1'), flowId: ref('flow', 'a'), version: 'v1', enabled: true }
  expect((await check(contentsOf([custom('a')], [call('a')], [snapshot]))).problems).toHaveLength(1)
})

test('reports what keeps a custom node itself from working', async () => {
  const { problems, imported } = await check(
    contentsOf(
      [
        custom('none', { triggers: [], nodes: [] }),
        custom('odd', {
          nodes: [cap({ branchIndexTemplate: 1 }, { groupId: 'loop' })],
          customNodeConfig: {
            outputCount: 1,
            fields: [field('a'), field('a'), field('b', { type: 'x' }), field('__proto__'), 7],
          },
        }),
      ],
      [call('odd')],
    ),
  )
  expect(imported).toBe(true)
  expect(problems.filter((one) => one.includes('document.custom-node'))).toEqual([
    'warning document.custom-node /resources/0/triggers',
    'warning document.custom-node /resources/0/nodes',
    ...[1, 2, 3, 4].map(
      (index) =>
        `warning document.custom-node /resources/0/customNodeConfig/fields/${index}${index === 1 ? '/id' : ''}`,
    ),
    'warning document.custom-node /resources/0/nodes/0/config/branchIndexTemplate',
    'warning document.custom-node /resources/0/nodes/0/meta/groupId',
  ])
  const twice = await check(contentsOf([custom('twice', { triggers: [start('cap'), start('cap')] })], [call('twice')]))
  expect(twice).toEqual({ imported: false, problems: ['error document.custom-node /resources/0/triggers'] })
})

test('a custom node with a version comes back from an export as it was, and is called by its new id', async () => {
  const store = await openTestStore()
  const snapshot = {
    id: ref('flowVersion', 'v100'),
    flowId: ref('flow', 'greet'),
    version: 'v1.0.0',
    enabled: true,
    triggers: [start('cap')],
    nodes: [cap()],
    globals: [],
    customNodeConfig: { outputCount: 1, resultMode: 'none', fields: [] },
  }
  const contents = contentsOf(
    [custom('greet', { category: 'logic', iconData: 'data:,x' })],
    [call('greet', { customNodeVersion: 'v1.0.0' })],
    [snapshot],
  )
  await importContents(store, contents)
  const flows = await documentsOf(store, 'flows')
  const greet = flows.find(({ name }) => name === 'greet')!
  expect(greet).toMatchObject({
    flowClass: 'customNode',
    enabled: true,
    content: { customNodeConfig: { outputCount: 1 }, category: 'logic' },
  })
  const [node] = flows.find(({ name }) => name === 'caller')!.content.nodes as [{ config: { customNodeId: string } }]
  expect(node.config.customNodeId).toBe(greet.id)
  const exported = async (from: typeof store) => {
    const host = await from.hosts.find('small')
    const files = await exportBundle(from.app(host!.scope), { hostUrls })
    return new Map([...files].filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  }
  const first = await exported(store)
  const other = await openTestStore()
  expect((await importContents(other, Object.fromEntries(first))).imported).toBe(true)
  expect(await exported(other)).toEqual(first)
})
