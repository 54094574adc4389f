import { expect, test } from 'vitest'
import { FlowError } from '../../engine/errors.ts'
import { path, text, value } from '../../engine/fields.ts'
import { nodeDefiner } from '../../engine/node.ts'
import { defaultLimits } from '../../engine/run-state.ts'
import { flowOf, runFlow, type TestNode } from '../helpers/flow.ts'

const define = nodeDefiner<{ log: string[] }>()
const common = { aliases: [], group: 'logic', title: '', summary: '', examples: [] } as const

/** Writes a value and notes its id in the log of the test. */
const put = define({
  ...common,
  type: 'put',
  outputs: ['next'],
  needs: ['log'],
  config: { value: value({ key: 'value' }), place: path({ key: 'place' }), mark: text({ key: 'mark' }) },
  run({ config, use }) {
    use.log.push(config.mark)
    config.place.write(config.value)
  },
})

const fail = define({
  ...common,
  type: 'fail',
  outputs: [],
  needs: [],
  config: { message: text({ key: 'message' }), fault: text({ key: 'fault' }) },
  async run({ config }) {
    if (config.fault) throw new TypeError(config.fault)
    throw new FlowError('config.type', config.message, { name: 'CustomError' })
  },
})

const wait = define({
  ...common,
  type: 'wait',
  outputs: ['next'],
  needs: [],
  config: {},
  run: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
})

const spin = define({ ...common, type: 'spin', outputs: ['next'], needs: [], config: {}, run: () => undefined })

const nodes = [put, fail, wait, spin]
const mark = (id: string, next: string[] = [], more: Partial<TestNode> & { place?: string; value?: unknown } = {}) => ({
  id,
  type: 'put',
  config: { mark: id, place: more.place, value: more.value },
  meta: more.meta,
  outputIds: [next],
})

async function runNodes(flowNodes: TestNode[], options: Parameters<typeof runFlow>[1] = {}) {
  const log: string[] = []
  const outcome = await runFlow(flowOf(flowNodes), { nodes, services: { log }, ...options })
  return { ...outcome, log }
}

test('walks from node to node and keeps a trace', async () => {
  const { status, visits, visitCount, log } = await runNodes([mark('a', ['b']), mark('b')])
  expect({ status, log, visitCount }).toEqual({ status: 'done', log: ['a', 'b'], visitCount: 2 })
  expect(visits).toMatchObject([
    { node: 'a', output: 0 },
    { node: 'b', output: 0 },
  ])
})

test('a trigger that leads nowhere ends at once', async () => {
  expect(await runNodes([])).toMatchObject({ status: 'done', visitCount: 0 })
})

test('branches work on their own copies, and a node where they meet runs once for each', async () => {
  const { log, payload } = await runNodes(
    [
      mark('fork', ['left', 'right']),
      mark('left', ['meet'], { place: 'working.side', value: 'left' }),
      mark('right', ['meet'], { place: 'working.other', value: 'right' }),
      mark('meet'),
    ],
    { payload: { working: {} } },
  )
  expect(log.filter((id) => id !== 'meet')).toEqual(['fork', 'left', 'right'])
  expect(log.filter((id) => id === 'meet')).toHaveLength(2)
  expect(payload).toEqual({ working: { other: 'right' } })
})

test('a failure halts the other branches, at once, and says where it was', async () => {
  const { status, error, payload, log } = await runNodes([
    mark('fork', ['never', 'set']),
    { id: 'never', type: 'wait', outputIds: [['after']] },
    mark('after'),
    mark('set', ['bad'], { place: 'working.x', value: 1 }),
    { id: 'bad', type: 'fail', config: { message: 'Bad weather' }, meta: { label: 'Check' } },
  ])
  expect(status).toBe('failed')
  expect(error).toMatchObject({
    code: 'config.type',
    name: 'CustomError',
    message: 'Bad weather',
    node: { id: 'bad', type: 'fail', label: 'Check' },
  })
  expect(payload).toEqual({ working: { x: 1 } })
  expect(log).toEqual(['fork', 'set'])
})

test('a fault of ours shows nothing of itself, and keeps its cause for the log', async () => {
  const { error } = await runNodes([{ id: 'bad', type: 'fail', config: { fault: 'secret detail' } }])
  expect(error).toMatchObject({ code: 'internal', message: expect.not.stringContaining('secret detail') })
  expect(error?.cause).toBeInstanceOf(TypeError)
})

test('a run that takes too long stops, though its node never answers', async () => {
  const { error } = await runNodes([{ id: 'w', type: 'wait' }], { limits: { milliseconds: 30 } })
  expect(error).toMatchObject({ code: 'limit.time', name: 'TimeoutError' })
})

test('without another word a run has a minute, 50,000 visits and 5 MB', () => {
  expect(defaultLimits).toMatchObject({ milliseconds: 60_000, visits: 50_000, payloadBytes: 5_242_880 })
})

test('a circle of nodes stops at the limit of visits, and lets others have the thread meanwhile', async () => {
  let ticks = 0
  const ticking = setInterval(() => ticks++, 1)
  const circle = [
    { id: 'a', type: 'spin', outputIds: [['b']] },
    { id: 'b', type: 'spin', outputIds: [['a']] },
  ]
  const { error, visits, visitCount } = await runNodes(circle, { limits: { visits: 200_000 } })
  clearInterval(ticking)
  expect(error).toMatchObject({ code: 'limit.visits' })
  expect(visitCount).toBe(200_001)
  expect(visits).toHaveLength(1_000)
  expect(ticks).toBeGreaterThan(0)
})

test('a payload that grows without end is refused', async () => {
  // By so little at a time that it is looked at long before a template has to be refused.
  const more = `{{big}}${'x'.repeat(100)}`
  const { error } = await runNodes(
    [mark('a', ['b'], { place: 'big', value: more }), mark('b', ['a'], { place: 'big', value: more })],
    { payload: { big: '' }, limits: { payloadBytes: 20_000 } },
  )
  expect(error).toMatchObject({ code: 'limit.payload', name: 'PayloadTooLarge' })
})

test('a payload that comes to hold itself is refused', async () => {
  const { error } = await runNodes([mark('a', ['b'], { place: 'working.self', value: '{{working}}' }), mark('b')], {
    payload: { working: {} },
  })
  expect(error).toMatchObject({ code: 'limit.payload' })
})

test('a fork into too many branches is refused', async () => {
  const many = Array.from({ length: 50 }, (_, index) => mark(`b${index}`))
  const fork = mark(
    'fork',
    many.map(({ id }) => id),
  )
  const { error, log } = await runNodes([fork, ...many], { limits: { branches: 40 } })
  expect(error).toMatchObject({ code: 'limit.branches' })
  expect(log).toEqual(['fork'])
})

test('a node of an unknown type fails only the run that reaches it', async () => {
  const flow = [
    { id: 'if', type: 'ConditionalNode', config: { expression: '{{go}}' }, outputIds: [['fine'], ['odd']] },
    mark('fine'),
    { id: 'odd', type: 'MadeUpNode' },
  ]
  expect(await runNodes(flow, { payload: { go: false } })).toMatchObject({ status: 'done', log: ['fine'] })
  expect(await runNodes(flow, { payload: { go: true } })).toMatchObject({
    status: 'failed',
    error: { code: 'node.unknown', node: { id: 'odd' }, message: expect.stringContaining('MadeUpNode') },
  })
})

test('a server that shuts down ends its runs', async () => {
  const stopping = new AbortController()
  const ended = runNodes([{ id: 'w', type: 'wait' }], { signal: stopping.signal })
  stopping.abort()
  expect(await ended).toMatchObject({ status: 'failed', error: { code: 'limit.time' } })
})
