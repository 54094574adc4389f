import { beforeEach, expect, test } from 'vitest'
import { compileFlow } from '../../../engine/compile.ts'
import type { Payload } from '../../../engine/payload.ts'
import { openTemplates } from '../../../engine/template.ts'
import { catalog } from '../../../nodes/index.ts'
import { openInactivity } from '../../../server/flows/inactivity.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { JobContext } from '../../../server/jobs/port.ts'
import { type Firing, openFiring } from './firing.ts'

let world: Firing
let id: string

beforeEach(async () => {
  world = await openFiring()
  id = await make('Pump')
})

const attributes = [{ name: 'level', dataType: 'number' }]
const make = async (name: string) =>
  (await world.resources().devices.create({ name, attributes, tags: [{ key: 'kind', value: 'pump' }] }, {})).id
const trigger = (type: string, key: string, config: Payload = {}) => ({ type, key, config, outputIds: [] })
const listen = (...triggers: unknown[]) => world.addFlow({ name: 'Listens', triggers })
const report = (device = id, more: Payload = {}) =>
  world.as({}).devices.report([{ deviceId: device, data: { level: 1 }, ...more }])
/** The runs that are started up to `seconds` from now. */
const after = async (seconds: number) => {
  world.clock.now += seconds * 1000
  world.ended.length = 0
  await world.work()
  return world.ended.map(({ outcome }) => outcome.payload)
}

test('a device that falls silent starts a run, once until it reports again', async () => {
  await listen(trigger('deviceIdInactivity', id, { seconds: 60 }))
  const reportedAt = world.clock.now
  await report()
  expect(await after(59)).toEqual([])
  const [payload] = await after(10)
  expect(payload).toMatchObject({
    ...{ triggerId: id, triggerType: 'deviceIdInactivity', relayType: 'timer', relayId: `inactivity-${id}-60` },
    time: new Date(reportedAt + 60_000),
    data: { inactivitySeconds: 60, lastActivity: new Date(reportedAt).toISOString() },
    ...{ device: { id, tags: { kind: ['pump'] } }, deviceName: 'Pump', deviceTags: { kind: ['pump'] } },
  })
  expect(await after(1_000)).toEqual([])
  await report()
  expect(await after(60)).toHaveLength(1)
  expect(await after(1_000)).toEqual([])
})

test('each report puts it off, by the time that it comes at', async () => {
  await listen(trigger('deviceTagInactivity', 'kind/pump', { seconds: 60 }))
  await report()
  for (let n = 0; n < 5; n++) {
    expect(await after(40)).toEqual([])
    await report(id, { time: 1_000 })
  }
  const [payload] = await after(60)
  expect(payload?.data).toMatchObject({ lastActivity: new Date(world.clock.now - 60_000).toISOString() })
  expect(await world.app.collection('jobs').count({ field: 'status', op: 'eq', value: 'queued' })).toBe(0)
})

test('devices have clocks of their own, and two hours where nothing is said', async () => {
  const other = await make('Other')
  await listen(trigger('deviceTagInactivity', 'kind/', {}), trigger('deviceIdInactivity', id, { seconds: 60 }))
  await report()
  await after(30)
  await report(other)
  expect((await after(30)).map(({ triggerType }) => triggerType)).toEqual(['deviceIdInactivity'])
  expect((await after(7_139)).map(({ triggerId }) => triggerId)).toEqual([])
  expect((await after(1)).map(({ triggerId }) => triggerId)).toEqual([id])
  expect((await after(30)).map(({ triggerId }) => triggerId)).toEqual([other])
})

test('no clock starts before the first report, nor where nobody listens', async () => {
  await listen(trigger('deviceIdInactivity', id, { seconds: 60 }), trigger('deviceIdInactivity', '0'.repeat(24)))
  expect(await after(1_000)).toEqual([])
  await report(
    await make('Other')
      .then((other) => world.as({}).devices.update(other, { tags: [] }, {}))
      .then(({ id: one }) => one),
  )
  await expect(report(id, { data: { nope: 1 } })).rejects.toThrow('no attribute')
  expect(await world.app.collection('jobs').count()).toBe(0)
  expect(await world.app.values.entries('inactivity')).toEqual({})
})

test.each<[string, (flowId: string) => Promise<unknown>]>([
  ['other seconds', (flowId) => change(flowId, [trigger('deviceIdInactivity', id, { seconds: 90 })])],
  ['the trigger gone', (flowId) => change(flowId, [])],
  ['the flow disabled', (flowId) => world.app.collection('flows').update(flowId, { enabled: false })],
  ['the device gone', () => world.resources().devices.remove(id)],
])('with %s the clock that ran is forgotten', async (_, act) => {
  const flowId = await listen(trigger('deviceIdInactivity', id, { seconds: 60 }))
  await report()
  await act(flowId)
  expect(await after(1_000)).toEqual([])
  expect(await world.app.values.entries('inactivity')).toEqual({})
})

const change = (flowId: string, triggers: unknown[]) =>
  world.app.collection('flows').update(flowId, { content: { triggers, nodes: [], globals: [] } })

test('a clock that was forgotten runs again when the flow listens again', async () => {
  const flowId = await listen(trigger('deviceIdInactivity', id, { seconds: 60 }))
  await report()
  await world.app.collection('flows').update(flowId, { enabled: false })
  expect(await after(60)).toEqual([])
  await world.app.collection('flows').update(flowId, { enabled: true })
  await report()
  expect(await after(60)).toHaveLength(1)
})

test('a device that lost its tag is no longer waited for', async () => {
  await listen(trigger('deviceTagInactivity', 'kind/pump', { seconds: 60 }))
  await report()
  await world.resources().devices.update(id, { tags: [] }, {})
  expect(await after(60)).toEqual([])
})

test('a look that is done twice, and reports on several processes, start one run', async () => {
  await listen(trigger('deviceIdInactivity', id, { seconds: 60 }))
  const second = openInactivity({
    plans: world.plans,
    queue: {
      of: (app) => openJobs({ app, now: () => world.clock.now, wake: () => undefined, nudge: () => undefined }),
    },
    now: () => world.clock.now,
  })
  const device = (await world.app.collection('devices').get(id))!
  const flows = await world.plans.of(world.app)
  await Promise.all([
    report(),
    second.reported(world.app, device, flows),
    report(),
    second.reported(world.app, device, flows),
  ])
  const looks = await world.app.collection('jobs').find()
  expect(looks).toHaveLength(1)
  world.clock.now += 60_000
  const context = { app: world.app, input: looks[0]!.input } as JobContext
  const results = await Promise.all([world.inactivity.job.run(context), second.job.run(context)])
  expect(results.map((one) => one?.output)).toContainEqual({ result: 'fired' })
  expect(await world.waiting()).toHaveLength(1)
  await second.job.run(context)
  expect(await world.waiting()).toHaveLength(1)
  for (const job of await world.app.collection('jobs').find()) await world.app.collection('jobs').remove(job.id)
  await second.job.run(context)
  expect(await world.app.collection('jobs').count()).toBe(0)
})

test('a clock whose job was never made gets it with the next report on another process', async () => {
  await listen(trigger('deviceIdInactivity', id, { seconds: 60 }))
  await report()
  const [job] = await world.app.collection('jobs').find()
  await world.app.collection('jobs').remove(job!.id)
  const again = openInactivity({
    plans: world.plans,
    queue: {
      of: (app) => openJobs({ app, now: () => world.clock.now, wake: () => undefined, nudge: () => undefined }),
    },
    now: () => world.clock.now,
  })
  const device = (await world.app.collection('devices').get(id))!
  await again.reported(world.app, device, await world.plans.of(world.app))
  expect(await after(60)).toHaveLength(1)
})

test.each([0, -1, 0.5, 31_622_401])('%d seconds are refused', (seconds) => {
  const raw = { triggers: [trigger('deviceIdInactivity', 'x', { seconds })], nodes: [] }
  const { plan, problems } = compileFlow(raw, { flowClass: 'cloud', catalog, templates: openTemplates() })
  expect(problems).toMatchObject([{ message: expect.stringContaining('31622400') }])
  expect(plan.triggers[0]?.type).toBe('')
})
