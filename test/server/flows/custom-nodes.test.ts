import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { Outcome } from '../../../engine/run.ts'
import type { RunLimits } from '../../../engine/run-state.ts'
import type { Services } from '../../../nodes/services.ts'
import { callersOf, customNodesOf, storageOwner } from '../../../server/flows/custom-nodes.ts'
import { type DebugMessage, openDebugStream } from '../../../server/flows/debug.ts'
import { flowValues } from '../../../server/flows/flow-values.ts'
import { openRunRecords } from '../../../server/flows/records.ts'
import { openRunner, type RunContext } from '../../../server/flows/runner.ts'
import { openApplication, scope } from '../../helpers/application.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

interface Content {
  triggers?: unknown[]
  nodes: unknown[]
  globals?: unknown[]
  customNodeConfig?: unknown
}

async function open(limits: Partial<RunLimits> = {}) {
  const application = await openApplication()
  const { app, store, plans } = application
  const ended: { flow: string; outcome: Outcome }[] = []
  const messages: DebugMessage[] = []
  const log: Payload[] = []
  const debug = openDebugStream(() => NOW)
  debug.listen((message) => messages.push(message))
  const services = (context: RunContext): Services =>
    ({
      clock: {
        now: () => NOW,
        sleep: (milliseconds: number, signal: AbortSignal) =>
          new Promise((resolve, reject) => {
            const timer = setTimeout(resolve, milliseconds)
            signal.addEventListener('abort', () => {
              clearTimeout(timer)
              reject(signal.reason)
            })
          }),
      },
      values: flowValues(app.values, storageOwner(context)),
      debug: debug.forRun({
        ...{ runId: context.runId, scope, flowId: context.flow.id, flowName: context.flow.name },
        ...{ flowVersion: context.flow.version, callers: callersOf(context) },
      }),
      customNodes: customNodesOf(context, { now: () => NOW, services }),
    }) as unknown as Services
  const runner = openRunner({
    ...{ store, plans, limits, services, now: () => NOW, failReply: () => undefined },
    records: openRunRecords({ delayMs: 60_000, onError: () => undefined }),
    log: pino({ level: 'warn' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    onEnd: ({ flow }, _trigger, outcome) => void ended.push({ flow: flow.name, outcome }),
  })
  return {
    ...{ app, store, runner, plans, ended, messages, log },
    /** Adds a custom node; gives its id. */
    async custom(name: string, content: Content) {
      const { triggers = [start(first(content.nodes))], globals = [], ...rest } = content
      const flow = { ...rest, triggers, globals, nodes: content.nodes }
      return (await app.collection('flows').insert({ name, flowClass: 'customNode', enabled: true, content: flow })).id
    },
    /** Adds a flow with a button and presses it. */
    async press(nodes: unknown[], data: Payload = {}, more: Payload = {}): Promise<Outcome> {
      const trigger = { type: 'virtualButton', key: 'b', outputIds: [[first(nodes)]] }
      const id = await application.addFlow({ name: 'Caller', triggers: [trigger], nodes, ...more })
      return (await runner.fireTrigger(
        scope,
        { flowId: id, triggerKey: 'b' },
        { data, relay: { type: 'user', id: 'u' } },
      ))!
    },
  }
}

const first = (nodes: unknown[]) => (nodes[0] as { id: string }).id
const start = (...next: string[]) => ({ type: 'customNodeStart', key: 'customNodeStart', outputIds: [next] })
const cap = (resultSourcePath = '', branchIndexTemplate: unknown = 0, id = 'cap') => ({
  ...{ id, type: 'CustomNodeCapNode', config: { branchIndexTemplate, resultSourcePath }, outputIds: [] },
})
const execute = (customNodeId: string, more: Payload = {}, outputIds: string[][] = [[], []], id = 'call') => ({
  ...{ id, type: 'CustomNodeExecuteNode', outputIds },
  config: { customNodeId, customNodeVersion: 'default', resultPath: 'working.result', fields: [], ...more },
})
const set = (id: string, rules: [place: string, value: string][], next: string[] = []) => ({
  ...{ id, type: 'MutateNode', outputIds: [next] },
  config: { rules: rules.map(([destination, valueTemplate]) => ({ type: 'set', destination, valueTemplate })) },
})
const fields = (...list: Payload[]) => ({ outputCount: 1, resultMode: 'optional', fields: list })

test('gives its inputs in, and its result back, and nothing else of either', async () => {
  const { custom, press, ended } = await open()
  const id = await custom('Greet', {
    nodes: [set('s', [['working.text', 'Hello {{data.name}}']], ['cap']), cap('.')],
    globals: [{ key: 'own', json: '1' }],
    customNodeConfig: fields({ id: 'name', type: 'stringTemplate' }, { id: 'user', type: 'payloadPath' }),
  })
  const input = [
    { id: 'name', value: '{{data.who}}' },
    { id: 'user', value: 'experience.user' },
    { id: 'unknown', value: 'x' },
  ]
  const outcome = await press(
    [
      set('m', [['experience.user.id', 'u1']], ['call']),
      execute(id, { fields: input }, [['after'], []]),
      set('after', [['done', 'yes']]),
    ],
    { who: 'Ada' },
    { globals: [{ key: 'callers', json: '2' }] },
  )
  expect(outcome.status).toBe('done')
  expect(outcome.payload).toMatchObject({ done: 'yes', data: { who: 'Ada' }, globals: { a: 'app', callers: 2 } })
  const { result, ...working } = outcome.payload.working as Payload
  expect(working).toEqual({})
  expect(result).toEqual({
    ...{ time: new Date(NOW), applicationId: scope.application, applicationName: 'Test', flowVersion: 'develop' },
    ...{ triggerId: 'call', triggerType: 'customNodeStart', flowId: id, flowName: 'Greet' },
    ...{ relayType: 'flow', relayId: ended[0]!.outcome.payload.flowId },
    globals: { a: 'app', own: 1 },
    data: { name: 'Ada', user: { id: 'u1' } },
    working: { text: 'Hello Ada' },
  })
  expect(ended).toHaveLength(1)
})

test('what it does to an input is not seen by its caller', async () => {
  const { custom, press } = await open()
  const id = await custom('Change', {
    nodes: [set('s', [['data.list.[0].x', 'changed']], ['cap']), cap()],
    customNodeConfig: fields({ id: 'list', type: 'payloadPath' }),
  })
  const { payload } = await press([execute(id, { fields: [{ id: 'list', value: 'data.list' }] })], { list: [{ x: 1 }] })
  expect(payload.data).toEqual({ list: [{ x: 1 }] })
  expect(payload.working).toEqual({ result: undefined })
})

test.each([
  ['stringTemplate', '{{data.n}}!', '3!'],
  ['stringTemplate', '', 'initial'],
  ['stringTemplate', undefined, 'initial'],
  ['numberTemplate', '{{data.n}}', 3],
  ['numberTemplate', 4, 4],
  ['select', 'b', 'b'],
  ['checkbox', true, true],
  ['jsonTemplate', '{"n": {{data.n}} }', { n: 3 }],
  ['payloadPath', 'data.deep', { x: [1] }],
  ['payloadPath', 'data.nothing', undefined],
])('an input of type %s given as %j is %j', async (type, value, expected) => {
  const { custom, press } = await open()
  const id = await custom('Echo', {
    nodes: [cap('data')],
    customNodeConfig: fields(
      { id: 'section-0', type: 'section' },
      {
        id: 'in',
        type,
        options: [{ value: 'a' }, { value: 'b' }],
        ...(type === 'stringTemplate' ? { defaultValue: 'initial' } : {}),
      },
    ),
  })
  const given = [{ id: 'section-0', value: '' }, ...(value === undefined ? [] : [{ id: 'in', value }])]
  const { payload } = await press([execute(id, { fields: given })], { n: 3, deep: { x: [1] } })
  expect((payload.working as Payload).result).toStrictEqual({ in: expected })
})

test.each<[Payload, unknown, unknown]>([
  [{ type: 'stringTemplate' }, '', ''],
  [{ type: 'stringTemplate' }, '{{data.nothing}}', ''],
  [{ type: 'stringTemplate' }, '{{data.n}}', '3'],
  [{ type: 'stringTemplate' }, '{{data.markup}}', '<b>'],
  [{ type: 'stringTemplate' }, '{{data.markup}}!', '&lt;b&gt;!'],
  [{ type: 'stringTemplate' }, '{{#if data.n}}yes{{else}}no{{/if}}', 'yes'],
  [{ type: 'stringTemplate', defaultValue: 'n={{data.n}}' }, undefined, 'n=3'],
  [{ type: 'stringTemplate', validRegExp: '^[a-z]+$' }, '', ''],
  [{ type: 'numberTemplate' }, '', undefined],
  [{ type: 'numberTemplate' }, undefined, undefined],
  [{ type: 'numberTemplate', defaultValue: 5 }, '', 5],
  [{ type: 'numberTemplate', defaultValue: '{{data.n}}' }, undefined, 3],
  [{ type: 'numberTemplate' }, '{{data.nothing}}', undefined],
  [{ type: 'numberTemplate', validMin: 1, validMax: 3 }, '{{data.n}}', 3],
  [{ type: 'checkbox' }, undefined, false],
  [{ type: 'checkbox', defaultValue: true }, undefined, true],
  [{ type: 'checkbox', defaultValue: true }, false, false],
  [{ type: 'select', options: [{ value: 'a' }, { value: 'b', label: 'B' }], defaultValue: 'b' }, undefined, 'b'],
  [{ type: 'jsonTemplate' }, '{{data.list}}', [1]],
  [{ type: 'jsonTemplate', defaultValue: '[]' }, '', []],
  [{ type: 'payloadPath' }, '', undefined],
  [{ type: 'payloadPath', defaultValue: 'data.n' }, undefined, 3],
  [{ type: 'payloadPath' }, 'data.list.[0]', 1],
  [{ type: 'payloadPath' }, 'data.at', new Date(NOW)],
])('an input that is %j is, of %j, %j', async (field, value, expected) => {
  const { custom, press } = await open()
  const id = await custom('Echo', {
    nodes: [cap('data.select-0')],
    customNodeConfig: fields({ id: 'select-0', ...field }),
  })
  const given = value === undefined ? [] : [{ id: 'select-0', value }]
  const at = set('at', [['data.at', '{{time}}']], ['call'])
  const { payload, error } = await press([at, execute(id, { fields: given })], { n: 3, list: [1], markup: '<b>' })
  expect(error).toBeUndefined()
  expect((payload.working as Payload).result).toStrictEqual(expected)
})

test.each([
  [{ type: 'stringTemplate', required: true }, '{{data.nothing}}', 'config.empty'],
  [{ type: 'numberTemplate', required: true }, '', 'config.missing'],
  [{ type: 'numberTemplate', required: true }, '{{data.nothing}}', 'config.empty'],
  [{ type: 'numberTemplate', validMin: 1 }, 0, 'config.type'],
  [{ type: 'jsonTemplate', required: true }, '', 'config.missing'],
  [{ type: 'payloadPath', required: true }, '', 'config.missing'],
  [{ type: 'checkbox' }, 'maybe', 'config.type'],
  [{ type: 'stringTemplate', required: true }, '', 'config.missing'],
  [{ type: 'stringTemplate', validRegExp: '^[a-z]+$' }, 'A1', 'config.type'],
  [{ type: 'stringTemplate', validRegExp: '(' }, 'A1', 'config.type'],
  [{ type: 'numberTemplate', validMin: 1, validMax: 5 }, '6', 'config.type'],
  [{ type: 'numberTemplate' }, '{{data.word}}', 'config.type'],
  [{ type: 'jsonTemplate' }, '{', 'template.not-json'],
  [{ type: 'select', options: [{ value: 'a' }] }, 'b', 'config.choice'],
  [{ type: 'payloadPath' }, '{{x}}', 'path.syntax'],
])('refuses for an input %j the value %j', async (field, value, code) => {
  const { custom, press } = await open()
  const id = await custom('Strict', {
    nodes: [cap()],
    customNodeConfig: fields({ id: 'in', label: 'Input', ...field }),
  })
  const { error } = await press([execute(id, { fields: [{ id: 'in', value }] })], { word: 'word' })
  expect(error).toMatchObject({ code, node: { id: 'call' } })
  expect(error?.message).not.toContain('undefined')
})

test('texts of all inputs together are no longer than one may be', async () => {
  const { custom, press } = await open()
  const ids = ['a', 'b', 'c'].map((id) => ({ id, type: 'stringTemplate' }))
  const id = await custom('Long', { nodes: [cap()], customNodeConfig: fields(...ids) })
  const given = ids.map((one) => ({ id: one.id, value: '{{data.text}}{{data.text}}' }))
  const { error } = await press([execute(id, { fields: given })], { text: 'x'.repeat(1_000_000) })
  expect(error).toMatchObject({ code: 'text.too-long', node: { id: 'call' } })
})

test('a pattern that would take long over a long text refuses it', async () => {
  const { custom, press } = await open()
  const field = { id: 'in', label: 'Input', type: 'stringTemplate', validRegExp: `^${'(x?y?)'.repeat(50)}$` }
  const id = await custom('Slow', { nodes: [cap()], customNodeConfig: fields(field) })
  const { error, milliseconds } = await press([execute(id, { fields: [{ id: 'in', value: '{{data.text}}' }] })], {
    text: 'x'.repeat(1_000_000),
  })
  expect(error?.code).toBe('config.type')
  expect(milliseconds).toBeLessThan(5_000)
})

test('goes on at the output that its end names', async () => {
  const { custom, press } = await open()
  const nodes = [
    { id: 'c', type: 'ConditionalNode', config: { expression: '{{data.in}} == 1' }, outputIds: [['no'], ['yes']] },
    cap('data.in', 0, 'no'),
    cap('data.in', 1, 'yes'),
  ]
  const customNodeConfig = { outputCount: 2, resultMode: 'optional', fields: [{ id: 'in', type: 'numberTemplate' }] }
  const id = await custom('Is one', { nodes, customNodeConfig })
  const way = (n: number) =>
    press([
      execute(id, { fields: [{ id: 'in', value: n }] }, [['first'], ['second']]),
      set('first', [['way', 'first']]),
      set('second', [['way', 'second']]),
    ])
  expect((await way(0)).payload).toMatchObject({ way: 'first', working: { result: 0 } })
  expect((await way(1)).payload).toMatchObject({ way: 'second', working: { result: 1 } })
})

test.each([2, -1, 0.5, 'x'])('an end at the output %j fails the run of its caller', async (output) => {
  const { custom, press } = await open()
  const id = await custom('Odd', { nodes: [cap('', output)] })
  const { status, error } = await press([execute(id)])
  expect({ status, node: error?.node?.id }).toEqual({ status: 'failed', node: 'call' })
})

test('a result that is not asked for is dropped, and changes nothing', async () => {
  const { custom, press } = await open()
  const id = await custom('Give', { nodes: [cap('data')] })
  const { payload, status } = await press([execute(id, { resultPath: '' })], { a: 1 })
  expect({ status, data: payload.data }).toEqual({ status: 'done', data: { a: 1 } })
  expect(payload).not.toHaveProperty('working')
})

test('without an end its caller goes no further, and a warning says so', async () => {
  const { custom, press, messages } = await open()
  const id = await custom('Endless', { nodes: [set('s', [['x', '1']])] })
  const outcome = await press([execute(id, {}, [['after'], ['after']]), set('after', [['after', '1']])])
  expect(outcome.status).toBe('done')
  expect(outcome.payload).not.toHaveProperty('after')
  expect(outcome.payload).not.toHaveProperty('working')
  expect(messages).toMatchObject([{ level: 'warn', nodeId: 'call', flowName: 'Caller' }])
})

test('the first end counts at once, and what is left behind goes no further', async () => {
  const { custom, press, messages } = await open()
  const nodes = [
    { id: 'slow', type: 'DelayNode', config: { delay: '0.02' }, outputIds: [['late']] },
    { id: 'late', type: 'DebugNode', config: { message: 'late' }, outputIds: [['end2']] },
    set('quick', [['x', 'quick']], ['cap']),
    cap('x'),
    cap('time', 1, 'end2'),
  ]
  const id = await custom('Fork', { nodes, triggers: [start('slow', 'quick')] })
  const after = [
    { id: 'wait', type: 'DelayNode', config: { delay: '0.06' }, outputIds: [['end']] },
    set('end', [['end', '1']]),
  ]
  const outcome = await press([execute(id, {}, [['wait'], []]), ...after])
  expect(outcome.payload).toMatchObject({ end: '1', working: { result: 'quick' } })
  expect(messages).toEqual([])
})

test('what custom nodes have left behind counts among the branches of the run', async () => {
  const { custom, press } = await open({ branches: 10 })
  const slow = { id: 'slow', type: 'DelayNode', config: { delay: '30' }, outputIds: [[]] }
  const id = await custom('Leaves', { nodes: [slow, cap()], triggers: [start('slow', 'cap')] })
  const loop = {
    ...{ id: 'loop', type: 'LoopNode', outputIds: [[], ['call']] },
    config: { loopSourcePath: 'data.times', currentItemPath: 'item' },
  }
  const turn = { ...execute(id, {}, [['next'], []]), meta: { groupId: 'loop' } }
  const next = { id: 'next', type: 'LoopCapNode', config: { loopNodeId: 'loop' }, meta: { groupId: 'loop' } }
  expect((await press([loop, turn, next], { times: 9 })).status).toBe('done')
  expect((await press([loop, turn, next], { times: 10 })).error).toMatchObject({ code: 'limit.branches' })
})

test('a failure inside is one of the node that called, with the way to where it was', async () => {
  const { custom, press, ended, log } = await open()
  const bad = { id: 'bad', type: 'ThrowErrorNode', config: { messageTemplate: 'No luck' } }
  const innermost = await custom('Inner', { nodes: [bad] })
  const outer = await custom('Outer', { nodes: [execute(innermost, {}, [[], []], 'inner-call')] })
  const heard = {
    triggers: [
      { type: 'virtualButton', key: 'b', outputIds: [['call']] },
      { type: 'flowError', key: 'e', config: { scope: 'local' }, outputIds: [[]] },
    ],
  }
  const outcome = await press([execute(outer)], { mine: 1 }, heard)
  expect(outcome).toMatchObject({ status: 'failed', payload: { data: { mine: 1 }, flowName: 'Caller' } })
  expect(outcome.error).toMatchObject({
    ...{ code: 'error.thrown', message: 'No luck', node: { id: 'call', type: 'CustomNodeExecuteNode' } },
    inside: [
      { flow: outer, node: { id: 'inner-call', type: 'CustomNodeExecuteNode' } },
      { flow: innermost, node: { id: 'bad', type: 'ThrowErrorNode' } },
    ],
  })
  expect(log).toMatchObject([
    { node: { id: 'call' }, inside: [{ flow: outer }, { flow: innermost, node: { id: 'bad' } }] },
  ])
  expect(ended.at(-1)?.outcome.payload.data).toMatchObject({
    errorInfo: {
      ...{ nodeId: 'call', nodeType: 'CustomNodeExecuteNode' },
      customNode: {
        flowId: outer,
        nodeId: 'inner-call',
        customNode: { flowId: innermost, nodeId: 'bad', nodeType: 'ThrowErrorNode' },
      },
    },
    erroredPayload: { data: { mine: 1 } },
  })
  expect(outcome.visits.map(({ node, inside }) => [node, inside])).toEqual([
    ['call', undefined],
    ['inner-call', ['call']],
    ['bad', ['call', 'inner-call']],
  ])
})

test('names a custom node, or a version, that does not exist', async () => {
  const { custom, press, app, store } = await open()
  const id = await custom('Known', { nodes: [cap()] })
  await app
    .collection('flowVersions')
    .insert({ flowId: id, version: 'v1', enabled: true, content: { triggers: [], nodes: [], globals: [] } })
  const unknown = await press([execute('f'.repeat(24))])
  expect(unknown.error).toMatchObject({ code: 'custom-node.missing', node: { id: 'call' } })
  const version = await press([execute(id, { customNodeVersion: 'v9' })])
  expect(version.error).toMatchObject({ code: 'custom-node.missing', message: expect.stringContaining('"v9"') })
  expect((await press([execute(id, { customNodeVersion: 'v1' })])).error?.message).toContain('a start')
  const cloud = await press([execute(unknown.payload.flowId as string)])
  expect(cloud.error?.code).toBe('custom-node.missing')
  const content = { triggers: [start('cap')], nodes: [cap()], globals: [] }
  const theirs = await store
    .app({ tenant: 't2', application: 'b'.repeat(24) })
    .collection('flows')
    .insert({ name: 'Theirs', flowClass: 'customNode', enabled: true, content })
  const foreign = await press([execute(theirs.id)])
  expect(foreign.error?.message.replace(theirs.id, 'f'.repeat(24))).toBe(unknown.error?.message)
})

test('runs the version that is named, and sees a change with the next run', async () => {
  const { custom, press, app } = await open()
  const say = (text: string) => ({
    triggers: [start('s')],
    nodes: [set('s', [['x', text]], ['cap']), cap('x')],
    globals: [],
  })
  const id = await custom('Say', say('develop'))
  const version = { flowId: id, version: 'v1.0.0', enabled: false, content: say('one') }
  const snapshot = await app.collection('flowVersions').insert(version)
  const said = async (customNodeVersion: string) =>
    ((await press([execute(id, { customNodeVersion })])).payload.working as Payload).result
  expect(await said('default')).toBe('develop')
  expect(await said('develop')).toBe('develop')
  expect(await said('v1.0.0')).toBe('one')
  await app.collection('flows').update(id, { defaultVersionId: snapshot.id, content: say('changed'), enabled: false })
  expect(await said('default')).toBe('one')
  expect(await said('')).toBe('one')
  expect(await said('develop')).toBe('changed')
})

test('is compiled once for each version, when it is first called', async () => {
  const { custom, plans, app } = await open()
  const id = await custom('Once', { nodes: [cap()] })
  const before = (await plans.of(app)).version(id, 'develop')?.plan
  await custom('Other', { nodes: [cap()] })
  expect((await plans.of(app)).version(id, 'develop')?.plan).toBe(before)
  expect((await plans.of(app)).version(id, 'default')?.plan).toBe(before)
})

test('refuses to call itself, directly or through another', async () => {
  const { custom, press, app } = await open()
  const self = await custom('Self', { nodes: [], triggers: [start()] })
  const other = await custom('Other', { nodes: [execute(self), cap()] })
  const calling = (id: string) => ({ triggers: [start('call')], nodes: [execute(id), cap()], globals: [] })
  await app.collection('flows').update(self, { content: calling(self) })
  expect((await press([execute(self)])).error).toMatchObject({
    code: 'custom-node.recursion',
    inside: [{ flow: self }],
  })
  await app.collection('flows').update(self, { content: calling(other) })
  expect((await press([execute(self)])).error).toMatchObject({ code: 'custom-node.recursion' })
})

test('a thousand of them inside one another end at the twentieth', async () => {
  const { custom, press } = await open()
  let id = await custom('Innermost', { nodes: [cap()] })
  for (let level = 0; level < 1_000; level++)
    id = await custom(`Level ${level}`, { nodes: [execute(id, {}, [['cap'], []]), cap()] })
  const { error } = await press([execute(id)])
  expect(error).toMatchObject({ code: 'limit.depth', message: expect.stringContaining('20') })
  expect(error?.inside).toHaveLength(20)
})

test('one that goes in a circle stops with the visits of its caller, also when others call it again and again', async () => {
  const { custom, press } = await open({ visits: 1_000 })
  const circle = await custom('Circle', {
    triggers: [start('a')],
    nodes: [set('a', [['x', '1']], ['b']), set('b', [['x', '1']], ['a'])],
  })
  const { error } = await press([execute(circle)])
  expect(error).toMatchObject({ code: 'limit.visits', node: { id: 'call' }, inside: [{ flow: circle }] })
  const short = await custom('Short', { nodes: [set('s', [['x', '1']], ['cap']), cap()] })
  const again = await press([execute(short, {}, [['call2'], []]), execute(short, {}, [['call'], []], 'call2')])
  expect(again.error?.code).toBe('limit.visits')
  expect(again.visitCount).toBeLessThanOrEqual(1_001)
})

test('one that waits for ever stops with the time of its caller, and is named', async () => {
  const { custom, press } = await open({ milliseconds: 60 })
  const nodes = [{ id: 'd', type: 'DelayNode', config: { delay: '30' }, outputIds: [['cap']] }, cap()]
  const inner = await custom('Slow', { nodes })
  const outer = await custom('Outer', { nodes: [execute(inner, {}, [['cap'], []]), cap()] })
  const { error } = await press([execute(outer)])
  expect(error).toMatchObject({ code: 'limit.time', node: { id: 'call' } })
  expect(error?.inside?.map(({ node }) => node.id)).toEqual(['call', 'd'])
})

test('payloads inside one another count as one', async () => {
  const { custom, press } = await open({ payloadBytes: 100_000 })
  const keep = [{ id: 'in', value: 'data.text' }]
  const config = fields({ id: 'in', type: 'payloadPath' })
  const inner = await custom('Inner', { nodes: [set('s', [['x', '1']], ['cap']), cap()], customNodeConfig: config })
  const outer = await custom('Outer', {
    nodes: [set('s', [['data.text', '{{data.in}}']], ['call']), execute(inner, { fields: keep }, [['cap'], []]), cap()],
    customNodeConfig: config,
  })
  const small = await press([execute(outer, { fields: keep })], { text: 'x'.repeat(10_000) })
  expect(small.error).toBeUndefined()
  const large = await press([execute(outer, { fields: keep })], { text: 'x'.repeat(40_000) })
  expect(large.error).toMatchObject({ code: 'limit.payload', node: { id: 'call' } })
})

test('storage belongs to one place: it is shared by its runs, and by no other place or flow', async () => {
  const { custom, press, app, runner, ended } = await open()
  const count = { id: 'n', type: 'StoreValueNode', outputIds: [['cap']] }
  const counting = { ...count, config: { keyName: 'n', valueType: 'incr', value: '1', resultPath: 'x' } }
  const inner = await custom('Count', { nodes: [counting, cap('x')] })
  const outer = await custom('Outer', { nodes: [execute(inner, {}, [['cap'], []], 'inner'), cap('working.result')] })
  const nodes = [
    execute(inner, { resultPath: 'one' }, [['two'], []], 'one'),
    execute(inner, { resultPath: 'two' }, [['three'], []], 'two'),
    execute(outer, { resultPath: 'three' }, [['own'], []], 'three'),
    { ...counting, id: 'own', config: { ...counting.config, resultPath: 'own' }, outputIds: [[]] },
  ]
  const outcome = await press(nodes)
  expect(outcome.payload).toMatchObject({ one: 1, two: 1, three: 1, own: 1 })
  const again = { flowId: outcome.payload.flowId as string, triggerKey: 'b' }
  await app.collection('flows').update(again.flowId, { description: 'another revision' })
  await runner.fireTrigger(scope, again, { data: {}, relay: { type: 'user', id: 'u' } })
  expect(ended.at(-1)?.outcome.payload).toMatchObject({ one: 2, two: 2, three: 2, own: 2 })
  expect((await press(nodes)).payload).toMatchObject({ one: 1, two: 1, three: 1, own: 1 })
})

test('debug messages inside belong to the custom node, and tell who called it', async () => {
  const { custom, press, messages } = await open()
  const say = { id: 'say', type: 'DebugNode', config: { message: 'inside' }, outputIds: [['cap']] }
  const id = await custom('Talk', { nodes: [say, cap()] })
  const { payload } = await press([execute(id)])
  expect(messages).toMatchObject([
    {
      message: 'inside',
      nodeId: 'say',
      flowId: id,
      flowName: 'Talk',
      callers: [{ flowId: payload.flowId, nodeId: 'call' }],
      path: [],
    },
  ])
})

test('its own button runs it as a flow, and an end is then just an end', async () => {
  const { custom, runner, ended } = await open()
  const button = { type: 'virtualButton', key: 'b', meta: { payload: '{"in": 1}' }, outputIds: [['cap']] }
  const id = await custom('Alone', { nodes: [cap('data')], triggers: [start('cap'), button] })
  await runner.fireTrigger(
    scope,
    { flowId: id, triggerKey: 'b' },
    { data: { in: 1 }, relay: { type: 'user', id: 'u' } },
  )
  expect(ended).toMatchObject([{ flow: 'Alone', outcome: { status: 'done', payload: { data: { in: 1 } } } }])
})

test('ends no turn of a loop of its caller, though their ids are the same', async () => {
  const { custom, press } = await open()
  const theirs = {
    id: 'next',
    type: 'LoopCapNode',
    config: { loopNodeId: 'loop', mapValuePath: 'data' },
    outputIds: [],
  }
  const id = await custom('Copied', { nodes: [theirs, cap('data')], triggers: [start('next', 'cap')] })
  const loop = {
    ...{ id: 'loop', type: 'LoopNode', outputIds: [[], ['call']] },
    config: { loopSourcePath: 'data.list', currentItemPath: 'item', mapResultPath: 'mapped' },
  }
  const turn = { ...execute(id, {}, [['next'], []]), meta: { groupId: 'loop' } }
  const own = { loopNodeId: 'loop', mapValuePath: 'item.value' }
  const { payload } = await press([loop, turn, { ...theirs, config: own, meta: { groupId: 'loop' } }], { list: [1, 2] })
  expect(payload).toMatchObject({ mapped: [1, 2], flowName: 'Caller' })
})

test('works in a loop, serial and parallel, each turn with a call of its own', async () => {
  const { custom, press } = await open()
  const id = await custom('Double', {
    nodes: [
      {
        id: 'm',
        type: 'MathNode',
        outputIds: [['cap']],
        config: { statements: [{ expression: '{{data.n}} * 2', resultPath: 'x' }] },
      },
      cap('x'),
    ],
    customNodeConfig: fields({ id: 'n', type: 'numberTemplate' }),
  })
  const loop = (parallel: boolean) => [
    {
      id: 'loop',
      type: 'LoopNode',
      config: { loopSourcePath: 'data.list', currentItemPath: 'working.item', mapResultPath: 'mapped', parallel },
      outputIds: [[], ['call']],
    },
    {
      ...execute(id, { fields: [{ id: 'n', value: '{{working.item.value}}' }] }, [['next'], []]),
      meta: { groupId: 'loop' },
    },
    {
      id: 'next',
      type: 'LoopCapNode',
      config: { loopNodeId: 'loop', mapValuePath: 'working.result' },
      meta: { groupId: 'loop' },
    },
  ]
  for (const parallel of [false, true]) {
    expect((await press(loop(parallel), { list: [1, 2, 3] })).payload.mapped).toEqual([2, 4, 6])
  }
})
