import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { FlowError } from '../../../engine/errors.ts'
import { path, text, value } from '../../../engine/fields.ts'
import { nodeDefiner } from '../../../engine/node.ts'
import type { Payload } from '../../../engine/payload.ts'
import { flowOf, runFlow, type TestNode } from '../../helpers/flow.ts'

interface Gates {
  gates: Map<string, PromiseWithResolvers<void>>
  log: string[]
}

const define = nodeDefiner<Gates>()
const common = { aliases: [], group: 'logic', title: '', summary: '', examples: [], outputs: ['next'] } as const

/** Waits at a gate that the test opens, whatever the run does meanwhile. */
const gate = define({
  ...common,
  type: 'gate',
  needs: ['gates', 'log'],
  config: { name: text({ key: 'name' }) },
  async run({ config, use }) {
    const opened = Promise.withResolvers<void>()
    use.gates.set(config.name, opened)
    use.log.push(`at ${config.name}`)
    await opened.promise
    use.log.push(`past ${config.name}`)
  },
})

const put = define({
  ...common,
  type: 'put',
  needs: ['log'],
  config: { place: path({ key: 'place' }), value: value({ key: 'value' }) },
  run({ config, use }) {
    config.place.write(config.value)
    use.log.push(`put ${config.place.text}`)
  },
})

const bad = define({
  ...common,
  type: 'bad',
  needs: [],
  config: {},
  run() {
    throw new FlowError('config.type', 'Bad weather')
  },
})

const unhandled: unknown[] = []
const note = (reason: unknown) => void unhandled.push(reason)
process.on('unhandledRejection', note)
afterEach(() => {
  expect(unhandled.splice(0)).toEqual([])
})

function start(nodes: TestNode[], options: Parameters<typeof runFlow>[1] = {}) {
  const gates: Gates['gates'] = new Map()
  const log: string[] = []
  const outcome = runFlow(flowOf(nodes), { nodes: [gate, put, bad], services: { gates, log }, ...options })
  return { gates, log, outcome }
}

const at = (id: string, next: string[] = [], meta: Payload = {}): TestNode => ({
  ...{ id, type: 'gate', config: { name: id }, outputIds: [next], meta },
})
const putAt = (id: string, place: string, next: string[] = []): TestNode => ({
  ...{ id, type: 'put', config: { place, value: '1' }, outputIds: [next] },
})
const fork = (...next: string[]): TestNode => putAt('fork', 'forked', next)
const failing: TestNode = { id: 'bad', type: 'bad' }

test('a node that fails after the run has ended harms nobody', async () => {
  const { gates, log, outcome } = start([fork('slow', 'bad'), at('slow', ['after']), putAt('after', 'x'), failing])
  expect(await outcome).toMatchObject({ status: 'failed', error: { message: 'Bad weather', node: { id: 'bad' } } })
  gates.get('slow')!.reject(new Error('too late'))
  await sleep(5)
  expect(log).toEqual(['put forked', 'at slow'])
})

test('a node that answers after the run has ended leads nowhere', async () => {
  const { gates, log, outcome } = start([fork('slow', 'bad'), at('slow', ['after']), putAt('after', 'x'), failing])
  const { payload } = await outcome
  gates.get('slow')!.resolve()
  await sleep(5)
  expect(log).toEqual(['put forked', 'at slow', 'past slow'])
  expect(payload).toEqual({ forked: '1' })
})

test('branches inside of a loop that fail after the run has ended harm nobody', async () => {
  const loop: TestNode = {
    ...{ id: 'loop', type: 'LoopNode', outputIds: [[], ['in']] },
    config: { loopSourcePath: 'list', currentItemPath: 'item', parallel: true },
  }
  const { gates, outcome } = start([fork('loop', 'bad'), loop, at('in', [], { groupId: 'loop' }), failing], {
    payload: { list: [1, 2, 3] },
  })
  expect(await outcome).toMatchObject({ error: { node: { id: 'bad' } } })
  gates.get('in')!.reject(new Error('too late'))
  await sleep(5)
})

test('several branches may fail at one time; the first is named', async () => {
  const nodes = [fork('b1', 'b2'), { ...failing, id: 'b1' }, { ...failing, id: 'b2' }]
  expect(await start(nodes).outcome).toMatchObject({ error: { node: { id: 'b1' } } })
})

test('a run that takes too long names the node that did not answer, with its payload', async () => {
  const { gates, outcome } = start([putAt('p', 'x', ['slow']), at('slow')], { limits: { milliseconds: 20 } })
  expect(await outcome).toMatchObject({
    error: { code: 'limit.time', name: 'TimeoutError', node: { id: 'slow', type: 'gate' } },
    payload: { x: '1' },
  })
  gates.get('slow')!.reject(new Error('too late'))
  await sleep(5)
})

test('in a loop, the node of the body is named', async () => {
  const loop: TestNode = {
    ...{ id: 'loop', type: 'LoopNode', outputIds: [[], ['in']] },
    config: { loopSourcePath: 'list', currentItemPath: 'item' },
  }
  const { outcome } = start([loop, at('in', [], { groupId: 'loop' })], {
    ...{ payload: { list: ['a'] }, limits: { milliseconds: 20 } },
  })
  expect(await outcome).toMatchObject({ error: { node: { id: 'in' } }, payload: { item: { value: 'a' } } })
})

test('a circle is a matter of time, and names one of its nodes', async () => {
  const { outcome } = start([putAt('a', 'x', ['b']), putAt('b', 'y', ['a'])], { limits: { visits: 100 } })
  expect(await outcome).toMatchObject({
    error: { code: 'limit.visits', name: 'TimeoutError', node: { id: 'a' } },
    payload: { x: '1', y: '1' },
  })
})

test('too many branches name the node that forked', async () => {
  const { log, outcome } = start([fork('b1', 'b2', 'b3'), putAt('b1', 'x'), putAt('b2', 'x'), putAt('b3', 'x')], {
    limits: { branches: 2 },
  })
  expect(await outcome).toMatchObject({ error: { code: 'limit.branches', node: { id: 'fork' } } })
  expect(log).toEqual(['put forked'])
})

test('branches count while they live: a loop may fork in each of its turns', async () => {
  const loop: TestNode = {
    ...{ id: 'loop', type: 'LoopNode', outputIds: [[], ['f']] },
    config: { loopSourcePath: 'n', currentItemPath: 'item' },
  }
  const inside = (node: TestNode): TestNode => ({ ...node, meta: { groupId: 'loop' } })
  const nodes = [loop, inside(putAt('f', 'x', ['b1', 'b2'])), inside(putAt('b1', 'y')), inside(putAt('b2', 'y'))]
  const { outcome } = start(nodes, { payload: { n: 50 }, limits: { branches: 3 } })
  expect(await outcome).toMatchObject({ status: 'done', visitCount: 151 })
})

test('a run that starts while the server stops visits nothing', async () => {
  const { log, outcome } = start([putAt('a', 'x')], { signal: AbortSignal.abort() })
  expect(await outcome).toMatchObject({ status: 'failed', error: { code: 'limit.time' } })
  expect(log).toEqual([])
})

test('dates stay dates in every branch, and belong to it alone', async () => {
  const later = define({
    ...{ ...common, type: 'later', needs: [], config: { date: value({ key: 'date' }) } },
    run({ config }) {
      ;(config.date as Date).setTime((config.date as Date).getTime() + 1)
    },
  })
  const seen: unknown[] = []
  const look = define({
    ...{ ...common, type: 'look', needs: [], config: { date: value({ key: 'date' }) } },
    run: ({ config }) => void seen.push(config.date),
  })
  const one = (id: string): TestNode => ({ id, type: 'later', config: { date: '{{time}}' }, outputIds: [['look']] })
  const lookAt: TestNode = { id: 'look', type: 'look', config: { date: '{{time}}' } }
  const gates = new Map()
  await runFlow(flowOf([fork('l1', 'l2', 'look'), one('l1'), one('l2'), lookAt]), {
    ...{ nodes: [put, later, look], services: { gates, log: [] }, payload: { time: new Date(5) } },
  })
  expect(seen.map((date) => (date as Date).getTime()).sort()).toEqual([5, 6, 6])
})

test('runs that keep the thread busy let others have it in turn, one run at a time', async () => {
  const circle = [putAt('a', 'x', ['b']), putAt('b', 'y', ['a'])]
  // What others get in between: a turn of the event loop. Counted are the runs that went on since the one before.
  const turns: number[] = []
  let lengths: number[] = []
  const count = () => {
    const now = runs.map(({ log }) => log.length)
    turns.push(now.filter((length, index) => length > (lengths[index] ?? 0)).length)
    lengths = now
    next = setImmediate(count)
  }
  const limits = { visits: 20_000 }
  const runs = Array.from({ length: 20 }, () => start(circle, { limits }))
  let next = setImmediate(count)
  for (const { outcome } of runs) expect((await outcome).error?.code).toBe('limit.visits')
  clearImmediate(next)
  // The first turn starts all of them; a run that has come to its end leaves the rest of its time to the next ones.
  const between = turns.slice(1).filter((one) => one > 0)
  expect(between.length).toBeGreaterThan(10)
  expect(Math.max(...between)).toBeLessThan(10)
})
