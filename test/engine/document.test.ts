import { expect, test } from 'vitest'
import { flowOf, problemsOf } from '../helpers/flow.ts'

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
