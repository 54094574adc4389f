import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openSystems, type Systems } from '../../../server/flows/systems.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { JobContext } from '../../../server/jobs/port.ts'
import type { Happening } from '../../../server/resources/happenings.ts'
import { openResources, type Resources } from '../../../server/resources/resources.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'

const second = 1_000
const start = Date.UTC(2026, 0, 2, 3, 0, 0)

let app: AppStore
let resources: Resources
let systems: Systems
let clock: { now: number }
let told: Happening[]
let logged: object[]
let broken = false

beforeEach(async () => {
  app = (await openTestStore()).app({ tenant: 'tenant', application: 'a'.repeat(24) })
  clock = { now: start + second }
  told = []
  logged = []
  broken = false
  const now = () => clock.now
  const of = (one: AppStore) => {
    if (broken) throw new Error('the queue is broken')
    return openJobs({ app: one, now, wake: () => undefined, nudge: () => undefined })
  }
  const log = { error: (what: object) => void logged.push(what) }
  const happened = async (happening: Happening) => {
    told.push(happening)
    if (happening.kind === 'state') await systems.reported(app, happening.device)
  }
  resources = openResources({ app, now, happened })
  systems = openSystems({ log, queue: { of }, now, resources: () => resources })
})

const attribute = (name: string, system?: object) => ({ name, dataType: 'number', ...(system ? { system } : {}) })
const rule = (aggregation: string, name: string, more: object = {}) => ({
  ...{ aggregation, aggregationOptions: [] },
  childAttributes: [{ name, mode: 'all', ...more }],
})
const make = async (body: Payload) => (await resources.devices.create(body, {})).id
const system = (attributes: object[], more: Payload = {}) =>
  make({ name: 'system', deviceClass: 'system', attributes, ...more })
const leaf = (parentId: string, more: Payload = {}) =>
  make({ name: 'leaf', parentId, attributes: [attribute('level'), attribute('flow')], ...more })
/** As an import does, which takes what a file says. */
const setAttributes = (id: string, attributes: object[]) =>
  app.collection('devices').update(id, { attributes: attributes as never })
const report = (deviceId: string, data: object, time?: number) =>
  resources.devices.report([{ deviceId, data: { ...data }, ...(time === undefined ? {} : { time }) }])

async function stateOf(id: string): Promise<Payload> {
  const last = (await app.telemetry.last([id])).get(id) ?? {}
  return Object.fromEntries(Object.entries(last).map(([name, { value }]) => [name, value]))
}

/** Does what is due within the seconds from now; gives the times of it, in seconds from the start. */
async function pass(seconds: number): Promise<number[]> {
  const end = clock.now + seconds * second
  const times: number[] = []
  for (;;) {
    const filter = { field: 'status', op: 'eq', value: 'queued' } as const
    const queued = (await app.collection('jobs').find({ filter })).map((job) => ({ ...job, dueAt: job.dueAt! }))
    const next = queued.sort((a, b) => a.dueAt - b.dueAt)[0]
    if (next === undefined || next.dueAt > end) break
    clock.now = next.dueAt
    times.push((next.dueAt - start) / second)
    await systems.job.run({ app, input: next.input } as JobContext)
    await app.collection('jobs').update(next.id, { status: 'done' })
  }
  clock.now = end
  return times
}

test('a system reports at the end of its interval what its children are, and flows hear of it', async () => {
  const id = await system([attribute('mean', rule('MEAN', 'level')), attribute('plain')], { systemInterval: 10 })
  const [a, b] = [await leaf(id), await leaf(id)]
  await report(a, { level: 4 })
  await report(b, { level: 8 })
  expect(await stateOf(id)).toEqual({})
  told.length = 0
  expect(await pass(60)).toEqual([10])
  expect(await stateOf(id)).toEqual({ mean: 6 })
  expect(told).toMatchObject([
    { kind: 'state', device: { id }, points: [{ time: start + 10 * second, data: { mean: 6 } }] },
  ])
})

test.each<[string, unknown]>([
  ['FIRST', 1],
  ['LAST', 7],
  ['COUNT', 3],
  ['MAX', 7],
  ['MIN', 1],
  ['MEDIAN', 4],
  ['MEAN', 4],
  ['SUM', 12],
  ['STD_DEV', Math.sqrt(6)],
])('%s of the last values of 1, 4 and 7 is %d', async (aggregation, expected) => {
  const id = await system([attribute('out', rule(aggregation, 'level'))])
  for (const [n, level] of [1, 4, 7].entries()) {
    const child = await leaf(id)
    await report(child, { level: 99 }, start - 100 * second)
    await report(child, { level }, start - (10 - n) * second)
  }
  await leaf(id)
  await pass(30)
  expect((await stateOf(id)).out).toBeCloseTo(expected as number, 10)
})

describe('children', () => {
  const tags = [{ key: 'kind', value: 'pump' }]
  test.each<[object, number]>([
    [{ mode: 'all' }, 7],
    [{}, 7],
    [{ mode: 'whitelist', deviceTags: [{ key: 'kind', value: 'pump' }] }, 1],
    [{ mode: 'whitelist', deviceTags: [{ key: 'kind' }] }, 3],
    [{ mode: 'whitelist', deviceTags: [{ value: 'fan' }] }, 2],
    [{ mode: 'whitelist', deviceTags: [{ key: '', value: '' }] }, 0],
    [{ mode: 'blacklist', deviceTags: [{ key: 'kind', value: 'pump' }] }, 6],
    [{ mode: 'blacklist' }, 7],
    [{ mode: 'whitelist', byId: true }, 4],
    [{ mode: 'blacklist', byId: true }, 3],
    [{ mode: 'some' }, 0],
  ])('are chosen by %j', async ({ byId, ...chosen }: { byId?: boolean }, expected) => {
    const id = await system([attribute('sum', rule('SUM', 'level')), attribute('n', rule('COUNT', 'level'))])
    const ids = [await leaf(id, { tags }), await leaf(id, { tags: [{ key: 'kind', value: 'fan' }] }), await leaf(id)]
    const sum = rule('SUM', 'level', { ...chosen, ...(byId ? { deviceIds: [ids[2]] } : {}) })
    await setAttributes(id, [attribute('sum', sum), attribute('n', rule('COUNT', 'level'))])
    for (const [n, child] of ids.entries()) await report(child, { level: 2 ** n })
    await pass(30)
    expect(await stateOf(id)).toEqual({ n: 3, ...(expected === 0 ? {} : { sum: expected }) })
  })

  test('of children count, not their children, nor those of other systems; each child counts once', async () => {
    const two = { ...rule('COUNT', 'level'), childAttributes: ['level', 'flow'].map((name) => ({ name, mode: 'all' })) }
    const id = await system([attribute('n', two), attribute('sum', rule('SUM', 'level'))])
    const other = await system([attribute('n', two)])
    const inner = await system([attribute('level', rule('SUM', 'level'))], { parentId: id })
    await report(await leaf(id), { level: 1, flow: 2 })
    await report(await leaf(other), { level: 10 })
    await report(await leaf(inner), { level: 100 })
    await pass(30)
    expect(await stateOf(id)).toEqual({ n: 1, sum: 1 })
    await pass(30)
    // The inner system has reported in its turn.
    expect(await stateOf(id)).toEqual({ n: 2, sum: 101 })
  })
})

test('without values nothing is reported, but a count is 0', async () => {
  const id = await system([attribute('n', rule('COUNT', 'level')), attribute('mean', rule('MEAN', 'level'))])
  await report(await leaf(id), { flow: 1 })
  await pass(30)
  expect(await stateOf(id)).toEqual({ n: 0 })
})

test('what has not changed is reported only by a system that keeps duplicates, which goes on at every interval', async () => {
  const one = await system([attribute('sum', rule('SUM', 'level'))], { systemInterval: 10 })
  const child = await leaf(one)
  await report(child, { level: 5 })
  expect(await pass(30)).toEqual([10])
  told.length = 0
  await report(child, { level: 5 })
  expect(await pass(30)).toEqual([40])
  expect(told).toHaveLength(1)
  await resources.devices.update(one, { keepDuplicates: true }, {})
  await report(child, { level: 5 })
  told.length = 0
  expect(await pass(30)).toEqual([70, 80, 90])
  expect(told).toHaveLength(3)
  await resources.devices.remove(one)
  expect(await pass(60)).toEqual([100])
})

test('many reports in an interval are one report of the system, and a device without a system makes no work', async () => {
  const id = await system([attribute('sum', rule('SUM', 'level'))], { systemInterval: 5 })
  const plain = await system([attribute('sum')])
  const child = await leaf(id)
  for (let level = 0; level < 20; level++) await report(child, { level })
  await report(await leaf(plain), { level: 1 })
  await report(await make({ name: 'alone', attributes: [attribute('level')] }), { level: 1 })
  expect(await app.collection('jobs').count()).toBe(1)
  expect(await pass(60)).toEqual([5])
  expect(await stateOf(id)).toEqual({ sum: 19 })
})

test.each([
  [{}],
  [{ aggregation: 'MODE', childAttributes: [{ name: 'level', mode: 'all' }] }],
  [{ aggregation: '__proto__', childAttributes: [{ name: 'level', mode: 'all' }] }],
  [{ aggregation: 'SUM', childAttributes: 'level' }],
  [{ aggregation: 'SUM', childAttributes: [null, 'level', { name: 1 }, { name: '__proto__', mode: 'toString' }] }],
])('a rule that is none reports nothing: %j', async (broken) => {
  const id = await system([attribute('out')])
  await setAttributes(id, [attribute('out', broken)])
  await report(await leaf(id), { level: 1 })
  await pass(30)
  expect(await stateOf(id)).toEqual({})
})

test('a queue that is out of reach leaves the report stored; the next one makes up for it', async () => {
  const id = await system([attribute('sum', rule('SUM', 'level'))])
  const [a, b] = [await leaf(id), await leaf(id)]
  broken = true
  await report(a, { level: 1 })
  expect(logged).toMatchObject([{ deviceId: a, err: { message: 'the queue is broken' } }])
  broken = false
  await report(b, { level: 2 })
  await pass(30)
  expect(await stateOf(id)).toEqual({ sum: 3 })
})
