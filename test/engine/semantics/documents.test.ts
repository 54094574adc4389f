import { expect, test } from 'vitest'
import { compileFlow } from '../../../engine/compile.ts'
import { readDocument } from '../../../engine/document.ts'
import { openTemplates } from '../../../engine/template.ts'
import { problemsOf, runFlow, testCatalog } from '../../helpers/flow.ts'

const services = { debug: { write: () => undefined } }
const flow = (nodes: unknown[], first = 'a') => ({
  triggers: [{ type: 'virtualButton', key: 'b', outputIds: [[first]] }],
  nodes,
})

test.each([
  [
    'null for everything that may be missing',
    { id: 'a', type: 'DebugNode', config: null, meta: null, outputIds: null },
  ],
  ['nothing but a type', { id: 'a', type: 'DebugNode' }],
  ['an output that is null', { id: 'a', type: 'DebugNode', outputIds: [null] }],
  ['empty outputs beyond its own', { id: 'a', type: 'DebugNode', outputIds: [[], [], []] }],
  ['an older debug node without a level', { id: 'a', type: 'DebugNode', config: { message: '', property: '' } }],
])('a node with %s is right', async (_, node) => {
  expect(problemsOf(flow([node]))).toEqual([])
  expect(await runFlow(flow([node]), { services })).toMatchObject({ status: 'done', visitCount: 1 })
})

test('ids that are numbers are read as text, wherever they stand', async () => {
  const body = { id: 2, type: 'LoopCapNode', config: { loopNodeId: 1 }, meta: { groupId: 1 } }
  const config = { loopSourcePath: 'n', currentItemPath: 'item', mapResultPath: 'out' }
  const raw = { ...flow([{ id: 1, type: 'LoopNode', config, outputIds: [[], [2]] }, body], '1') }
  expect(problemsOf(raw)).toEqual([])
  const { payload } = await runFlow(raw, { payload: { n: 1 } })
  expect(payload.out).toHaveLength(1)
})

test('nodes without an id get one that no other node has', () => {
  const nodes = [{ type: 'DebugNode' }, { id: 'generated-0', type: 'DebugNode' }, { id: null, type: 'DebugNode' }]
  const { document, problems } = readDocument({ nodes })
  expect(problems).toEqual([])
  expect(new Set(document.nodes.map(({ id }) => id)).size).toBe(3)
})

test('nodes that are in no loop by null, blank or nothing are in the same place', () => {
  const metas = [{ groupId: null }, { groupId: '' }, {}, undefined]
  const nodes = metas.map((meta, index) => ({
    ...{ id: `n${index}`, type: 'DebugNode', meta, outputIds: index < 3 ? [[`n${index + 1}`]] : [] },
  }))
  expect(problemsOf(flow(nodes, 'n0'))).toEqual([])
})

test.each([
  ['ConditionalNode', { expression: 'true' }],
  ['LoopNode', { loopSourcePath: 'a', currentItemPath: 'b' }],
  ['LoopNode', { loopSourcePath: 'a', currentItemPath: 'b', parallel: null, mapResultPath: null, mapValuePath: null }],
  ['GetDeviceNode', { idTemplate: 'x', resultPath: 'y' }],
  ['GetDeviceNode', { findMethod: 'tags', tags: [], attributes: null, resultPath: 'y' }],
  ['GetExperienceUserNode', { emailOrIdTemplate: 'x', resultPath: 'y' }],
  ['GetExperienceGroupNode', { idTemplate: 'x', resultPath: 'y' }],
  ['ExperienceUserAuthNode', { emailTemplate: 'x', passwordTemplate: 'y' }],
  ['UpdateExperienceUserNode', { emailOrIdTemplate: 'x', groupIdTemplates: '' }],
  ['JsonDecodeNode', { source: 'a', destination: 'b' }],
  ['HttpNode', { uriTemplate: 'https://example.com' }],
  ['EndpointReplyNode', { replyType: 'redirect', bodyTemplate: '/' }],
  ['GetValueNode', { keyName: 'k', valuePath: 'v' }],
  ['StoreValueNode', { keyName: 'k', valueType: 'clear' }],
  ['DelayNode', { durationTemplate: '1' }],
  ['DeviceChangeStateNode', { deviceId: 'x', attrInfos: [] }],
  ['AnnotationNode', {}],
])('an older %s with %j imports without a word', (type, config) => {
  expect(problemsOf(flow([{ id: 'a', type, config }]))).toEqual([])
})

test('a word that is not known imports with a warning, and fails the run that reaches it', async () => {
  const raw = flow([{ id: 'a', type: 'EndpointReplyNode', config: { replyType: 'carrier-pigeon' } }])
  expect(problemsOf(raw)).toMatchObject([
    { code: 'config.choice', severity: 'warning', node: 'a', pointer: '/nodes/0/config/replyType' },
  ])
  expect(await runFlow(raw)).toMatchObject({ error: { code: 'config.choice', node: { id: 'a' } } })
})

test('a kind of value that is not known imports with a warning, too', () => {
  const config = { keyName: 'k', valuePath: 'v', defaultValueType: 'dream' }
  expect(problemsOf(flow([{ id: 'a', type: 'GetValueNode', config }]))).toMatchObject([
    { code: 'config.choice', severity: 'warning' },
  ])
})

test('triggers of one kind without a key are told apart', () => {
  const triggers = [
    { type: 'timer', config: { seconds: 1 } },
    { type: 'timer', key: null, config: { seconds: 2 } },
    { type: 'timer', key: 'same', config: { seconds: 3 } },
    { type: 'timer', key: 'same', config: { seconds: 4 } },
  ]
  const options = { flowClass: 'cloud', catalog: testCatalog(), templates: openTemplates() } as const
  const { plan, problems } = compileFlow({ triggers, nodes: [] }, options)
  expect(new Set(plan.triggers.map(({ key }) => key)).size).toBe(4)
  expect(plan.triggers[2]?.key).toBe('same')
  expect(problems).toEqual([])
})

test('a trigger with null for everything that may be missing is right', () => {
  const raw = { triggers: [{ type: 'virtualButton', key: null, config: null, meta: null, outputIds: null }], nodes: [] }
  expect(problemsOf(raw)).toEqual([])
})

test('several outputs of a trigger start all that hang on them', async () => {
  const nodes = ['a', 'b'].map((id) => ({ id, type: 'DebugNode' }))
  const raw = { triggers: [{ type: 'virtualButton', key: 'b', outputIds: [['a'], ['b']] }], nodes }
  expect(await runFlow(raw, { services })).toMatchObject({ visitCount: 2 })
})

test.each([
  ['28', 28],
  ['"text"', 'text'],
  ['{\n "a": [1]\n}', { a: [1] }],
])('a global of %j is its JSON value', (json, value) => {
  const options = { flowClass: 'cloud', catalog: testCatalog(), templates: openTemplates() } as const
  const globals = [{ key: 'tl-jwt-secret', json, cloudOnly: true, description: 'x' }]
  expect(compileFlow({ ...flow([], 'none'), triggers: [], globals }, options).plan.globals).toEqual({
    'tl-jwt-secret': value,
  })
})

test('a flow with more templates than anyone writes is told of, before they are compiled', () => {
  const blocks = '{{#if a}}{{/if}}'.repeat(8_000)
  const setting = { type: 'set', destination: 'working.x', valueTemplate: blocks }
  const nodes = Array.from({ length: 200 }, (_, n) => ({
    id: `n${n}`,
    type: 'MutateNode',
    config: { rules: [setting] },
  }))
  const problems = problemsOf(flow(nodes, 'n0'))
  expect(problems.map(({ node, code }) => `${node} ${code}`)).toEqual(
    nodes.slice(1).map(({ id }) => `${id} template.limit`),
  )
})
