import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { PlanTrigger } from '../../../engine/compile.ts'
import type { Payload } from '../../../engine/payload.ts'
import type { Outcome } from '../../../engine/run.ts'
import type { Services } from '../../../nodes/services.ts'
import type { EndpointEvent } from '../../../server/experience/event.ts'
import { buttonData } from '../../../server/flows/payload.ts'
import { openRunRecords } from '../../../server/flows/records.ts'
import { openRunner, type RunContext } from '../../../server/flows/runner.ts'
import type { EndpointDocument } from '../../../server/store/documents/experience.ts'
import { openApplication, scope } from '../../helpers/application.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

async function open() {
  const application = await openApplication()
  const ended: { flow: string; trigger: string; outcome: Outcome }[] = []
  const failed: unknown[] = []
  const endedAtFailure: number[] = []
  const log: Record<string, unknown>[] = []
  const records = openRunRecords({ delayMs: 60_000, onError: (error) => failed.push(error) })
  const runner = openRunner({
    store: application.store,
    plans: application.plans,
    records,
    log: pino({ level: 'warn' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    limits: {},
    now: () => NOW,
    services: (context) => servicesFor(context),
    failReply(_scope, replyId, error) {
      endedAtFailure.push(ended.length)
      failed.push({ replyId, message: error.message })
    },
    onEnd: ({ flow }: RunContext, trigger: PlanTrigger, outcome) =>
      ended.push({ flow: flow.name, trigger: trigger.type, outcome }),
  })
  const press = (flowId: string, data: unknown = {}) =>
    runner.fireTrigger(scope, { flowId, triggerKey: 'b' }, { data, relay: { type: 'user', id: 'u' } })
  return { ...application, runner, records, ended, failed, endedAtFailure, log, press }
}

function servicesFor(_context: RunContext): Services {
  const nothing = { write: () => undefined }
  return { debug: nothing, clock: { now: () => NOW, sleep: async () => undefined } } as unknown as Services
}

const button = (next: string[]) => ({ type: 'virtualButton', key: 'b', outputIds: [next] })
const fail = (id = 'bad', message = 'No luck') => ({ id, type: 'ThrowErrorNode', config: { messageTemplate: message } })
const listener = (errorScope: string) => ({ type: 'flowError', key: 'e', config: { scope: errorScope }, outputIds: [] })
const endpointOf = (key: string, config = {}) => ({ type: 'endpoint', key, config, outputIds: [] })

function eventOf(endpointId: string | undefined, version = 'develop'): EndpointEvent {
  return {
    ...{ scope, version, replyId: 'r1', requestId: 'q1', revision: 1, time: NOW, context: {} },
    endpoint: endpointId === undefined ? undefined : ({ id: endpointId } as EndpointDocument),
    data: { path: '/', replyId: 'r1', body: { n: 1 } },
    experience: { version, user: null },
    relay: { type: 'public', id: '0'.repeat(24) },
  }
}

test('a run starts with everything that the format promises', async () => {
  const { press, addFlow, ended } = await open()
  const id = await addFlow({ name: 'Flow', triggers: [button([])], globals: [{ key: 'c', json: '[1]' }] })
  await press(id, { x: 1 })
  expect(ended[0]?.outcome.payload).toEqual({
    time: new Date(NOW),
    data: { x: 1 },
    applicationId: scope.application,
    applicationName: 'Test',
    triggerId: 'b',
    triggerType: 'virtualButton',
    flowId: id,
    flowName: 'Flow',
    flowVersion: 'develop',
    globals: { a: 'app', c: [1] },
    relayId: 'u',
    relayType: 'user',
  })
})

test('one run changes nothing for the next', async () => {
  const { press, addFlow, ended } = await open()
  const rules = [
    { type: 'set', destination: 'globals.c.x', valueTemplate: '1' },
    { type: 'remove', source: 'globals.a' },
  ]
  const nodes = [{ id: 'm', type: 'MutateNode', config: { rules } }]
  const id = await addFlow({ name: 'Flow', triggers: [button(['m'])], nodes, globals: [{ key: 'c', json: '{}' }] })
  await press(id)
  await press(id)
  expect(ended.map(({ outcome }) => outcome.payload.globals)).toEqual([{ c: { x: '1' } }, { c: { x: '1' } }])
})

test('a disabled flow or an unknown trigger starts nothing', async () => {
  const { press, addFlow, ended } = await open()
  expect(await press(await addFlow({ name: 'Off', triggers: [button([])], enabled: false }))).toBeUndefined()
  expect(await press('nope')).toBeUndefined()
  expect(ended).toEqual([])
})

test('a request starts the flows of its version that name its endpoint, or any, each with its own payload', async () => {
  const { runner, addFlow, ended } = await open()
  const any = '0'.repeat(24)
  await addFlow({ name: 'named', triggers: [endpointOf('e1')], version: 'develop' })
  await addFlow({ name: 'twice', triggers: [endpointOf('e1'), endpointOf('e1')], version: 'develop' })
  await addFlow({ name: 'any', triggers: [endpointOf(any)], version: 'develop' })
  await addFlow({ name: 'other endpoint', triggers: [endpointOf('e2')], version: 'develop' })
  await addFlow({ name: 'other version', triggers: [endpointOf('e1')], version: 'v1' })
  await addFlow({ name: 'cloud, by default develop', triggers: [endpointOf('e1')] })
  await addFlow({ name: 'cloud of v1', triggers: [endpointOf('e1', { experienceVersion: 'v1' })] })
  await addFlow({ name: 'cloud any', triggers: [endpointOf(any)] })
  expect(await runner.fireEndpoint(eventOf('e1'))).toBe(6)
  await runner.drain(1_000)
  expect(ended.map(({ flow }) => flow).sort()).toEqual([
    'any',
    'cloud any',
    'cloud, by default develop',
    'named',
    'twice',
    'twice',
  ])
  const bodies = ended.map(({ outcome }) => (outcome.payload.data as Payload).body)
  expect(new Set(bodies).size).toBe(bodies.length)
  expect(ended[0]?.outcome.payload).toMatchObject({
    triggerId: 'e1',
    triggerType: 'endpoint',
    relayType: 'public',
    experience: { version: 'develop' },
  })
})

test('an unmatched request starts only flows that listen to any endpoint', async () => {
  const { runner, addFlow, ended } = await open()
  await addFlow({ name: 'named', triggers: [endpointOf('e1')], version: 'develop' })
  await addFlow({ name: 'any', triggers: [endpointOf('0'.repeat(24))], version: 'develop' })
  expect(await runner.fireEndpoint(eventOf(undefined))).toBe(1)
  await runner.drain(1_000)
  expect(ended.map(({ flow }) => flow)).toEqual(['any'])
})

test('a failure of an experience flow wakes its listeners, nearest first, and only those in whose scope it is', async () => {
  const { runner, addFlow, ended, failed, records, app } = await open()
  const triggers = [{ ...endpointOf('e1'), outputIds: [['bad']] }, listener('local')]
  const id = await addFlow({ name: 'failing', triggers, nodes: [fail()], version: 'develop' })
  await addFlow({ name: 'other local', triggers: [listener('local')], version: 'develop' })
  await addFlow({ name: 'experience', triggers: [listener('experience')], version: 'develop' })
  await addFlow({ name: 'other version', triggers: [listener('experience')], version: 'v1' })
  await addFlow({ name: 'cloud hears experiences', triggers: [listener('experience')] })
  await addFlow({ name: 'cloud hears clouds', triggers: [listener('cloud')] })
  await addFlow({ name: 'global', triggers: [listener('global')] })
  await runner.fireEndpoint(eventOf('e1'))
  await runner.drain(1_000)
  expect(ended.map(({ flow }) => flow)).toEqual([
    'failing',
    'failing',
    'experience',
    'cloud hears experiences',
    'global',
  ])
  expect(ended[1]?.outcome.payload).toMatchObject({
    triggerId: `${id}-flowError`,
    triggerType: 'flowError',
    relayType: 'flow',
    relayId: id,
    experience: { version: 'develop' },
    data: {
      replyId: 'r1',
      errorInfo: { error: { message: 'No luck' }, nodeId: 'bad', nodeType: 'ThrowErrorNode' },
      erroredPayload: { data: { replyId: 'r1', body: { n: 1 } } },
    },
  })
  expect(failed).toEqual([])
  await records.close()
  expect(await app.collection('runs').count({ field: 'status', op: 'eq', value: 'failed' })).toBe(1)
})

test('a failure that nobody hears answers the request that waits', async () => {
  const { runner, addFlow, failed, log } = await open()
  await addFlow({
    name: 'failing',
    triggers: [{ ...endpointOf('e1'), outputIds: [['bad']] }],
    nodes: [fail()],
    version: 'develop',
  })
  await runner.fireEndpoint(eventOf('e1'))
  await runner.drain(1_000)
  expect(failed).toEqual([{ replyId: 'r1', message: 'No luck' }])
  expect(log).toMatchObject([{ flow: 'failing', reason: 'No luck', node: { id: 'bad' } }])
})

test('error flows that fail themselves do not start each other, and the request is still answered', async () => {
  const { runner, addFlow, ended, failed } = await open()
  await addFlow({
    name: 'failing',
    triggers: [{ ...endpointOf('e1'), outputIds: [['bad']] }],
    nodes: [fail()],
    version: 'develop',
  })
  const handler = [{ ...listener('experience'), outputIds: [['bad']] }]
  await addFlow({ name: 'handler', triggers: handler, nodes: [fail('bad', 'Worse luck')], version: 'develop' })
  await runner.fireEndpoint(eventOf('e1'))
  await runner.drain(1_000)
  expect(ended.map(({ flow }) => flow).sort()).toEqual(['failing', 'handler'])
  expect(failed).toEqual([{ replyId: 'r1', message: 'No luck' }])
})

test('a large payload is left out of what error flows get, but not the reply id', async () => {
  const { press, addFlow, ended } = await open()
  const id = await addFlow({ name: 'failing', triggers: [button(['bad']), listener('local')], nodes: [fail()] })
  await press(id, { replyId: 'r7', text: 'x'.repeat(300_000) })
  expect(ended[1]?.outcome.payload.data).toMatchObject({
    erroredPayload: 'Payload data omitted due to size',
    replyId: 'r7',
  })
})

test('draining waits for runs, then ends what does not end by itself', async () => {
  const { runner, addFlow, press, ended } = await open()
  const nodes = [
    { id: 'a', type: 'MathNode', config: { statements: [] }, outputIds: [['b']] },
    { id: 'b', type: 'MathNode', config: { statements: [] }, outputIds: [['a']] },
  ]
  const circle = press(await addFlow({ name: 'circle', triggers: [button(['a'])], nodes }))
  await runner.drain(20)
  expect((await circle)?.error?.code).toMatch(/^limit\.(time|visits)$/)
  expect(ended).toHaveLength(1)
})

test('a message of megabytes is cut short in the log', async () => {
  const { press, addFlow, log } = await open()
  await press(await addFlow({ name: 'Long', triggers: [button(['bad'])], nodes: [fail('bad', 'x'.repeat(100_000))] }))
  expect(log).toMatchObject([{ msg: 'a run failed', reason: `${'x'.repeat(1_000)}...` }])
})

test('what one flow of a request writes, the next does not see', async () => {
  const { runner, addFlow, ended } = await open()
  const rules = [
    { type: 'set', destination: 'data.body.n', valueTemplate: '{{data.body.n}}x' },
    { type: 'set', destination: 'experience.seen', valueTemplate: '{{experience.seen}}x' },
  ]
  const nodes = [{ id: 'm', type: 'MutateNode', config: { rules } }]
  const trigger = { ...endpointOf('e1'), outputIds: [['m']] }
  for (const name of ['one', 'two', 'three']) await addFlow({ name, triggers: [trigger], nodes, version: 'develop' })
  await runner.fireEndpoint(eventOf('e1'))
  await runner.drain(1_000)
  expect(ended).toHaveLength(3)
  for (const { outcome } of ended) {
    expect(outcome.payload).toMatchObject({ data: { body: { n: '1x' } }, experience: { seen: 'x' } })
  }
})

test('a failure answers nothing while another flow of the request may still reply', async () => {
  const { runner, addFlow, failed, ended, endedAtFailure } = await open()
  const bad = { ...endpointOf('e1'), outputIds: [['bad']] }
  await addFlow({ name: 'failing', triggers: [bad], nodes: [fail()], version: 'develop' })
  const slow = { ...endpointOf('e1'), outputIds: [['d']] }
  const nodes = [{ id: 'd', type: 'DelayNode', config: { delay: '0.001' }, outputIds: [['look']] }]
  const look = { id: 'look', type: 'DebugNode', config: { message: 'late' } }
  await addFlow({ name: 'slow', triggers: [slow], nodes: [...nodes, look], version: 'develop' })
  await runner.fireEndpoint(eventOf('e1'))
  expect(failed).toEqual([])
  await runner.drain(1_000)
  expect(ended.map(({ flow }) => flow)).toEqual(['failing', 'slow'])
  expect(failed).toEqual([{ replyId: 'r1', message: 'No luck' }])
  expect(endedAtFailure).toEqual([2])
})

test('a failure with a payload that cannot be copied is still heard', async () => {
  const { press, addFlow, ended } = await open()
  const id = await addFlow({ name: 'failing', triggers: [button(['bad']), listener('local')], nodes: [fail()] })
  let deep: Payload = {}
  for (let level = 0; level < 2_000; level++) deep = { deep }
  await press(id, { replyId: 'r7', deep })
  expect(ended[1]?.outcome.payload.data).toMatchObject({
    erroredPayload: 'Payload data omitted due to size',
    replyId: 'r7',
  })
})

test('globals that cannot be copied fail their run, not the server, and the request is answered', async () => {
  const { runner, addFlow, failed, log, ended } = await open()
  const globals = [{ key: 'deep', json: '['.repeat(2_000) + ']'.repeat(2_000) }]
  await addFlow({ name: 'deep', triggers: [endpointOf('e1')], globals, version: 'develop' })
  await runner.fireEndpoint(eventOf('e1'))
  await runner.drain(1_000)
  expect(ended).toEqual([])
  expect(failed).toEqual([{ replyId: 'r1', message: 'The flow could not be run' }])
  expect(log).toMatchObject([{ flow: 'deep', msg: 'a run broke off' }])
})

test('an error flow hears a run that was stopped, though it cannot run any more', async () => {
  const { runner, addFlow, ended } = await open()
  const nodes = [{ id: 'a', type: 'MathNode', config: { statements: [] }, outputIds: [['b']] }]
  const back = { id: 'b', type: 'MathNode', config: { statements: [] }, outputIds: [['a']] }
  const triggers = [
    { ...endpointOf('e1'), outputIds: [['a']] },
    { ...listener('local'), outputIds: [['a']] },
  ]
  await addFlow({ name: 'circle', triggers, nodes: [...nodes, back], version: 'develop' })
  await runner.fireEndpoint(eventOf('e1'))
  await runner.drain(1)
  expect(ended.map(({ outcome }) => outcome.error?.code)).toEqual(['limit.time', 'limit.time'])
  expect(ended[1]?.outcome.visitCount).toBe(0)
})

test('a record keeps nothing of the payload', async () => {
  const { press, addFlow, records, app } = await open()
  const id = await addFlow({ name: 'Flow', triggers: [button([])] })
  await press(id, { secret: 'pssst' })
  await records.close()
  const items = await app.collection('runs').find({ limit: 10 })
  expect(items).toHaveLength(1)
  expect(JSON.stringify(items)).not.toContain('pssst')
})

test('a timer in a flow of another class never fires', async () => {
  const { addFlow, plans, app } = await open()
  await addFlow({ name: 'Page', triggers: [{ type: 'timer', key: 't', config: { seconds: 1 } }], version: 'develop' })
  const [flow] = (await plans.of(app)).flows
  expect(flow?.plan.triggers.map(({ type }) => type)).toEqual([''])
})

test('a button brings the data that stands in its flow', async () => {
  const { addFlow, plans, app } = await open()
  const payloads = ['{\r\n "x": 1 }', '', undefined, '[1]', '{']
  const triggers = payloads.map((payload, index) => ({ type: 'virtualButton', key: `b${index}`, meta: { payload } }))
  await addFlow({ name: 'Buttons', triggers })
  const [flow] = (await plans.of(app)).flows
  expect(flow?.plan.triggers.map(buttonData)).toEqual([{ x: 1 }, {}, {}, {}, {}])
  expect(flow?.problems).toMatchObject([
    { code: 'template.not-json', severity: 'warning', pointer: '/triggers/3/meta/payload' },
    { code: 'template.not-json', severity: 'warning', pointer: '/triggers/4/meta/payload' },
  ])
})

test('says when all runs of a request have ended, also when there is none', async () => {
  const { runner, addFlow } = await open()
  let ended = 0
  const fire = (id: string) => runner.fireEndpoint({ ...eventOf(id), onEnd: () => ended++ })
  expect(await fire('nobody')).toBe(0)
  await expect.poll(() => ended).toBe(1)
  await addFlow({
    name: 'Bad',
    version: 'develop',
    triggers: [{ ...endpointOf('e1'), outputIds: [['bad']] }],
    nodes: [fail()],
  })
  await addFlow({ name: 'Good', version: 'develop', triggers: [endpointOf('e1')] })
  expect(await runner.fireEndpoint({ ...eventOf('e1'), revision: 1e6, onEnd: () => ended++ })).toBe(2)
  await expect.poll(() => ended).toBe(2)
})

test('a call of a webhook starts the application flows that name it, each with data of its own', async () => {
  const { runner, addFlow, ended } = await open()
  const hook = (key: string) => ({ type: 'webhook', key, outputIds: [['m']] })
  const rules = [{ type: 'set', destination: 'data.body.n', valueTemplate: '{{data.body.n}}x' }]
  const nodes = [{ id: 'm', type: 'MutateNode', config: { rules } }]
  await addFlow({ name: 'one', triggers: [hook('w1')], nodes })
  await addFlow({ name: 'twice', triggers: [hook('w1'), hook('w1')], nodes })
  await addFlow({ name: 'other webhook', triggers: [hook('w2')], nodes })
  await addFlow({ name: 'off', triggers: [hook('w1')], nodes, enabled: false })
  await addFlow({ name: 'experience', triggers: [hook('w1')], nodes, version: 'develop' })
  let over = 0
  const event = { scope, webhookId: 'w1', time: NOW, data: { body: { n: 1 }, replyId: 'w1.1' }, onEnd: () => over++ }
  expect(await runner.fireWebhook(event)).toBe(3)
  await runner.drain(1_000)
  expect(over).toBe(1)
  expect(ended.map(({ flow }) => flow).sort()).toEqual(['one', 'twice', 'twice'])
  for (const { outcome } of ended) {
    expect(outcome.payload).toMatchObject({
      ...{ triggerId: 'w1', triggerType: 'webhook', time: new Date(NOW), relayType: 'public', relayId: '0'.repeat(24) },
      data: { body: { n: '1x' }, replyId: 'w1.1' },
    })
    expect(outcome.payload).not.toHaveProperty('experience')
  }
})

test('a webhook whose run fails unheard gets an answer, and one that nobody listens to is over at once', async () => {
  const { runner, addFlow, failed } = await open()
  const trigger = { type: 'webhook', key: 'w1', outputIds: [['bad']] }
  await addFlow({ name: 'bad', triggers: [trigger], nodes: [fail()] })
  let over = 0
  const event = { scope, webhookId: 'w1', time: NOW, data: { replyId: 'w1.1' }, onEnd: () => over++ }
  await runner.fireWebhook(event)
  await runner.drain(1_000)
  expect(failed).toMatchObject([{ replyId: 'w1.1', message: 'No luck' }])
  expect(await runner.fireWebhook({ ...event, webhookId: 'w2' })).toBe(0)
  await expect.poll(() => over).toBe(2)
})
