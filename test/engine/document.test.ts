import { expect, test } from 'vitest'
import { compileFlow } from '../../engine/compile.ts'
import type { FlowClass } from '../../engine/document.ts'
import { openTemplates } from '../../engine/template.ts'
import { flowOf, problemsOf, type TestNode, testCatalog } from '../helpers/flow.ts'

const debug = (id: string, outputIds: string[][] = []) => ({ id, type: 'DebugNode', config: {}, outputIds })

test.each([null, 5, 'flow', [], undefined])('names the fault of a flow that is %j', (raw) => {
  expect(problemsOf(raw)).toMatchObject([{ code: 'document.type', pointer: '' }])
})

test('lists every problem at once, with node and pointer', () => {
  const problems = problemsOf({
    triggers: [{ type: 'timer', config: { seconds: 'often' }, outputIds: [['nowhere']] }],
    nodes: [
      debug('a', [['a']]),
      debug('a'),
      { id: 'b', type: 'ConditionalNode', config: {}, outputIds: [['a'], [], ['a']] },
      { id: 'c', type: 'ConditionalNode', config: { expression: 7 }, outputIds: 'a' },
      { id: 'd', type: 'LoopNode', config: { loopSourcePath: 'a..b', currentItemPath: '__proto__.x' } },
    ],
    globals: [
      { key: 'a b', json: '1' },
      { key: 'c', json: '{' },
    ],
  })
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ code: 'config.type', pointer: '/triggers/0/config/seconds' }),
      expect.objectContaining({ code: 'document.wire', pointer: '/triggers/0/outputIds/0/0' }),
      expect.objectContaining({ code: 'document.wire', node: 'a', pointer: '/nodes/0/outputIds/0/0' }),
      expect.objectContaining({ code: 'document.id', node: 'a', pointer: '/nodes/1/id' }),
      expect.objectContaining({ code: 'config.missing', node: 'b', pointer: '/nodes/2/config/expression' }),
      expect.objectContaining({ code: 'document.outputs', node: 'b', pointer: '/nodes/2/outputIds' }),
      expect.objectContaining({ code: 'document.type', node: 'c', pointer: '/nodes/3/outputIds' }),
      expect.objectContaining({ code: 'path.syntax', node: 'd', pointer: '/nodes/4/config/loopSourcePath' }),
      expect.objectContaining({ code: 'path.forbidden', node: 'd', pointer: '/nodes/4/config/currentItemPath' }),
      expect.objectContaining({ code: 'document.globals', pointer: '/globals/0' }),
      expect.objectContaining({ code: 'document.globals', pointer: '/globals/1/json' }),
    ]),
  )
  expect(problems.every(({ message }) => message.length > 20)).toBe(true)
})

test('an unknown type is a warning: it imports and is named', () => {
  expect(problemsOf(flowOf([{ id: 'x', type: 'MadeUpNode' }]))).toMatchObject([
    { code: 'node.unknown', severity: 'warning', node: 'x', message: expect.stringContaining('MadeUpNode') },
  ])
})

test('a template that does not parse is a warning that names the setting', () => {
  const problems = problemsOf(flowOf([{ id: 'x', type: 'DebugNode', config: { message: '{{#if a}}' } }]))
  expect(problems).toMatchObject([{ code: 'template.syntax', severity: 'warning', pointer: '/nodes/0/config/message' }])
})

test('wires stay within the body of a loop', () => {
  const problems = problemsOf(
    flowOf([
      {
        id: 'loop',
        type: 'LoopNode',
        config: { loopSourcePath: 'a', currentItemPath: 'b' },
        outputIds: [['in'], ['out']],
      },
      { ...debug('in'), meta: { groupId: 'loop' } },
      debug('out'),
    ]),
  )
  expect(problems.map(({ code, pointer }) => [code, pointer])).toEqual([
    ['document.wire', '/nodes/0/outputIds/0/0'],
    ['document.wire', '/nodes/0/outputIds/1/0'],
  ])
})

test.each([
  [{}, 'neither'],
  [{ seconds: 0 }, '1 to 31536000'],
  [{ cron: 'now and then' }, 'cron'],
  [{ cron: '0 0 L * *' }, 'cron'],
  [{ cron: '0 8 * * *', tz: 'Mars/Olympus' }, 'time zone'],
  [{ seconds: 'a {{data.x}} b' }, 'to be a number'],
  [{ seconds: '{{jsonEncode}}x' }, 'to be a number'],
])('a timer with %j is refused', (config, word) => {
  const problems = problemsOf({ triggers: [{ type: 'timer', key: 't', config, outputIds: [] }], nodes: [] })
  expect(problems).toMatchObject([{ code: 'config.type', message: expect.stringContaining(word) }])
})

test.each([
  { seconds: 10 },
  { seconds: '10' },
  { cron: '0 8 * * MON-FRI', tz: 'Europe/Paris' },
  { cron: '*/5 0 8 * * *' },
])('a timer with %j is right', (config) => {
  expect(problemsOf({ triggers: [{ type: 'timer', key: 't', config, outputIds: [] }], nodes: [] })).toEqual([])
})

test('a trigger of another class is refused', () => {
  const timer = { triggers: [{ type: 'timer', key: 't', config: { seconds: 5 } }], nodes: [] }
  expect(problemsOf(timer, 'experience')).toMatchObject([{ code: 'document.class', pointer: '/triggers/0/type' }])
})

test('an edge flow is kept and not run', () => {
  expect(problemsOf({ triggers: [], nodes: [{ id: 'x', type: 'ModbusReadNode' }] }, 'edge')).toMatchObject([
    { code: 'document.class', severity: 'warning' },
  ])
})

const global = (key: unknown, json: unknown, more = {}) => ({ key, json, ...more })

test.each<[string, unknown[], Record<string, unknown>]>([
  [
    'values of every kind',
    [global('a', '28'), global('b', '"text"'), global('c', '{ "d": [1,\n null] }')],
    { a: 28, b: 'text', c: { d: [1, null] } },
  ],
  [
    'keys with dashes, digits and capitals',
    [global('tl-jwt-secret', '1'), global('0_A', '2')],
    { 'tl-jwt-secret': 1, '0_A': 2 },
  ],
  ['a key of 255 characters', [global('k'.repeat(255), '1')], { ['k'.repeat(255)]: 1 }],
  ['what is said of them beside', [global('a', '1', { cloudOnly: true, description: 'x' })], { a: 1 }],
  ['the last of two with one key', [global('a', '1'), global('a', '2')], { a: 2 }],
  [
    'a hundred',
    Array.from({ length: 100 }, (_, i) => global(`g${i}`, '1')),
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`g${i}`, 1])),
  ],
])('globals may be %s', (_, globals, expected) => {
  const { plan, problems } = compiled({ ...flowOf([]), globals })
  expect(problems).toEqual([])
  expect(plan.globals).toEqual(expected)
})

test.each<[unknown, string]>([
  [[global('', '1')], '/globals/0'],
  [[global('a b', '1')], '/globals/0'],
  [[global('a.b', '1')], '/globals/0'],
  [[global('k'.repeat(256), '1')], '/globals/0'],
  [[global('__proto__', '{}')], '/globals/0'],
  [[global(5, '1')], '/globals/0'],
  [[global('ok', '1'), global('a', '{')], '/globals/1/json'],
  [[global('a', '')], '/globals/0/json'],
  [[global('a', 5)], '/globals/0/json'],
  [[global('a', undefined)], '/globals/0/json'],
  [Array.from({ length: 101 }, (_, i) => global(`g${i}`, '1')), '/globals'],
])('globals that are %.60j are refused at %s', (globals, pointer) => {
  expect(problemsOf({ ...flowOf([]), globals })).toMatchObject([
    { code: 'document.globals', severity: 'error', pointer },
  ])
})

function compiled(raw: unknown, flowClass: FlowClass = 'cloud') {
  return compileFlow(raw, { flowClass, catalog: testCatalog(), templates: openTemplates() })
}

test.each(['a1B2c3D4e5', '~r7_-x', '0', 'x', 'a node', '__proto__'])('"%s" is an id like any other', (id) => {
  const flow = {
    triggers: [{ type: 'virtualButton', key: 'b', outputIds: [[id]] }],
    nodes: [debug(id, [['z']]), debug('z')],
  }
  expect(problemsOf(flow)).toEqual([])
})

test.each<[string, object, string[][]]>([
  ['DebugNode', {}, []],
  ['DebugNode', {}, [[]]],
  ['EndpointReplyNode', { replyType: 'custom' }, [['z']]],
  ['ConditionalNode', { expression: '1' }, [[]]],
  ['ConditionalNode', { expression: '1' }, [[], []]],
  ['SwitchNode', { switchTemplate: 'x', cases: [{ caseTemplate: 'a' }, { caseTemplate: 'b' }] }, [['z'], ['z'], ['z']]],
  ['SwitchNode', { switchTemplate: 'x', cases: [{ caseTemplate: 'a' }] }, [['z']]],
  ['CustomNodeExecuteNode', { customNodeId: 'x' }, [['z']]],
  ['LoopNode', { loopSourcePath: 'a', currentItemPath: 'b' }, [['z']]],
  ['AnnotationNode', {}, []],
  ['ThrowErrorNode', { messageTemplate: 'x' }, []],
])('%s with %j may have the outputs %j', (type, config, outputIds) => {
  expect(problemsOf(flowOf([{ id: 'a', type, config, outputIds } as TestNode, debug('z')]))).toEqual([])
})

test.each<[string, object, string[][]]>([
  ['DebugNode', {}, [['z'], ['z']]],
  ['ConditionalNode', { expression: '1' }, [[], [], ['z']]],
  ['SwitchNode', { switchTemplate: 'x', cases: [{ caseTemplate: 'a' }] }, [[], [], ['z']]],
  ['ThrowErrorNode', { messageTemplate: 'x' }, [['z']]],
  ['AnnotationNode', {}, [['z']]],
])('%s with %j may not have the outputs %j', (type, config, outputIds) => {
  expect(problemsOf(flowOf([{ id: 'a', type, config, outputIds } as TestNode, debug('z')]))).toMatchObject([
    { code: 'document.outputs', node: 'a', pointer: '/nodes/0/outputIds', severity: 'error' },
  ])
})

test.each<[string, FlowClass, boolean]>([
  ['CreateDeviceNode', 'cloud', true],
  ['CreateDeviceNode', 'experience', true],
  ['CreateDeviceNode', 'customNode', false],
  ['DeviceDeleteWorkflowNode', 'customNode', false],
  ['EndpointReplyNode', 'cloud', true],
  ['EndpointReplyNode', 'experience', true],
  ['EndpointReplyNode', 'customNode', false],
  ['WebhookReplyNode', 'cloud', true],
  ['WebhookReplyNode', 'customNode', true],
  ['WebhookReplyNode', 'experience', true],
  ['CustomNodeCapNode', 'customNode', true],
  ['CustomNodeCapNode', 'cloud', false],
  ['CustomNodeCapNode', 'experience', false],
  ['DelayNode', 'experience', true],
])('%s in %s flows: %s', (type, flowClass, allowed) => {
  const problems = problemsOf({ triggers: [], nodes: [{ id: 'a', type, config: {} }] }, flowClass)
  expect(problems.some(({ code, pointer }) => code === 'document.class' && pointer === '/nodes/0/type')).toBe(!allowed)
})

test.each<[string, FlowClass, boolean]>([
  ['endpoint', 'cloud', true],
  ['endpoint', 'experience', true],
  ['endpoint', 'customNode', false],
  ['flowError', 'experience', true],
  ['flowError', 'customNode', false],
  ['virtualButton', 'experience', true],
  ['virtualButton', 'customNode', true],
  ['webhook', 'experience', false],
  ['deviceId', 'experience', false],
  ['mqttTopic', 'experience', false],
  ['customNodeStart', 'cloud', false],
  ['customNodeStart', 'experience', false],
])('the trigger %s in %s flows: %s', (type, flowClass, allowed) => {
  const problems = problemsOf({ triggers: [{ type, key: 'k', config: {}, outputIds: [[]] }], nodes: [] }, flowClass)
  expect(problems.some(({ code, pointer }) => code === 'document.class' && pointer === '/triggers/0/type')).toBe(
    !allowed,
  )
})

test.each([
  'createEventNode',
  'EventCreateNode',
  'CreateEventNode',
  'EventGetNode',
  'GetEventNode',
  'UpdateEventNode',
  'EventUpdateNode',
  'DeleteEventNode',
])('the name %s is known, or not, as published', (type) => {
  const unknown = problemsOf(flowOf([{ id: 'a', type }])).some(({ code }) => code === 'node.unknown')
  expect(unknown).toBe(type === 'createEventNode')
})

test('what meta says of a node is for its editor: only its type counts', () => {
  const meta = { category: 'output', name: 'httpRequest', id: 'x', mode: 'y', uiId: 'z' }
  const { plan, problems } = compiled(flowOf([{ id: 'a', type: 'DebugNode', meta }]))
  expect(problems).toEqual([])
  expect(plan.nodes[0]?.definition?.type).toBe('debug')
})

test('wires into a loop, out of it, and between two loops are refused; within a nested one they are right', () => {
  const config = { loopSourcePath: 'a', currentItemPath: 'b' }
  const inside = (id: string, groupId: string, next: string[] = []) => ({ ...debug(id, [next]), meta: { groupId } })
  const outer = { id: 'outer', type: 'LoopNode', config, outputIds: [[], ['inner']] }
  const inner = { id: 'inner', type: 'LoopNode', config, meta: { groupId: 'outer' }, outputIds: [['after'], ['deep']] }
  const right = [outer, inner, inside('after', 'outer'), inside('deep', 'inner')]
  expect(problemsOf(flowOf(right))).toEqual([])
  const wrong = [
    outer,
    inner,
    inside('after', 'outer', ['deep']),
    inside('deep', 'inner', ['after']),
    debug('out', [['after']]),
  ]
  expect(problemsOf(flowOf(wrong)).map(({ code, node }) => [code, node])).toEqual([
    ['document.wire', 'after'],
    ['document.wire', 'deep'],
    ['document.wire', 'out'],
  ])
})

test('an annotation may stand in a loop, and says nothing to it', () => {
  const config = { loopSourcePath: 'a', currentItemPath: 'b' }
  const note = {
    id: 'n',
    type: 'AnnotationNode',
    meta: { groupId: 'loop', annotationText: '# x', width: 260, height: 220 },
  }
  expect(problemsOf(flowOf([{ id: 'loop', type: 'LoopNode', config, outputIds: [[], []] }, note]))).toEqual([])
})
