import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { PlanTrigger } from '../../../engine/compile.ts'
import type { Payload } from '../../../engine/payload.ts'
import type { Outcome } from '../../../engine/run.ts'
import type { Services } from '../../../nodes/services.ts'
import type { EndpointEvent } from '../../../server/experience/event.ts'
import { openRunRecords } from '../../../server/flows/records.ts'
import { openRunner, type RunContext } from '../../../server/flows/runner.ts'
import type { EndpointDocument } from '../../../server/store/documents.ts'
import { openApplication, scope } from '../../helpers/application.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

async function open() {
  const application = await openApplication()
  const ended: { flow: string; trigger: string; outcome: Outcome }[] = []
  const failed: unknown[] = []
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
    failReply: (_scope, replyId, error) => failed.push({ replyId, ...error }),
    onEnd: ({ flow }: RunContext, trigger: PlanTrigger, outcome) =>
      ended.push({ flow: flow.name, trigger: trigger.type, outcome }),
  })
  const press = (flowId: string, data: unknown = {}) =>
    runner.fireTrigger(scope, { flowId, triggerKey: 'b' }, { data, relay: { type: 'user', id: 'u' } })
  return { ...application, runner, records, ended, failed, log, press }
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
