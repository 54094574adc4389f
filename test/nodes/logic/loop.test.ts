import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { flowOf, runFlow, type TestNode } from '../../helpers/flow.ts'

const inLoop = (id = 'loop') => ({ groupId: id })
const set = (destination: string, valueTemplate: string) => ({ type: 'set', valueTemplate, destination })

function loopFlow(options: { loop?: Record<string, unknown>; body: TestNode[]; first?: string; after?: string[] }) {
  const config = { loopSourcePath: 'data', currentItemPath: 'working.current', ...options.loop }
  const first = options.first ?? options.body[0]?.id
  const outputIds = [options.after ?? [], first === undefined ? [] : [first]]
  return flowOf([{ id: 'loop', type: 'LoopNode', config, outputIds }, ...options.body])
}

const mutate = (id: string, rules: unknown[], next: string[], meta: Payload = inLoop()) => ({
  id,
  type: 'MutateNode',
  config: { rules },
  meta,
  outputIds: [next],
})
const cap = (config: Payload = {}, meta: Payload = inLoop()) => ({
  id: 'cap',
  type: 'LoopCapNode',
  config: { loopNodeId: 'loop', ...config },
  meta,
})

const items = (data: unknown) =>
  runFlow(loopFlow({ loop: { mapResultPath: 'out' }, body: [cap()] }), { payload: { data } })

test.each([
  [
    'an array',
    ['a', 'b'],
    [
      { value: 'a', index: 0, first: true },
      { value: 'b', index: 1, last: true },
    ],
  ],
  ['a text', 'x', [{ value: 'x', index: 0, first: true, last: true }]],
  [
    'a number',
    1.2,
    [
      { value: 0, index: 0, first: true },
      { value: 1, index: 1, last: true },
    ],
  ],
  ['a negative number', -1, [{ value: 0, index: 0, first: true, last: true }]],
  [
    'a negative number with a fraction',
    -2.5,
    [
      { value: 0, index: 0, first: true },
      { value: 1, index: 1, last: true },
    ],
  ],
  ['a number below one', -0.5, []],
  ['no number', Number.NaN, []],
  [
    'characters of two units',
    '😀é',
    [
      { value: '😀', index: 0, first: true },
      { value: 'é', index: 1, last: true },
    ],
  ],
  [
    'three keys',
    { a: 1, b: undefined, 2: 'x' },
    [
      { value: 'x', key: '2', index: 0, first: true },
      { value: 1, key: 'a', index: 1 },
      { value: undefined, key: 'b', index: 2, last: true },
    ],
  ],
  ['an object', { k: 5 }, [{ value: 5, key: 'k', index: 0, first: true, last: true }]],
  ['nothing', undefined, []],
  ['null', null, []],
  ['a boolean', true, []],
  ['a date', new Date(), []],
])('loops over %s', async (_, data, out) => {
  expect((await items(data)).payload.out).toEqual(out)
})

test('each turn starts with what the one before committed; the last item stays', async () => {
  const body = [mutate('add', [set('working.sum', '{{add working.sum working.current.value}}')], ['cap']), cap()]
  const { payload } = await runFlow(loopFlow({ body }), { payload: { data: [1, 2, 3], working: { sum: 0 } } })
  expect(payload.working).toEqual({ sum: 6, current: { value: 3, index: 2, last: true } })
})

test('a turn that reaches no cap is undone, and maps to undefined', async () => {
  const body = [
    mutate('add', [set('working.seen', '{{working.current.value}}')], ['if']),
    {
      id: 'if',
      type: 'ConditionalNode',
      config: { expression: '{{working.current.value}} < 2' },
      meta: inLoop(),
      outputIds: [[], ['cap']],
    },
    cap({ mapValuePath: 'working.seen' }),
  ]
  const { payload } = await runFlow(loopFlow({ loop: { mapResultPath: 'out' }, body }), { payload: { data: [1, 2] } })
  expect(payload.out).toEqual([1, undefined])
  expect(payload.working).toMatchObject({ seen: 1 })
})

test('break stops the loop and keeps what its turn did', async () => {
  const body = [mutate('add', [set('seen', '{{working.current.value}}')], ['cap']), cap({ shouldBreak: true })]
  const { payload } = await runFlow(loopFlow({ loop: { mapResultPath: 'out' }, body }), { payload: { data: [7, 8] } })
  expect(payload).toMatchObject({ seen: 7, out: [{ value: 7 }] })
})

test('parallel turns see the payload of the start; only the mapped list comes back, in order', async () => {
  const body = [
    mutate('add', [set('working.sum', '{{add working.sum working.current.value}}')], ['cap']),
    cap({ mapValuePath: 'working.sum', shouldBreak: true }),
  ]
  const loop = { parallel: true, mapResultPath: 'out' }
  const data = Array.from({ length: 12 }, (_, index) => index)
  const { payload } = await runFlow(loopFlow({ loop, body }), { payload: { data, working: { sum: 100 } } })
  expect(payload).toEqual({ data, working: { sum: 100 }, out: data.map((index) => 100 + index) })
})

test.each([
  [false, 1],
  [true, 5],
])('with parallel: %s at most %i turns go on at one time', async (parallel, most) => {
  let going = 0
  let seen = 0
  const clock = {
    sleep: async () => {
      going += 1
      seen = Math.max(seen, going)
      await new Promise((resolve) => setImmediate(resolve))
      going -= 1
    },
  }
  const body = [{ id: 'wait', type: 'DelayNode', config: { delay: 1 }, meta: inLoop(), outputIds: [['cap']] }, cap()]
  const outcome = await runFlow(loopFlow({ loop: { parallel }, body }), { payload: { data: 23 }, services: { clock } })
  expect(outcome).toMatchObject({ status: 'done', visitCount: 47 })
  expect(seen).toBe(most)
})

test.each([false, true])(
  'a turn waits for all of its branches, also after its cap (parallel: %s)',
  async (parallel) => {
    const order: unknown[] = []
    const services = {
      debug: { write: ({ value }: { value: unknown }) => order.push(value) },
      clock: { sleep: () => new Promise((resolve) => setImmediate(resolve)) },
    }
    const body = [
      mutate('fork', [], ['cap', 'wait']),
      { id: 'wait', type: 'DelayNode', config: { delay: 1 }, meta: inLoop(), outputIds: [['note']] },
      { id: 'note', type: 'DebugNode', config: { property: 'working.current.value' }, meta: inLoop(), outputIds: [] },
      cap(),
    ]
    const flow = loopFlow({ loop: { parallel }, body, after: ['end'] }) as { nodes: TestNode[] }
    const end = { id: 'end', type: 'DebugNode', config: { property: 'data' } }
    await runFlow({ ...flow, nodes: [...flow.nodes, end] }, { payload: { data: ['a', 'b'] }, services })
    expect(order).toEqual(['a', 'b', ['a', 'b']])
  },
)

test('a parallel turn without a cap maps to undefined, and leaves no item behind', async () => {
  const body = [mutate('m', [set('x', '1')], [])]
  const loop = { parallel: true, mapResultPath: 'out' }
  const { payload } = await runFlow(loopFlow({ loop, body }), { payload: { data: [1, 2] } })
  expect(payload).toEqual({ data: [1, 2], out: [undefined, undefined] })
})

test('an error in a serial turn stops the loop; in a parallel loop the other turns finish first', async () => {
  const seen: unknown[] = []
  const services = { debug: { write: ({ value }: { value: Payload }) => seen.push(value) } }
  const body = [
    {
      id: 'note',
      type: 'DebugNode',
      config: { property: 'working.current.value' },
      meta: inLoop(),
      outputIds: [['if']],
    },
    {
      id: 'if',
      type: 'ConditionalNode',
      config: { expression: '{{working.current.value}} === 2' },
      meta: inLoop(),
      outputIds: [['cap'], ['throw']],
    },
    { id: 'throw', type: 'ThrowErrorNode', config: { messageTemplate: 'two' }, meta: inLoop() },
    cap(),
  ]
  const serial = await runFlow(loopFlow({ body }), { payload: { data: [1, 2, 3] }, services })
  expect(serial).toMatchObject({ status: 'failed', error: { message: 'two', node: { id: 'throw' } } })
  expect(seen).toEqual([1, 2])
  seen.length = 0
  const parallel = await runFlow(loopFlow({ loop: { parallel: true }, body }), {
    payload: { data: [1, 2, 3] },
    services,
  })
  expect(parallel).toMatchObject({ status: 'failed', error: { message: 'two' } })
  expect(seen).toEqual([1, 2, 3])
})

test('loops nest, and the inner loop ends its own turns', async () => {
  const body = [
    {
      id: 'inner',
      type: 'LoopNode',
      config: {
        loopSourcePath: 'working.current.value',
        currentItemPath: 'working.inner',
        mapResultPath: 'working.row',
      },
      meta: inLoop(),
      outputIds: [['cap'], ['innerCap']],
    },
    {
      id: 'innerCap',
      type: 'LoopCapNode',
      config: { loopNodeId: 'inner', mapValuePath: 'working.inner.value' },
      meta: inLoop('inner'),
    },
    cap({ mapValuePath: 'working.row' }),
  ]
  const data = [[1, 2], [], [3]]
  const { payload } = await runFlow(loopFlow({ loop: { mapResultPath: 'data' }, body }), { payload: { data } })
  expect(payload.data).toEqual(data)
})

test('only the first cap of a turn counts', async () => {
  const body = [
    { id: 'fork', type: 'DebugNode', meta: inLoop(), outputIds: [['one', 'two']] },
    mutate('one', [set('x', 'first')], ['cap']),
    mutate('two', [set('x', 'second')], ['cap']),
    cap({ mapValuePath: 'x' }),
  ]
  const services = { debug: { write: () => undefined } }
  const { payload } = await runFlow(loopFlow({ loop: { mapResultPath: 'out' }, body }), {
    payload: { data: 2 },
    services,
  })
  expect(payload).toMatchObject({ x: 'first', out: ['first', 'first'] })
})

test('more items than a loop may have are refused', async () => {
  const outcome = await runFlow(loopFlow({ body: [cap()] }), { payload: { data: 1e9 } })
  expect(outcome.error).toMatchObject({ code: 'loop.too-long' })
})

test('a loop over 20,000 items does not copy the payload for each of them', async () => {
  const filler = Array.from({ length: 20_000 }, (_, index) => ({ index }))
  const outcome = await runFlow(loopFlow({ body: [cap()] }), { payload: { data: filler } })
  expect(outcome).toMatchObject({ status: 'done', visitCount: 20_001 })
})

test('the turns of a parallel loop end with the run', async () => {
  let copies = 0
  const bait = Object.defineProperty({}, 'n', { enumerable: true, get: () => ++copies })
  const flow = loopFlow({ loop: { parallel: true }, body: [cap()] }) as { triggers: Payload[]; nodes: TestNode[] }
  const bad = { id: 'bad', type: 'ThrowErrorNode', config: { messageTemplate: 'stop' } }
  const trigger = { ...flow.triggers[0], outputIds: [['loop', 'bad']] }
  const outcome = await runFlow(
    { triggers: [trigger], nodes: [...flow.nodes, bad] },
    { payload: { data: 100_000, bait } },
  )
  expect(outcome).toMatchObject({ status: 'failed', error: { node: { id: 'bad' } } })
  await new Promise((resolve) => setImmediate(resolve))
  expect(copies).toBeLessThan(40)
})

test.each([false, true])('a long loop lets others have the thread (parallel: %s)', async (parallel) => {
  let others = 0
  let next = setImmediate(function count() {
    others++
    next = setImmediate(count)
  })
  const filler = Array.from({ length: 1_000 }, (_, index) => ({ index }))
  // The body holds no cap: every turn works on a copy.
  const body = [mutate('m', [], [])]
  const outcome = await runFlow(loopFlow({ loop: { parallel }, body }), { payload: { data: 5_000, filler } })
  clearImmediate(next)
  expect(outcome.status).toBe('done')
  expect(others).toBeGreaterThan(5)
})
