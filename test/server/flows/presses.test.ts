import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { Outcome } from '../../../engine/run.ts'
import type { Services } from '../../../nodes/services.ts'
import { openRoom } from '../../../server/experience/room.ts'
import { customNodesOf } from '../../../server/flows/custom-nodes.ts'
import { buttonIndex, openPressRoom, pressesOf } from '../../../server/flows/presses.ts'
import { openRunRecords } from '../../../server/flows/records.ts'
import { openRunner, type RunContext } from '../../../server/flows/runner.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { openApplication, scope } from '../../helpers/application.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

async function open({ room = openPressRoom(), starts = true } = {}) {
  const application = await openApplication()
  const { app, store, plans } = application
  const ended: { flow: string; version: string; outcome: Outcome; context: RunContext }[] = []
  const log: Payload[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(JSON.parse(line)) })
  const jobs = openJobs({ app, now: () => NOW, wake: () => undefined, nudge: () => undefined })
  const services = (context: RunContext): Services =>
    ({
      clock: { now: () => NOW, sleep: () => new Promise<void>((resolve) => void setImmediate(resolve)) },
      customNodes: customNodesOf(context, { now: () => NOW, services }),
      flows: pressesOf(context, {
        ...{ plans, jobs, room, log: logger, now: () => NOW },
        fireTrigger: starts ? runner.fireTrigger : undefined,
      }),
    }) as unknown as Services
  const runner = openRunner({
    ...{ store, plans, services, log: logger, limits: {}, now: () => NOW, failReply: () => undefined },
    records: openRunRecords({ delayMs: 60_000, onError: () => undefined }),
    onEnd: (context, _trigger, outcome) =>
      void ended.push({ flow: context.flow.name, version: context.flow.version, outcome, context }),
  })
  return {
    ...{ app, store, ended, log, jobs, runner, addFlow: application.addFlow },
    /** Presses the first button of a flow and waits until everything has ended that it started at once. */
    async press(flowId: string, data: Payload = {}) {
      const outcome = await runner.fireTrigger(
        scope,
        { flowId, triggerKey: 'b' },
        { data, relay: { type: 'user', id: 'u' } },
      )
      await expect.poll(() => underWay(ended), { timeout: 15_000 }).toBe(0)
      return outcome
    },
    resultOf: (flow: string) =>
      ended.filter((one) => one.flow === flow).map(({ outcome }) => outcome.payload.result as Payload),
  }
}

// Each press at once comes to an end of its own; a press for later has the id of its job.
function underWay(ended: readonly { outcome: Outcome }[]): number {
  const payloads = ended.map(({ outcome }) => outcome.payload)
  const pressed = payloads.filter(({ result }) => String((result as Payload | undefined)?.runId).includes('-'))
  return pressed.length - payloads.filter(({ relayType }) => relayType === 'flow').length
}

const button = (key: string, next: string[] = [], meta: Payload = {}) => ({
  type: 'virtualButton',
  key,
  meta,
  outputIds: [next],
})
const slow = { id: 'd', type: 'DelayNode', config: { delay: '1' }, outputIds: [[]] }
const pressing = (triggerWorkflowId: string, config: Payload = {}) => ({
  ...{ id: 'p', type: 'WorkflowTriggerNode', outputIds: [[]] },
  config: { triggerWorkflowId, triggerVirtualButtonId: 'b', resultPath: 'result', ...config },
})

test.each(['b', 'ui-7', 'meta-7'])(
  'starts the flow whose button is called %s, and does not wait',
  async (triggerVirtualButtonId) => {
    const { press, addFlow, ended, resultOf } = await open()
    const meta = { uiId: 'ui-7', id: 'meta-7', payload: '{"own": true}' }
    const target = await addFlow({
      name: 'Target',
      triggers: [button('other'), button('b', ['d'], meta)],
      nodes: [slow],
    })
    const id = await addFlow({
      name: 'Caller',
      triggers: [button('b', ['p'])],
      nodes: [pressing(target, { triggerVirtualButtonId, payloadTemplate: '{"n": 1}' })],
    })
    await press(id)
    expect(ended.map(({ flow }) => flow)).toEqual(['Caller', 'Target'])
    expect(ended[1]?.outcome.payload).toMatchObject({
      ...{ data: { n: 1 }, triggerId: 'b', triggerType: 'virtualButton', relayType: 'flow', relayId: id },
      time: new Date(NOW),
    })
    expect(ended[1]?.outcome.payload).not.toHaveProperty('experience')
    expect(resultOf('Caller')).toEqual([{ runId: ended[1]?.context.runId }])
  },
)

test('a key wins over the names that exports know a button by', () => {
  const triggers = [
    { type: 'virtual-button', key: 'x', meta: { uiId: 'b', id: 'c' } },
    { type: 'virtual-button', key: 'b', meta: { uiId: 'c' } },
    { type: 'timer', key: 't', meta: { uiId: 'z' } },
  ]
  const of = (name: string) => buttonIndex({ triggers } as never, name)
  expect(['b', ' x ', 'c', 'z', 't', '', 'none'].map(of)).toEqual([1, 0, 1, -1, -1, -1, -1])
})

test('without data the button brings its own', async () => {
  const { press, addFlow, ended } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b', [], { payload: '{"own": true}' })] })
  await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [pressing(target)] }))
  expect(ended.find(({ flow }) => flow === 'Target')?.outcome.payload.data).toEqual({ own: true })
})

test('refuses a flow, a button or a version that does not exist, is switched off, or belongs to another application', async () => {
  const { press, addFlow, store, resultOf, ended } = await open()
  const off = await addFlow({ name: 'Off', triggers: [button('b')], enabled: false })
  const on = await addFlow({ name: 'On', triggers: [button('b'), { type: 'timer', key: 't', config: { seconds: 9 } }] })
  const theirs = await store
    .app({ tenant: 't2', application: 'b'.repeat(24) })
    .collection('flows')
    .insert({
      name: 'Theirs',
      flowClass: 'cloud',
      enabled: true,
      content: { triggers: [button('b')], nodes: [], globals: [] },
    })
  const wrong = [
    ...[pressing(off), pressing('f'.repeat(24)), pressing(theirs.id), pressing('')],
    ...[pressing(on, { triggerVirtualButtonId: 'none' }), pressing(on, { triggerVirtualButtonId: 't' })],
    ...[pressing(on, { triggerVirtualButtonId: '' }), pressing(on, { flowVersionTemplate: 'v9' })],
  ]
  for (const node of wrong)
    await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [node] }))
  const results = resultOf('Caller').map(({ error }) => error as { type: string; message: string })
  expect(results.map(({ type }) => type)).toEqual(wrong.map(() => 'NotFound'))
  const [unknown, foreign] = [results[1], results[2]].map((one) => one!.message.replace(/"[0-9a-f]{24}"/, 'ID'))
  expect(unknown).toBe(foreign)
  expect(ended.map(({ flow }) => flow)).toEqual(wrong.map(() => 'Caller'))
})

test('runs the version that is named; an experience flow presses those of its own version', async () => {
  const { press, addFlow, app, ended } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const content = { triggers: [button('b')], nodes: [], globals: [] }
  const version = { flowId: target, version: 'v1', enabled: true, content }
  const { id: defaultVersionId } = await app.collection('flowVersions').insert(version)
  await app.collection('flows').update(target, { defaultVersionId })
  for (const flowVersionTemplate of ['', 'default', 'develop', 'v1']) {
    const nodes = [pressing(target, { flowVersionTemplate })]
    await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes }))
  }
  const versions = () => ended.filter(({ flow }) => flow === 'Target' || flow === 'Page').map((one) => one.version)
  expect(versions()).toEqual(['v1', 'v1', 'develop', 'v1'])
  ended.length = 0
  const page = await addFlow({ name: 'Page', triggers: [button('b')], version: 'v2' })
  await app
    .collection('flowVersions')
    .insert({ flowId: page, version: 'develop', name: 'Page', enabled: true, content })
  await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [pressing(page)], version: 'v2' }))
  await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [pressing(page)] }))
  expect(versions()).toEqual(['v2', 'develop'])
})

test('flows that start each other come to an end after twenty runs, and the log says so', async () => {
  const { press, addFlow, app, ended, log, resultOf } = await open()
  const ping = await addFlow({ name: 'Ping', triggers: [button('b')] })
  const pong = await addFlow({ name: 'Pong', triggers: [button('b', ['p'])], nodes: [pressing(ping)] })
  const content = { triggers: [button('b', ['p'])], nodes: [pressing(pong)], globals: [] }
  await app.collection('flows').update(ping, { content })
  await press(ping)
  expect(ended).toHaveLength(21)
  expect([...resultOf('Ping'), ...resultOf('Pong')].filter(({ error }) => error)).toMatchObject([
    { error: { type: 'RateLimit' } },
  ])
  expect(log.filter(({ msg }) => msg === 'flows that start each other were stopped')).toHaveLength(1)
})

test('one run starts ten thousand others at most, whatever its loops do', async () => {
  const { runner, addFlow, ended, resultOf } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const loop = {
    ...{ id: 'loop', type: 'LoopNode', outputIds: [[], ['p']] },
    config: { loopSourcePath: 'data.times', currentItemPath: 'working.item' },
  }
  const cap = { id: 'cap', type: 'LoopCapNode', config: { loopNodeId: 'loop' }, meta: { groupId: 'loop' } }
  const inside = { ...pressing(target), meta: { groupId: 'loop' }, outputIds: [['cap']] }
  const id = await addFlow({ name: 'Caller', triggers: [button('b', ['loop'])], nodes: [loop, inside, cap] })
  const user = { type: 'user', id: 'u' }
  await runner.fireTrigger(scope, { flowId: id, triggerKey: 'b' }, { data: { times: 10_005 }, relay: user })
  await expect.poll(() => ended.length, { timeout: 15_000 }).toBe(10_001)
  expect(resultOf('Caller')).toMatchObject([{ error: { type: 'RateLimit' } }])
})

test('a custom node presses on behalf of the flow that called it', async () => {
  const { press, addFlow, app, ended } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const start = { type: 'customNodeStart', key: 'customNodeStart', outputIds: [['p']] }
  const cap = { id: 'cap', type: 'CustomNodeCapNode', config: { resultSourcePath: 'result' } }
  const inner = { triggers: [start], nodes: [{ ...pressing(target), outputIds: [['cap']] }, cap], globals: [] }
  const custom = await app
    .collection('flows')
    .insert({ name: 'Custom', flowClass: 'customNode', enabled: true, content: inner })
  const call = {
    id: 'call',
    type: 'CustomNodeExecuteNode',
    config: { customNodeId: custom.id, resultPath: 'result' },
    outputIds: [[], []],
  }
  const id = await addFlow({ name: 'Caller', triggers: [button('b', ['call'])], nodes: [call] })
  const outcome = await press(id)
  expect(outcome?.payload.result).toEqual({ runId: expect.any(String) })
  expect(ended.find(({ flow }) => flow === 'Target')?.outcome.payload).toMatchObject({ relayType: 'flow', relayId: id })
})

test('too much at a time is refused, and later there is room again', async () => {
  const { press, addFlow, resultOf } = await open({
    room: openRoom({ heldBytes: 50_000, heldBytesPerApplication: 50_000 }),
  })
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const nodes = [pressing(target, { payloadTemplateType: 'path', payloadTemplate: 'data.text' })]
  const id = await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes })
  await press(id, { text: 'x'.repeat(60_000) })
  for (let time = 0; time < 3; time++) await press(id, { text: 'x'.repeat(30_000) })
  expect(resultOf('Caller').map(({ error }) => (error as Payload | undefined)?.type)).toEqual([
    'RateLimit',
    undefined,
    undefined,
    undefined,
  ])
})

test('what is to be pressed later is a job, that can be taken back until it begins', async () => {
  const { press, addFlow, jobs, resultOf, ended } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const later = { behavior: 'schedule', secondsTemplate: '60', payloadTemplate: '{"n": 1}' }
  const id = await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [pressing(target, later)] })
  const canceling = pressing('', { behavior: 'cancel', runIdTemplate: '{{data.runId}}' })
  const cancel = await addFlow({ name: 'Cancel', triggers: [button('b', ['p'])], nodes: [canceling] })
  await press(id)
  const [{ runId }] = resultOf('Caller') as [{ runId: string }]
  expect(await jobs.get(runId)).toMatchObject({
    ...{ kind: 'run', status: 'queued', dueAt: NOW + 60_000, requestedBy: { type: 'flow', id } },
    input: {
      flowId: target,
      triggerKey: 'b',
      data: { n: 1 },
      version: 'default',
      depth: 0,
      relay: { type: 'flow', id },
    },
  })
  const other = await jobs.add({ kind: 'run', input: {} })
  for (const given of [runId, runId, other.id, 'x', 'f'.repeat(24)]) await press(cancel, { runId: given })
  expect(resultOf('Cancel').map(({ canceled }) => canceled)).toEqual([true, false, false, false, false])
  expect((await jobs.get(runId))?.status).toBe('canceled')
  expect((await jobs.get(other.id))?.status).toBe('queued')
  expect(ended.map(({ flow }) => flow)).not.toContain('Target')
})

test('who waits less than a minute counts as one run after the other', async () => {
  const { press, addFlow, jobs, resultOf } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const soon = pressing(target, { behavior: 'schedule', secondsTemplate: '59' })
  await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [soon] }))
  const [{ runId }] = resultOf('Caller') as [{ runId: string }]
  expect((await jobs.get(runId))?.input).toMatchObject({ depth: 1 })
})

test('refuses a time more than a year away', async () => {
  const { press, addFlow, resultOf } = await open()
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  const later = { behavior: 'schedule', secondsTemplate: String(400 * 86_400) }
  await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [pressing(target, later)] }))
  expect(resultOf('Caller')).toMatchObject([{ error: { type: 'Validation' } }])
})

test('without a server nothing is started', async () => {
  const { press, addFlow, resultOf } = await open({ starts: false })
  const target = await addFlow({ name: 'Target', triggers: [button('b')] })
  await press(await addFlow({ name: 'Caller', triggers: [button('b', ['p'])], nodes: [pressing(target)] }))
  expect(resultOf('Caller')).toMatchObject([{ error: { type: 'Unavailable' } }])
})
