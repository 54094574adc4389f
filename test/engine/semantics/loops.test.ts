import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { flowOf, problemsOf, runFlow, type TestNode } from '../../helpers/flow.ts'

const services = { debug: { write: () => undefined } }

const set = (destination: string, valueTemplate: string, valueTemplateType = 'string') => ({
  ...{ type: 'set', destination, valueTemplate, valueTemplateType },
})
const mutate = (id: string, rules: unknown[], next: string[], groupId = 'loop') => ({
  ...{ id, type: 'MutateNode', config: { rules }, meta: { groupId }, outputIds: [next] },
})
const cap = (config: Payload = {}, { id = 'cap', groupId = 'loop' } = {}) => ({
  ...{ id, type: 'LoopCapNode', config: { loopNodeId: groupId, ...config }, meta: { groupId } },
})
const check = (id: string, expression: string, outputIds: string[][], groupId = 'loop') => ({
  ...{ id, type: 'ConditionalNode', config: { expression }, meta: { groupId }, outputIds },
})
const loopOf = (config: Payload, body: TestNode[], { id = 'loop', first = body[0]?.id, meta = {} } = {}): TestNode => ({
  ...{ id, type: 'LoopNode', meta },
  config: { loopSourcePath: 'data', currentItemPath: 'working.current', ...config },
  outputIds: [[], first === undefined ? [] : [first]],
})

function runLoop(config: Payload, body: TestNode[], payload: Payload) {
  return runFlow(flowOf([loopOf(config, body), ...body]), { payload, services })
}

/** The same body with and without a way that ends before the cap: what a run does must not depend on that. */
const bodies: [string, (steps: unknown[], end: TestNode) => TestNode[]][] = [
  ['that always reaches its cap', (steps, end) => [mutate('m', steps, ['cap']), end]],
  [
    'that may miss its cap',
    (steps, end) => [mutate('m', steps, ['if']), check('if', '{{working.miss}}', [['cap'], []]), end],
  ],
]

test.each(bodies)('a body %s may write into its item; the collection stays as it was', async (_, bodyOf) => {
  const body = bodyOf([set('working.current.value.seen', '1')], cap({ mapValuePath: 'working.current.value' }))
  const { payload } = await runLoop({ mapResultPath: 'out' }, body, { data: [{ n: 1 }, { n: 2 }] })
  expect(payload.data).toEqual([{ n: 1 }, { n: 2 }])
  expect(payload.out).toEqual([
    { n: 1, seen: '1' },
    { n: 2, seen: '1' },
  ])
})

test.each(bodies)('a body %s walks the collection as it was at the start', async (_, bodyOf) => {
  const steps = [set('data.[1].n', '99', 'json'), set('data.[2]', '{"n":3}', 'json')]
  const body = bodyOf(steps, cap({ mapValuePath: 'working.current.value.n' }))
  const { payload } = await runLoop({ mapResultPath: 'out' }, body, { data: [{ n: 1 }, { n: 2 }] })
  expect(payload).toMatchObject({ out: [1, 2], data: [{ n: 1 }, { n: 99 }, { n: 3 }] })
})

test.each(bodies)('each entry of the list that a body %s maps is the value of its own turn', async (_, bodyOf) => {
  const body = bodyOf([set('sum.n', '{{add sum.n working.current.value}}')], cap({ mapValuePath: 'sum' }))
  const { payload } = await runLoop({ mapResultPath: 'out' }, body, { data: [1, 2, 3], sum: { n: 0 } })
  expect(payload).toMatchObject({ out: [{ n: 1 }, { n: 3 }, { n: 6 }], sum: { n: 6 } })
  const [last] = (payload.out as Payload[]).slice(-1)
  expect(last).not.toBe(payload.sum)
})

test.each(bodies)('a body %s may map the whole payload', async (_, bodyOf) => {
  const body = bodyOf([], cap({ mapValuePath: '.' }))
  const { status, payload } = await runLoop({ mapResultPath: 'out' }, body, { data: 1 })
  expect(status).toBe('done')
  expect(payload.out).toEqual([{ data: 1, working: { current: { value: 0, index: 0, first: true, last: true } } }])
})

test.each(bodies)('a loop over its own payload, with a body %s, comes to an end', async (_, bodyOf) => {
  const body = bodyOf([], cap({ mapValuePath: 'working.current.key' }))
  const { payload } = await runLoop({ loopSourcePath: '.', mapResultPath: 'out' }, body, { a: 1, working: {} })
  expect(payload.out).toEqual(['a', 'working'])
})

test.each([
  ['a fork', [mutate('m', [set('x', '1')], ['cap', 'other']), mutate('other', [], [])]],
  ['a switch', [{ ...mutate('m', [set('x', '1')], ['s']) }, switchTo('cap', [])]],
  ['an output that leads nowhere', [mutate('m', [set('x', '1')], ['if']), check('if', 'true', [['cap'], []])]],
])('a turn is undone where %s keeps it from its cap', async (kind, start) => {
  const body = [...start, cap()]
  const { payload } = await runLoop({ mapResultPath: 'out' }, body, { data: [1] })
  expect(payload.x).toBe(kind === 'a fork' ? '1' : undefined)
  expect(payload.out).toEqual(kind === 'a fork' ? [expect.objectContaining({ value: 1 })] : [undefined])
})

function switchTo(first: string, second: string[]): TestNode {
  const config = { switchTemplate: 'b', cases: [{ caseTemplate: 'a' }, { caseTemplate: 'b' }] }
  return { id: 's', type: 'SwitchNode', config, meta: { groupId: 'loop' }, outputIds: [[], [first], second] }
}

test('a switch whose every case reaches the cap commits', async () => {
  const body = [
    mutate('m', [set('x', '1')], ['s']),
    { ...switchTo('cap', ['cap']), outputIds: [['cap'], ['cap'], ['cap']] },
    cap(),
  ]
  expect((await runLoop({}, body, { data: [1] })).payload.x).toBe('1')
})

test('a cap that names another loop ends nothing of this one', async () => {
  const inner = [
    mutate('m', [set('inner', '1')], ['c1'], 'inner'),
    cap({ loopNodeId: 'loop' }, { id: 'c1', groupId: 'inner' }),
  ]
  const nested = loopOf({ loopSourcePath: 'rows', currentItemPath: 'row', mapResultPath: 'out' }, inner, {
    ...{ id: 'inner', meta: { groupId: 'loop' } },
  })
  const body = [
    { ...nested, outputIds: [['after'], ['m']] },
    ...inner,
    mutate('after', [set('after', '1')], ['cap']),
    cap(),
  ]
  const { payload } = await runLoop({}, body, { data: [1], rows: [1, 2] })
  // The cap inside ended the outer turn: what came after it, in either loop, is undone.
  expect(payload).toMatchObject({ inner: '1', row: { value: 1 } })
  expect(payload).not.toHaveProperty('after')
  expect(payload).not.toHaveProperty('out')
})

test('a cap outside of every loop does nothing', async () => {
  const flow = flowOf([{ id: 'c', type: 'LoopCapNode', config: { loopNodeId: 'none' } }])
  expect(await runFlow(flow, { payload: { a: 1 } })).toMatchObject({ status: 'done', payload: { a: 1 } })
})

test('a cap that is not in the loop it names is pointed out', () => {
  const problems = problemsOf(flowOf([{ id: 'c', type: 'LoopCapNode', config: { loopNodeId: 'none' } }]))
  expect(problems).toMatchObject([{ code: 'document.wire', severity: 'warning', node: 'c' }])
})

test('a loop without a body does not turn', async () => {
  const { payload, visitCount } = await runLoop({ mapResultPath: 'out' }, [], { data: [1, 2, 3] })
  expect({ payload, visitCount }).toEqual({ payload: { data: [1, 2, 3], out: [] }, visitCount: 1 })
})

test('a loop without a cap changes nothing', async () => {
  const body = [mutate('m', [set('x', '1')], [])]
  const { payload } = await runLoop({ mapResultPath: 'out' }, body, { data: [1, 2] })
  expect(payload).toEqual({ data: [1, 2], out: [undefined, undefined] })
})

test.each([[], 0, '', {}, null])('a loop over %j maps to an empty list', async (data) => {
  const { payload } = await runLoop({ mapResultPath: 'out' }, [cap()], { data })
  expect(payload.out).toEqual([])
})

test('the mapped list may take the place of the collection', async () => {
  const body = [cap({ mapValuePath: 'working.current.index' })]
  const { payload } = await runLoop({ mapResultPath: 'data' }, body, { data: ['a', 'b'] })
  expect(payload.data).toEqual([0, 1])
})

test('the loop names the place of the value where its cap names none', async () => {
  const loop = { mapResultPath: 'out', mapValuePath: 'working.current.index' }
  expect((await runLoop(loop, [cap()], { data: ['a', 'b'] })).payload.out).toEqual([0, 1])
})

test.each([true, false])('a loop (parallel: %s) over all items that it may have comes to its end', async (parallel) => {
  const outcome = await runLoop({ parallel }, [cap()], { data: 262_144 })
  expect(outcome).toMatchObject({ status: 'done', visitCount: 262_145 })
})

test('a mapped list that grows beyond a payload is refused while it grows', async () => {
  const body = [cap({ mapValuePath: 'big' })]
  const { error } = await runLoop({ mapResultPath: 'out' }, body, { data: 200_000, big: 'x'.repeat(1_000_000) })
  expect(error).toMatchObject({ code: 'limit.payload', node: { id: 'loop' } })
})

test('a text of millions of characters is refused before it is taken apart', async () => {
  const { error } = await runLoop({}, [cap()], { data: 'x'.repeat(4_000_000) })
  expect(error).toMatchObject({ code: 'loop.too-long' })
})

test('a body of thousands of nodes compiles and runs', async () => {
  const chain = Array.from({ length: 4_990 }, (_, index) =>
    mutate(`n${index}`, [], [index < 4_989 ? `n${index + 1}` : 'cap']),
  )
  const { status, visitCount } = await runLoop({}, [...chain, cap()], { data: 2 })
  expect({ status, visitCount }).toEqual({ status: 'done', visitCount: 2 * 4_991 + 1 })
})

const failing = (value: number) => [
  check('if', `{{working.current.value}} === ${value}`, [['cap'], ['bad']]),
  {
    id: 'bad',
    type: 'ThrowErrorNode',
    config: { messageTemplate: 'at {{working.current.value}}' },
    meta: { groupId: 'loop' },
  },
  cap(),
]

test.each([true, false])(
  'a failure in a body (parallel: %s) names its node and has the payload of its turn',
  async (parallel) => {
    const { error, payload } = await runLoop({ parallel }, failing(2), { data: [1, 2, 3] })
    expect(error).toMatchObject({ message: 'at 2', node: { id: 'bad', type: 'ThrowErrorNode' } })
    expect(payload.working).toEqual({ current: { value: 2, index: 1 } })
  },
)

test('a failure in a loop inside of a loop names the node inside', async () => {
  const inner = [{ id: 'bad', type: 'ThrowErrorNode', config: { messageTemplate: 'deep' }, meta: { groupId: 'inner' } }]
  const nested = loopOf({ currentItemPath: 'row' }, inner, { id: 'inner', meta: { groupId: 'loop' } })
  const outcome = await runLoop({ parallel: true }, [nested, ...inner], { data: [1, 2] })
  expect(outcome).toMatchObject({ error: { message: 'deep', node: { id: 'bad' } }, payload: { row: { index: 0 } } })
})
