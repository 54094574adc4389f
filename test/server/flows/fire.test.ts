import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { runJob } from '../../../server/flows/run-job.ts'
import type { JobContext } from '../../../server/jobs/port.ts'
import { scope } from '../../helpers/application.ts'
import { type Firing, openFiring } from './firing.ts'

let world: Firing

beforeEach(async () => {
  world = await openFiring()
})

const pump = {
  name: 'Pump 1',
  tags: [
    { key: 'site', value: 'a' },
    { key: 'site', value: 'b/c' },
    { key: 'kind', value: 'pump' },
  ],
  attributes: [
    { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
    { name: 'on', dataType: 'boolean' },
  ],
}

const trigger = (type: string, key: string, config: Payload = {}, next: string[] = []) => ({
  ...{ type, key, config },
  outputIds: [next],
})
const make = async (body: Payload = {}) => (await world.resources().devices.create({ ...pump, ...body }, {})).id
/** A flow with these triggers that does nothing. */
const listen = (...triggers: unknown[]) => world.addFlow({ name: 'Listens', triggers })
const report = (id: string, data: Payload, more: Payload = {}) =>
  world.as({}).devices.report([{ deviceId: id, data, ...more }])
const started = async () => (await world.waiting()).map(({ data }) => data)

describe('a report of state', () => {
  test('starts a run with the device, its tags and the values, once it is stored', async () => {
    const id = await make()
    const flowId = await listen(trigger('deviceId', id))
    const time = Date.UTC(2026, 0, 1)
    await world
      .as({ type: 'device', id })
      .devices.report([{ deviceId: id, data: { level: '4', odd: 1 }, time, meta: { n: 1 } }])
    expect((await world.app.telemetry.last([id])).get(id)?.level).toMatchObject({
      ...{ value: 4, relayType: 'device', relayId: id },
    })
    expect(await world.work()).toBe(1)
    const { payload } = world.ended[0]!.outcome
    expect(payload).toMatchObject({
      ...{ time: new Date(time), data: { level: 4 }, meta: { n: 1 } },
      ...{
        triggerId: id,
        triggerType: 'deviceId',
        relayType: 'device',
        relayId: id,
        flowId,
        applicationId: scope.application,
      },
      deviceName: 'Pump 1',
      device: {
        ...{ id, name: 'Pump 1', deviceClass: 'standalone', applicationId: scope.application },
        creationDate: expect.stringMatching(/^\d{4}-.*Z$/),
        tags: { site: ['a', 'b/c'], kind: ['pump'] },
        attributes: {
          level: { name: 'level', dataType: 'number', attributeTags: { unit: 'l' } },
          on: { name: 'on', dataType: 'boolean', attributeTags: {} },
        },
      },
      deviceTags: { site: ['a', 'b/c'], kind: ['pump'] },
    })
    const { device, deviceTags } = payload as { device: { tags: unknown }; deviceTags: unknown }
    expect(device.tags).not.toBe(deviceTags)
  })

  test('without meta has none, and names as its source nobody where nobody is known', async () => {
    const id = await make()
    await listen(trigger('deviceId', id))
    await world.resources().devices.report([{ deviceId: id, data: { level: 1 } }])
    await world.work()
    expect(world.ended[0]!.outcome.payload).not.toHaveProperty('meta')
    expect(world.ended[0]!.outcome.payload).toMatchObject({ relayType: 'public', relayId: '0'.repeat(24) })
  })

  test.each([
    ['the tag', 'deviceTag', 'site/a', true],
    ['its other value, after the first slash', 'deviceTag', 'site/b/c', true],
    ['any value of the key', 'deviceTag', 'site/', true],
    ['the key alone', 'deviceTag', 'site', true],
    ['the value under any key', 'deviceTag', '/pump', true],
    ['the tag by our own name', 'device-state', 'kind/pump', true],
    ['another value', 'deviceTag', 'site/c', false],
    ['a value of another key', 'deviceTag', 'site/pump', false],
    ['another case', 'deviceTag', 'Site/a', false],
    ['neither side', 'deviceTag', '/', false],
    ['nothing', 'deviceTag', '', false],
    ['nothing, by id', 'deviceId', '', false],
    ['another id', 'deviceId', '0'.repeat(24), false],
    ['a name of every object', 'deviceTag', 'constructor/', false],
  ])('fires by %s: %s %s', async (_, type, key, fires) => {
    const id = await make()
    await listen(trigger(type, key))
    await report(id, { level: 1 })
    expect(await started()).toHaveLength(fires ? 1 : 0)
  })

  test('fires by the id in capitals', async () => {
    const id = await make()
    await listen(trigger('deviceId', id.toUpperCase()))
    await report(id, { level: 1 })
    expect(await started()).toHaveLength(1)
  })

  test('starts a run for each trigger that fits, also for two with one key', async () => {
    const id = await make()
    await listen(
      trigger('deviceTag', 'site/a', { attributeWhitelist: ['on'] }),
      trigger('deviceTag', 'site/a'),
      trigger('deviceId', id),
    )
    await report(id, { level: 1 })
    expect((await world.waiting()).map(({ index }) => index)).toEqual([1, 2])
    await world.work()
    expect(world.ended.map(({ outcome }) => outcome.payload.triggerType)).toEqual(['deviceTag', 'deviceId'])
  })

  test('runs what hangs on the trigger that fits, where another one has its key', async () => {
    const id = await make()
    const node = (name: string) => ({
      id: name,
      type: 'ThrowErrorNode',
      config: { messageTemplate: name },
      outputIds: [],
    })
    const triggers = [
      trigger('deviceId', id, { attributeWhitelist: ['on'] }, ['first']),
      trigger('deviceId', id, {}, ['second']),
    ]
    await world.addFlow({ name: 'Two', triggers, nodes: [node('first'), node('second')] })
    await report(id, { level: 1 })
    expect(await world.work()).toBe(1)
    expect(world.ended.map(({ outcome }) => outcome.error?.message)).toEqual(['second'])
  })

  test.each<[string, Payload, Payload, boolean]>([
    ['one of the wanted', { attributeWhitelist: ['on', 'level'] }, { level: 1 }, true],
    ['none of the wanted', { attributeWhitelist: ['on'] }, { level: 1 }, false],
    ['only unwanted', { attributeBlacklist: ['level', 'x'] }, { level: 1 }, false],
    ['unwanted beside others', { attributeBlacklist: ['level'] }, { level: 1, on: true }, true],
    ['empty lists', { attributeWhitelist: [], attributeBlacklist: null }, { level: 1 }, true],
    ['a name that objects have', { attributeWhitelist: ['constructor'] }, { level: 1 }, false],
  ])('with %s', async (_, config, data, fires) => {
    const id = await make()
    await listen(trigger('deviceId', id, config))
    await report(id, data)
    expect(await started()).toEqual(fires ? [data] : [])
  })

  test('fires up to its age', async () => {
    const id = await make()
    await listen(trigger('deviceId', id, { maxAge: 10 }))
    await report(id, { level: 1 }, { time: world.clock.now - 10_000 })
    await report(id, { level: 2 }, { time: world.clock.now - 10_001 })
    expect(await started()).toEqual([{ level: 1 }])
  })

  test('that cannot be stored fires only where that is allowed, and is refused all the same', async () => {
    const id = await make()
    await listen(trigger('deviceId', id))
    await expect(report(id, { nope: 1 })).rejects.toThrow('no attribute')
    expect(await started()).toEqual([])
    await listen(trigger('deviceId', id, { allowInvalid: true }))
    await expect(report(id, { nope: 1 })).rejects.toThrow('no attribute')
    await expect(report(id, {})).rejects.toThrow('no values')
    await world.work()
    expect(world.ended.map(({ outcome }) => outcome.payload)).toMatchObject([{ data: null, original: { nope: 1 } }])
  })

  test('without a flow that listens writes no job', async () => {
    const id = await make()
    await world.addFlow({ name: 'Off', enabled: false, triggers: [trigger('deviceId', id)] })
    await listen(trigger('virtualButton', id), trigger('deviceCreate', id))
    await report(id, { level: 1 })
    expect(await world.app.collection('jobs').count()).toBe(0)
  })

  test('stays acknowledged when the runs cannot be queued', async () => {
    const id = await make()
    await listen(trigger('deviceId', id))
    world.breakQueue()
    await report(id, { level: 5 })
    expect((await world.app.telemetry.last([id])).get(id)?.level?.value).toBe(5)
    expect(world.log).toMatchObject([{ level: 50, msg: expect.stringContaining('could not be started') }])
  })

  test('starts nothing in another application', async () => {
    const other = world.store.app({ tenant: 't1', application: 'b'.repeat(24) })
    const document = { name: 'Other', globals: [], secret: 's' }
    await other.collection('application').insert({ id: other.scope.application, ...document })
    const id = await make()
    const content = { triggers: [trigger('deviceId', id), trigger('deviceTag', 'site/')], nodes: [], globals: [] }
    await other.collection('flows').insert({ name: 'Spy', flowClass: 'cloud', enabled: true, content })
    await report(id, { level: 1 })
    expect(await world.waiting()).toEqual([])
    expect(await world.waiting(other)).toEqual([])
    await expect(world.resources(other).devices.report([{ deviceId: id, data: { level: 1 } }])).rejects.toThrow(
      'id of a device',
    )
  })
})

describe('a batch', () => {
  const batch = (id: string, levels: number[]) =>
    world.as({}).devices.report(levels.map((level) => ({ deviceId: id, data: { level }, time: 1_000 + level })))

  test.each<[string, Payload, number, unknown[]]>([
    ['each report', {}, 2, [{ level: 1 }, { level: 2 }]],
    ['each report, for batches only', { triggerOn: 'batch' }, 2, [{ level: 1 }, { level: 2 }]],
    ['nothing, for single reports only', { triggerOn: 'individual' }, 2, []],
    ['nothing, for batches only', { triggerOn: 'batch' }, 1, []],
    ['a single report', { triggerOn: 'individual' }, 1, [{ level: 1 }]],
    ['a single report, however batches are taken', { batchBehavior: 'once' }, 1, [{ level: 1 }]],
    [
      'one run, without regard to filters',
      { batchBehavior: 'once', attributeWhitelist: ['on'], maxAge: 1 },
      2,
      [
        [
          { data: { level: 1 }, time: new Date(1_001).toISOString() },
          { data: { level: 2 }, time: new Date(1_002).toISOString() },
        ],
      ],
    ],
  ])('starts %s', async (_, config, count, expected) => {
    const id = await make()
    await listen(trigger('deviceId', id, config))
    await batch(id, [1, 2].slice(0, count))
    expect(await started()).toEqual(expected)
  })

  test('that starts one run does so at the time of arrival', async () => {
    const id = await make()
    await listen(trigger('deviceId', id, { batchBehavior: 'once' }))
    await batch(id, [1, 2])
    expect((await world.waiting())[0]?.time).toBe(world.clock.now)
  })

  test('starts its runs in the order of the reports, at most 1,000 of them', async () => {
    const id = await make()
    await listen(trigger('deviceId', id))
    await batch(
      id,
      Array.from({ length: 1_001 }, (_, n) => n),
    )
    const levels = (await started()).map((data) => (data as { level: number }).level)
    expect(levels).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    expect(world.log).toMatchObject([{ given: 1_001 }])
  })

  test('counts once for the guard against loops', async () => {
    const id = await make()
    await listen(trigger('deviceId', id))
    for (let n = 0; n < 30; n++) await batch(id, [1, 2])
    expect(await started()).toHaveLength(60)
  })
})

describe('a flow that starts itself', () => {
  const echo = (deviceId: string) => ({
    ...{ id: 'n', type: 'DeviceChangeStateNode', outputIds: [] },
    config: { deviceId, attrInfos: [{ key: 'level', valueTemplate: '1' }], timeSourceType: 'now' },
  })

  test('is stopped by the length of the chain, and said so once', async () => {
    const id = await make()
    await world.addFlow({ name: 'Echo', triggers: [trigger('deviceId', id, {}, ['n'])], nodes: [echo(id)] })
    await report(id, { level: 0 })
    expect(await world.work(100)).toBe(20)
    expect(world.ended.every(({ outcome }) => outcome.status === 'done')).toBe(true)
    expect(world.log).toMatchObject([{ msg: expect.stringContaining('chain is too long'), depth: 20 }])
    expect(world.fire.dropped()).toBe(1)
  })

  test('is started for one device 30 times in 15 seconds, then again', async () => {
    const id = await make()
    const other = await make()
    await listen(trigger('deviceTag', 'kind/pump'))
    for (let n = 0; n < 40; n++) await report(id, { level: n })
    expect(await started()).toHaveLength(30)
    await report(other, { level: 1 })
    expect(await started()).toHaveLength(31)
    expect(world.log).toMatchObject([{ flow: 'Listens', device: id, msg: expect.stringContaining('too often') }])
    expect(world.fire.dropped()).toBe(10)
    world.clock.now += 15_000
    await report(id, { level: 1 })
    expect(await started()).toHaveLength(32)
  })

  test('is bounded over several devices', async () => {
    const ids = [await make(), await make(), await make()]
    const nodes = ids.map((id, n) => ({ ...echo(id), id: `n${n}` }))
    const triggers = [trigger('deviceTag', 'kind/pump', {}, ['n0', 'n1', 'n2'])]
    await world.addFlow({ name: 'Echo', triggers, nodes })
    await report(ids[0]!, { level: 0 })
    expect(await world.work()).toBe(90)
  })

  test('may report what it does not listen to', async () => {
    const id = await make()
    const triggers = [trigger('deviceId', id, { attributeBlacklist: ['level'] }, ['n'])]
    await world.addFlow({ name: 'Calm', triggers, nodes: [echo(id)] })
    await report(id, { on: true })
    expect(await world.work()).toBe(1)
    expect(world.log).toEqual([])
  })
})

describe('a new device', () => {
  test('starts a run with the device', async () => {
    await listen(trigger('deviceCreate', '/'))
    const { devices } = world.as({ type: 'user', id: 'u1' })
    const { id } = await devices.create(pump, {})
    await devices.update(id, { name: 'Pump 2' }, {})
    expect(await world.work()).toBe(1)
    const { payload } = world.ended[0]!.outcome
    expect(payload).toMatchObject({
      data: { device: { id, name: 'Pump 1', tags: { kind: ['pump'] }, attributes: { level: { dataType: 'number' } } } },
      ...{ triggerId: id, triggerType: 'deviceCreate', relayType: 'user', relayId: 'u1' },
    })
    expect(payload).not.toHaveProperty('device')
  })

  test('starts any number of runs, but not of flows that make more of them', async () => {
    const node = (id: string) => ({ id, type: 'CreateDeviceNode', config: { nameTemplate: 'More' }, outputIds: [] })
    const flow = {
      name: 'Rabbits',
      triggers: [trigger('deviceCreate', '/', {}, ['a', 'b'])],
      nodes: [node('a'), node('b')],
    }
    await world.addFlow(flow)
    for (let n = 0; n < 40; n++) await make()
    expect(await started()).toHaveLength(40)
    expect(await world.work()).toBe(70)
  })
})

describe('an event', () => {
  const create = (body: Payload = {}) =>
    world.as({ name: 'Alerts' }).events.create({ level: 'warning', subject: 'Too hot', ...body })

  test('starts a run when it is made, and when it is updated', async () => {
    await listen(trigger('event', 'any', { acknowledged: true }))
    const deviceId = await make()
    const { id } = await create({ message: 'Now', deviceId, data: { n: 1 }, eventTags: { site: 'a' } })
    const { events } = world.as({ type: 'user', id: 'u1', name: 'Ann' })
    await events.update(id, { state: 'acknowledged', comment: 'Mine', data: { n: 2 } })
    await world.work()
    const [made, updated] = world.ended.map(({ outcome }) => outcome.payload)
    const update = {
      ...{ comment: 'Mine', data: { n: 2 }, state: 'acknowledged', stateChange: { old: 'new', new: 'acknowledged' } },
      ...{
        sourceType: 'user',
        sourceId: 'u1',
        sourceName: 'Ann',
        creationDate: new Date(world.clock.now).toISOString(),
      },
    }
    const data = {
      ...{ id, subject: 'Too hot', level: 'warning', state: 'new', message: 'Now', data: { n: 1 }, deviceId },
      ...{ deviceName: 'Pump 1', eventTags: { site: 'a' }, sourceType: 'flow', sourceId: 'f0', sourceName: 'Alerts' },
      ...{ creationDate: new Date(world.clock.now).toISOString(), allUpdates: [] },
    }
    expect(made).toMatchObject({ triggerId: 'any', triggerType: 'event', relayType: 'flow', relayId: 'f0' })
    expect(made?.data).toEqual(data)
    expect(made).not.toHaveProperty('device')
    expect(updated).toMatchObject({ triggerId: 'any', relayType: 'user', relayId: 'u1' })
    expect(updated?.data).toEqual({ ...data, state: 'acknowledged', allUpdates: [update], latestUpdate: update })
  })

  test.each<[string, string, Payload, Payload, boolean]>([
    ['its level', 'warning', {}, {}, true],
    ['another level', 'error', {}, {}, false],
    ['no level', '', {}, {}, false],
    ['its subject', 'any', { subject: 'too HOT' }, {}, true],
    ['the start of it', 'any', { subject: 'too*' }, {}, true],
    ['parts of it', 'any', { subject: '*o?h*t*' }, {}, true],
    ['a part that is not there', 'any', { subject: '*cold*' }, {}, false],
    ['characters that patterns know', 'any', { subject: 'a.c' }, { subject: 'abc' }, false],
    ['a new one where those are not wanted', 'any', { new: false, resolved: true }, {}, false],
    ['a resolved one', 'any', { new: false, resolved: true }, { state: 'resolved' }, true],
    ['a resolved one where only new are wanted', 'any', {}, { state: 'resolved' }, false],
  ])('is heard by %s: %s %j', async (_, key, config, body, fires) => {
    await listen(trigger('event', key, config))
    await create(body)
    expect(await world.waiting()).toHaveLength(fires ? 1 : 0)
  })

  test('that makes events is stopped', async () => {
    const config = { levelTemplate: 'info', subjectTemplate: 'More' }
    const node = (id: string) => ({ id, type: 'CreateEventNode', config, outputIds: [] })
    const flow = { name: 'Rabbits', triggers: [trigger('event', 'any', {}, ['a', 'b'])], nodes: [node('a'), node('b')] }
    await world.addFlow(flow)
    await create()
    expect(await world.work()).toBe(30)
    expect(await world.app.collection('events').count()).toBe(61)
  })

  // The time limit of tests is what would show a pattern that takes for ever.
  test('is matched with a hostile pattern', async () => {
    await listen(trigger('event', 'any', { subject: `${'*a'.repeat(20_000)}b` }))
    await create({ subject: 'a'.repeat(255) })
    expect(await world.waiting()).toEqual([])
  })
})

describe('the job of a run', () => {
  const runInput = async (input: unknown, more: Partial<JobContext> = {}) =>
    runJob({ fireTrigger: async () => ({ status: 'failed' }) as never }).run({
      ...{ app: world.app, input, signal: new AbortController().signal },
      ...more,
    } as JobContext)

  test('is done when the flow failed, and is tried again when it was broken off', async () => {
    const input = { flowId: 'f', time: 0, roots: {} }
    expect(await runInput(input)).toEqual({ output: { status: 'failed' } })
    const signal = AbortSignal.abort(new Error('The process stops'))
    await expect(runInput(input, { signal })).rejects.toThrow('The process stops')
  })

  test('does nothing when the flow is gone or disabled by then', async () => {
    const id = await make()
    const flowId = await listen(trigger('deviceId', id))
    await report(id, { level: 1 })
    await world.app.collection('flows').update(flowId, { enabled: false })
    expect(await world.work()).toBe(1)
    expect(world.ended).toEqual([])
  })

  test('takes the trigger of its type and key when the flow has changed', async () => {
    const id = await make()
    const flowId = await listen(trigger('deviceTag', 'kind/pump'), trigger('deviceId', id))
    await report(id, { level: 1 })
    const content = { triggers: [trigger('deviceIdInactivity', id), trigger('deviceId', id)], nodes: [], globals: [] }
    await world.app.collection('flows').update(flowId, { content })
    await world.work()
    expect(world.ended.map(({ outcome }) => outcome.payload.triggerType)).toEqual(['deviceId'])
  })

  test('cannot give a payload what every payload has of its own', async () => {
    const id = await make()
    await listen(trigger('deviceId', id))
    await report(id, { level: 1 })
    const [job] = await world.app.collection('jobs').find()
    const roots = { applicationId: 'other', globals: { a: 1 }, flowId: 'x', relayId: 'x', data: 'x' }
    await world.app.collection('jobs').update(job!.id, { input: { ...(job!.input as object), roots } })
    await world.work()
    expect(world.ended[0]!.outcome.payload).toMatchObject({
      ...{ applicationId: scope.application, globals: { a: 'app' }, data: { level: 1 }, relayId: 'f0' },
    })
  })
})
